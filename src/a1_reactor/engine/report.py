"""``run/report.json``: what was made and how well it holds together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from a1_reactor.eval.consistency import NOTE, summarize
from a1_reactor.eval.pairs import Pair
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.draft import Draft
from a1_reactor.types import JobSpec, Window
from reactor_core.errors import ArtifactCorrupt
from reactor_core.utils.files import sha256_file

__all__ = ["clip_report", "frame_ranges", "pairs_of_report", "prove_unchanged"]


def clip_report(
    spec: JobSpec, pairs: Sequence[Pair], *, decoded_frames: int, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The report of a clip.

    ``fps``, ``num_frames`` and ``temporal_consistency`` with its ``mean_l1``, ``p95_l1`` and ``note`` are the fields of
    the first prototype. ``pairs`` holds the measurements that all summaries come from; a child clip reuses them.
    """
    summary = summarize(pairs)
    return {
        "version": 1,
        "fps": float(spec.fps),
        "fps_exact": str(spec.fps),
        "seconds_asked": float(spec.seconds),
        "num_frames": spec.frames,
        "decoded_frames": decoded_frames,
        "temporal_consistency": {**summary.to_json(), "note": NOTE},
        "pairs": [pair.to_json() for pair in pairs],
        **(extra or {}),
    }


def pairs_of_report(report: Mapping[str, Any], frames: int) -> list[Pair]:
    """The measurements that a report carries.

    Raises:
        ArtifactCorrupt: The report is not one of a clip of this length.
    """
    try:
        pairs = [Pair(**pair) for pair in report["pairs"]]
    except (KeyError, TypeError) as error:
        raise ArtifactCorrupt(f"the parent's report cannot be used: {error}") from error
    if len(pairs) != frames - 1:
        raise ArtifactCorrupt(f"the parent's report has {len(pairs)} pairs for {frames} frames")
    return pairs


def frame_ranges(indices: Iterable[int]) -> list[list[int]]:
    """Frame numbers as half-open ranges: 0, 1, 2, 5 are [[0, 3], [5, 6]]."""
    ranges: list[list[int]] = []
    for index in sorted(indices):
        if ranges and ranges[-1][1] == index:
            ranges[-1][1] = index + 1
        else:
            ranges.append([index, index + 1])
    return ranges


def prove_unchanged(
    parent: Clip, draft: Draft, windows: Sequence[Window], methods: Mapping[int, str]
) -> dict[str, Any]:
    """Hash every frame file outside the windows and compare it with the parent's.

    Args:
        methods: How each file was taken over, by frame number.

    Returns:
        Counts, ranges, one digest over all hashes on either side, and how many frames inside really changed.

    Raises:
        ArtifactCorrupt: A file outside the windows differs.
    """
    inside = {index for window in windows for index in window.frames}
    outside = [index for index in range(parent.frame_count) if index not in inside]
    ours, theirs = hashlib.sha256(), hashlib.sha256()
    for index in outside:
        found, recorded = sha256_file(draft.frame_path(index)), parent.manifest.frames[index].file
        if found != recorded:
            raise ArtifactCorrupt(f"frame {index} lies outside the windows and yet differs from the parent's file")
        ours.update(f"{index} {found}\n".encode())
        theirs.update(f"{index} {recorded}\n".encode())
    assert ours.digest() == theirs.digest(), "each line was compared above"
    changed = [index for index in sorted(inside) if draft.entry(index).pixels != parent.manifest.frames[index].pixels]
    return {
        "untouched": {
            "count": len(outside),
            "frames": frame_ranges(outside),
            "sha256_of_hashes": ours.hexdigest(),
            "sha256_of_parent_hashes": theirs.hexdigest(),
            "taken_over_by": {how: list(methods.values()).count(how) for how in sorted(set(methods.values()))},
        },
        "changed": {"count": len(changed), "frames": frame_ranges(changed)},
    }
