"""One regeneration: the provider's frames for the windows, blended into a copy of the parent that shares its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from a1_reactor.engine.blend import BlendConfig
from a1_reactor.engine.locked import LockedClip
from a1_reactor.engine.report import measures_of, prove_unchanged
from a1_reactor.engine.retake import Retake
from a1_reactor.engine.stages import Progress, Stages
from a1_reactor.eval.measures import Measures
from a1_reactor.eval.seams import Typical
from a1_reactor.media.filmstrip import draw_filmstrip, strip_frames
from a1_reactor.media.frames import Frame
from a1_reactor.media.mp4 import EncoderOptions, Mp4Writer
from a1_reactor.media.png import encode_png, read_png
from a1_reactor.providers.base import Provider, checked_windows, spans_of
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.draft import Draft
from a1_reactor.types import JobSpec, Span
from reactor_core.utils.files import storage_errors

__all__ = ["regenerate"]


def regenerate(
    draft: Draft,
    spec: JobSpec,
    parent: Clip,
    provider: Provider,
    *,
    blend: BlendConfig,
    encoder: EncoderOptions,
    stages: Stages,
    progress: Progress,
) -> tuple[Measures, dict[str, Any]]:
    """Fill a draft with the parent's frames and new ones inside the spec's windows.

    Args:
        draft: Where the frames, the mp4 and the filmstrips go.
        spec: Resolved, with windows, of the parent's size, rate and length.

    Returns:
        What was measured of the new clip, and what was done, for the report.

    Raises:
        ArtifactCorrupt: The parent's files are not the ones that were stored.
        ProviderError: The provider failed or broke its promise.
        StorageError: A file cannot be written.
    """
    inside = {index for window in spec.windows for index in window.frames}
    with stages.stage("lock"):
        methods = {index: draft.link_frame(index, parent) for index in range(parent.frame_count) if index not in inside}
    raw = _Spool(draft.path / "spool")
    spans = _ask(spec, parent, provider, raw, stages, progress)
    with stages.stage("score"):
        known = measures_of(parent)
    retakes = _blend(draft, spec, parent, raw, blend, Typical.of(known), stages, progress)
    with stages.stage("score"):
        seams = [retake.to_json() for retake in retakes]
        measures = known.changed(
            {index: pair for retake in retakes for index, pair in retake.pairs.items()},
            {index: cells for retake in retakes for index, cells in retake.cells.items()},
        )
    raw.remove()
    with stages.stage("prove"):
        proof = prove_unchanged(parent, draft, spec.windows, methods)
    with stages.stage("filmstrip"):
        _filmstrips(draft, spec, parent)
    with stages.stage("encode"):
        _stitch(draft, spec, encoder, progress)
    return measures, {
        "parent": parent.key,
        "windows": [window.to_json() for window in spec.windows],
        "spans": [span.to_json() for span in spans],
        "blend": blend.to_json(),
        "seams": seams,
        "frames": proof,
    }


class _Spool:
    """The provider's frames as they came, uncompressed on disk: a window may be longer than memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with storage_errors(folder):
            folder.mkdir()

    def put(self, index: int, frame: Frame) -> None:
        path = self._folder / f"{index:06d}.npy"
        with storage_errors(path):
            np.save(path, frame, allow_pickle=False)

    def get(self, index: int) -> Frame:
        return np.asarray(np.load(self._folder / f"{index:06d}.npy", allow_pickle=False), np.uint8)

    def remove(self) -> None:
        for path in self._folder.iterdir():
            path.unlink()
        self._folder.rmdir()


def _ask(
    spec: JobSpec, parent: Clip, provider: Provider, raw: _Spool, stages: Stages, progress: Progress
) -> tuple[Span, ...]:
    total = sum(len(window) for window in spec.windows)
    spans = spans_of(spec.windows, spec, provider.capabilities)
    locked = LockedClip(parent, spans)
    frames = checked_windows(provider.regen_frames(spec, locked, spec.windows), spec, spec.windows, provider.name)
    progress("regen", 0, total)
    for done, (index, frame) in enumerate(stages.drawn("provider", frames), start=1):
        with stages.stage("spool"):
            raw.put(index, frame)
        progress("regen", done, total)
    return spans


def _blend(
    draft: Draft,
    spec: JobSpec,
    parent: Clip,
    raw: _Spool,
    config: BlendConfig,
    typical: Typical,
    stages: Stages,
    progress: Progress,
) -> list[Retake]:
    """Store the windows' frames, blended, and measure them as they come by: no file is read a second time."""
    total, done = sum(len(window) for window in spec.windows), 0
    retakes = []
    for window in spec.windows:
        retake = Retake(window, spec.frames, parent.frame, raw.get, typical, config)
        for index, frame in stages.drawn("blend", retake.frames()):
            with stages.stage("store"):
                draft.add_frame(index, frame)
            with stages.stage("score"):
                retake.measure(index, frame)
            done += 1
            progress("blend", done, total)
        retakes.append(retake)
    return retakes


def _filmstrips(draft: Draft, spec: JobSpec, parent: Clip) -> None:
    first = spec.windows[0]
    indices = strip_frames(first.start, first.stop, spec.frames)
    inside = {index for window in spec.windows for index in window.frames}
    before = draw_filmstrip(indices, parent.frame, marked=inside)
    after = draw_filmstrip(indices, lambda index: _read(draft, spec, index), marked=inside)
    draft.add_bytes("filmstrip_before.png", encode_png(before))
    draft.add_bytes("filmstrip_after.png", encode_png(after))


def _stitch(draft: Draft, spec: JobSpec, encoder: EncoderOptions, progress: Progress) -> None:
    with Mp4Writer(draft.artifact, width=spec.width, height=spec.height, fps=spec.fps, options=encoder) as video:
        for index in range(spec.frames):
            video.add(_read(draft, spec, index))
            progress("stitch", index + 1, spec.frames)


def _read(draft: Draft, spec: JobSpec, index: int) -> Frame:
    return read_png(draft.frame_path(index), width=spec.width, height=spec.height)
