"""One regeneration: the provider's frames for the windows, blended into a copy of the parent that shares its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from a1_reactor.engine.asking import Asking
from a1_reactor.engine.blend import BlendConfig
from a1_reactor.engine.locked import LockedClip
from a1_reactor.engine.proof import prove_unchanged
from a1_reactor.engine.report import measures_of
from a1_reactor.engine.retake import Retake
from a1_reactor.engine.stages import Progress, Stages
from a1_reactor.engine.stitch import ReadFrame, Stitcher
from a1_reactor.eval.measures import Measures
from a1_reactor.eval.seams import Typical
from a1_reactor.media.filmstrip import draw_filmstrip, strip_frames
from a1_reactor.media.frames import Frame, pixel_hash
from a1_reactor.media.h264 import EncoderOptions
from a1_reactor.media.mask import share_of
from a1_reactor.media.png import encode_png
from a1_reactor.media.recent import RecentFrames
from a1_reactor.providers.base import Provider, spans_of
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.draft import Draft
from a1_reactor.types import JobSpec, Span
from reactor_core.utils.files import storage_errors

__all__ = ["regenerate"]

_SPOOL_BYTES = 64 << 20
"""A window may be longer than memory; so much of it is held as it came, and so much as it was blended."""


def regenerate(
    draft: Draft,
    spec: JobSpec,
    parent: Clip,
    provider: Provider,
    asking: Asking,
    *,
    blend: BlendConfig,
    encoder: EncoderOptions,
    stages: Stages,
    progress: Progress,
) -> tuple[Measures, dict[str, Any], int]:
    """Fill a draft with the parent's frames and new ones inside the spec's windows.

    What would take time for every frame of the clip is left out: frames outside the windows are linked, not read, and
    segments without a new frame are taken over. The video of the windows plays before its frames are stored and scored.

    Args:
        draft: Where the frames, the mp4 and the filmstrips go.
        spec: Resolved, with windows, of the parent's size, rate and length.
        asking: Gets the windows' frames from the provider.

    Returns:
        What was measured of the new clip; what was done, for the report; and how many frames the mp4 decodes to.

    Raises:
        ArtifactCorrupt: The parent's files are not the ones that were stored.
        ProviderError: The provider failed or broke its promise.
        StorageError: A file cannot be written.
    """
    inside = {index for window in spec.windows for index in window.frames}
    share = share_of(spec.mask, width=spec.width, height=spec.height)
    old = RecentFrames(parent.frame)
    with stages.stage("lock"):
        methods = draft.link_frames((index for index in range(parent.frame_count) if index not in inside), parent)
    video = Stitcher(draft, spec, encoder, stages, parent=parent)
    video.take_over()

    def unchanged(index: int) -> tuple[Frame, str]:
        with stages.stage("keep"):
            return old(index), parent.manifest.frames[index].pixels

    video.encode_unchanged(unchanged, lambda done, total: progress("prepare", done, total))
    with stages.stage("score"):
        known = measures_of(parent)
        typical = Typical.of(known)
    raw, made = _Spool(draft.path / "raw"), _Spool(draft.path / "made")
    retakes = [Retake(window, spec.frames, old, raw.get, typical, blend, share) for window in spec.windows]
    # Nobody waits for anything before the provider has answered, so what can be done is done now.
    with stages.stage("keep"):
        old.prefetch(index for index in range(spec.frames) if index in inside)
    with stages.stage("blend"):
        for retake in retakes:
            retake.look_back()
    video.lead_in(unchanged)
    spans = _ask(spec, parent, provider, asking, raw, retakes, stages, progress)
    ids = _blend(retakes, made, video, unchanged, stages, progress)
    progress("preview", 1, 1)
    _store(draft, retakes, made, ids, stages, progress)
    with stages.stage("score"):
        seams = [retake.to_json() for retake in retakes]
        measures = known.changed(
            {index: pair for retake in retakes for index, pair in retake.pairs.items()},
            {index: cells for retake in retakes for index, cells in retake.cells.items()},
        )
    with stages.stage("prove"):
        proof = prove_unchanged(parent, draft, spec.windows, methods)
    with stages.stage("filmstrip"):
        _filmstrips(draft, spec, old, lambda index: made.get(index) if index in ids else old(index))
    raw.remove()
    made.remove()
    decoded = video.finish(lambda done, total: progress("stitch", done, total))
    report = {
        "parent": parent.key,
        "windows": [window.to_json() for window in spec.windows],
        "spans": [span.to_json() for span in spans],
        "mask": None if spec.mask is None else spec.mask.to_json(),
        "blend": blend.to_json(),
        "seams": seams,
        "frames": proof,
        "video": video.to_json(),
    }
    return measures, report, decoded


class _Spool:
    """Frames of the windows: in memory as far as they fit, the others uncompressed on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._room = _SPOOL_BYTES
        self._held: dict[int, Frame] = {}
        with storage_errors(folder):
            folder.mkdir()

    def put(self, index: int, frame: Frame) -> None:
        if frame.nbytes <= self._room:
            self._room -= frame.nbytes
            self._held[index] = frame.copy()  # a provider may use its own array again
            return
        path = self._folder / f"{index:06d}.npy"
        with storage_errors(path):
            np.save(path, frame, allow_pickle=False)

    def get(self, index: int) -> Frame:
        held = self._held.get(index)
        if held is not None:
            return held
        return np.asarray(np.load(self._folder / f"{index:06d}.npy", allow_pickle=False), np.uint8)

    def remove(self) -> None:
        self._held.clear()
        for path in self._folder.iterdir():
            path.unlink()
        self._folder.rmdir()


