"""``run/report.json``: what was made and how well it holds together."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from a1_reactor.eval.consistency import NOTE, summarize
from a1_reactor.eval.drift import drift_curve
from a1_reactor.eval.measures import Measures, measure_clip
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.draft import Draft
from a1_reactor.types import JobSpec
from reactor_core.errors import ArtifactCorrupt

__all__ = ["clip_report", "frame_ranges", "measures_of", "save_colours"]

_COLOURS = "colours.npy"


def clip_report(
    spec: JobSpec, measures: Measures, *, decoded_frames: int, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The report of a clip.

    ``fps``, ``num_frames`` and ``temporal_consistency`` with its ``mean_l1``, ``p95_l1`` and ``note`` are the fields of
    the first prototype. ``pairs`` holds the measurements that all summaries come from, by column; a child clip reuses
    them, together with the colours that :func:`save_colours` stores.
    """
    return {
        "version": 2,
        "fps": float(spec.fps),
        "fps_exact": str(spec.fps),
        "seconds_asked": float(spec.seconds),
        "num_frames": spec.frames,
        "decoded_frames": decoded_frames,
        "temporal_consistency": {**summarize(measures.table).to_json(), "note": NOTE},
        "drift": {str(gap): round(value, 4) for gap, value in drift_curve(measures.cells).items()},
        "pairs": measures.pairs_to_json(),
        **(extra or {}),
    }


def save_colours(draft: Draft, measures: Measures) -> None:
    """Write ``run/colours.npy``: 432 bytes a frame, from which the drift of a child clip is computed."""
    buffer = io.BytesIO()
    np.save(buffer, measures.cells, allow_pickle=False)
    draft.add_bytes(_COLOURS, buffer.getvalue())


def measures_of(clip: Clip) -> Measures:
    """The measurements that a clip was stored with; one stored before there were any colours is measured anew.

    Raises:
        ArtifactCorrupt: The files are not those of a clip of this length.
    """
    report = clip.report()
    if report.get("version") == 1:
        return measure_clip(clip.frame(index) for index in range(clip.frame_count))
    path = clip.path / "run" / _COLOURS
    try:
        measures = Measures.parse(report["pairs"], np.load(path, allow_pickle=False))
        if measures.frames != clip.frame_count:
            raise ValueError(f"{measures.frames} measured frames, the clip has {clip.frame_count}")
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ArtifactCorrupt(
            f"the measurements of clip {clip.key} cannot be used: {error}", remedy="make the clip again with --force"
        ) from error
    return measures


def frame_ranges(indices: Iterable[int]) -> list[list[int]]:
    """Frame numbers as half-open ranges: 0, 1, 2, 5 are [[0, 3], [5, 6]]."""
    ranges: list[list[int]] = []
    for index in sorted(indices):
        if ranges and ranges[-1][1] == index:
            ranges[-1][1] = index + 1
        else:
            ranges.append([index, index + 1])
    return ranges
