"""One regeneration: the provider's frames for the windows, blended into a copy of the parent that shares its files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from a1_reactor.engine.blend import BlendConfig, blend_window
from a1_reactor.engine.locked import LockedClip
from a1_reactor.engine.report import pairs_of_report, prove_unchanged
from a1_reactor.engine.stages import Progress, Stages
from a1_reactor.eval.pairs import Pair, measure, proxy_of
from a1_reactor.eval.seams import measure_seams
from a1_reactor.media.filmstrip import draw_filmstrip, strip_frames
from a1_reactor.media.frames import Frame
from a1_reactor.media.mp4 import EncoderOptions, Mp4Writer
from a1_reactor.media.png import encode_png, read_png
from a1_reactor.providers.base import Provider, checked_windows, spans_of
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.draft import Draft
from a1_reactor.types import JobSpec, Span, Window
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
) -> tuple[list[Pair], dict[str, Any]]:
    """Fill a draft with the parent's frames and new ones inside the spec's windows.

    Args:
        draft: Where the frames, the mp4 and the filmstrips go.
        spec: Resolved, with windows, of the parent's size, rate and length.

    Returns:
        The pairs of the new clip, and what was done, for the report.

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
    _blend(draft, spec, parent, raw, blend, stages, progress)
    with stages.stage("score"):
        old = pairs_of_report(parent.report(), parent.frame_count)
        new = _measure(draft, spec, progress)
        seams = [_seams(window, spec, parent, raw, new, old) for window in spec.windows]
        pairs = [new.get(index, old[index - 1]) for index in range(1, spec.frames)]
    raw.remove()
    with stages.stage("prove"):
        proof = prove_unchanged(parent, draft, spec.windows, methods)
    with stages.stage("filmstrip"):
        _filmstrips(draft, spec, parent)
    with stages.stage("encode"):
        _stitch(draft, spec, encoder, progress)
    return pairs, {
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
    draft: Draft, spec: JobSpec, parent: Clip, raw: _Spool, config: BlendConfig, stages: Stages, progress: Progress
) -> None:
    total, done = sum(len(window) for window in spec.windows), 0
    for window in spec.windows:
        for index, frame in stages.drawn("blend", blend_window(window, spec.frames, parent.frame, raw.get, config)):
            with stages.stage("store"):
                draft.add_frame(index, frame)
            done += 1
            progress("blend", done, total)


def _measure(draft: Draft, spec: JobSpec, progress: Progress) -> dict[int, Pair]:
    """The pairs that touch a window, by number of their later frame; all others are the parent's own."""
    wanted = sorted(
        {
            index
            for window in spec.windows
            for index in range(max(1, window.start), min(window.stop, spec.frames - 1) + 1)
        }
    )
    pairs: dict[int, Pair] = {}
    last: tuple[int, Any] | None = None
    for done, index in enumerate(wanted, start=1):
        previous = last[1] if last is not None and last[0] == index - 1 else proxy_of(_read(draft, spec, index - 1))
        current = proxy_of(_read(draft, spec, index))
        pairs[index] = measure(previous, current)
        last = index, current
        progress("score", done, len(wanted))
    return pairs


def _seams(
    window: Window, spec: JobSpec, parent: Clip, raw: _Spool, new: Mapping[int, Pair], old: list[Pair]
) -> dict[str, Any]:
    """The joins with the provider's frames as they came, and as they went into the clip."""
    unblended: dict[int, Pair] = {}
    if window.start > 0:
        unblended[window.start] = measure(proxy_of(parent.frame(window.start - 1)), proxy_of(raw.get(window.start)))
    if window.stop < spec.frames:
        unblended[window.stop] = measure(proxy_of(raw.get(window.stop - 1)), proxy_of(parent.frame(window.stop)))
    return {
        "window": [window.start, window.stop],
        "before_blending": measure_seams(window, spec.frames, unblended, old).to_json(),
        "after_blending": measure_seams(window, spec.frames, new, old).to_json(),
    }


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