def _ask(
    spec: JobSpec,
    parent: Clip,
    provider: Provider,
    asking: Asking,
    raw: _Spool,
    retakes: Sequence[Retake],
    stages: Stages,
    progress: Progress,
) -> tuple[Span, ...]:
    total = sum(len(window) for window in spec.windows)
    spans = spans_of(spec.windows, spec, provider.capabilities)
    locked = LockedClip(parent, spans)
    progress("regen", 0, total)
    frames = asking.windows(locked, spec.windows)
    for done, (index, frame) in enumerate(stages.drawn("provider", frames), start=1):
        with stages.stage("spool"):
            raw.put(index, frame)
            asking.received(index, frame)
        progress("regen", done, total)
        with stages.stage("blend"):
            for retake in retakes:
                retake.came(index)
    return spans


def _blend(
    retakes: list[Retake],
    made: _Spool,
    video: Stitcher,
    unchanged: ReadFrame,
    stages: Stages,
    progress: Progress,
) -> dict[int, str]:
    """Blend the provider's frames and encode them at once: this is what a viewer waits for.

    Returns:
        Pixel hash of every new frame, by number.
    """
    ids: dict[int, str] = {}
    total = sum(len(retake.window) for retake in retakes)
    for retake in retakes:
        for index, frame in stages.drawn("blend", retake.frames()):
            with stages.stage("spool"):
                ids[index] = pixel_hash(frame)
                made.put(index, frame)
            video.add(index, frame, ids[index], unchanged)
            progress("blend", len(ids), total)
    video.settle()
    return ids


def _store(
    draft: Draft, retakes: list[Retake], made: _Spool, ids: Mapping[int, str], stages: Stages, progress: Progress
) -> None:
    """Store the windows' frames, and measure them as they come by."""
    done = 0
    for retake in retakes:
        for index in retake.window.frames:
            with stages.stage("store"):
                frame = made.get(index)
                draft.add_frame(index, frame, pixels=ids[index])
            with stages.stage("score"):
                retake.measure(index, frame)
            done += 1
            progress("score", done, len(ids))


def _filmstrips(draft: Draft, spec: JobSpec, old: Callable[[int], Frame], new: Callable[[int], Frame]) -> None:
    first = spec.windows[0]
    indices = strip_frames(first.start, first.stop, spec.frames)
    inside = {index for window in spec.windows for index in window.frames}
    draft.add_bytes("filmstrip_before.png", encode_png(draw_filmstrip(indices, old, marked=inside)))
    draft.add_bytes("filmstrip_after.png", encode_png(draw_filmstrip(indices, new, marked=inside)))
