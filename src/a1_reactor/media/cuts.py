"""Where a clip is cut into segments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from a1_reactor.types import Window

__all__ = ["Piece", "grid_pieces", "pieces_after_edit"]

Piece = tuple[int, int]
"""Frames ``[start, stop)``."""


def grid_pieces(frames: int, length: int) -> list[Piece]:
    """Pieces of ``length`` frames; the last one may be shorter."""
    return list(pairwise([*range(0, frames, length), frames]))


def pieces_after_edit(
    old: Sequence[Piece], windows: Sequence[Window], length: int, keep: Callable[[Piece, int], int]
) -> list[Piece]:
    """Pieces of a clip in which windows were regenerated.

    Outside the windows the old cuts stay, so that old segments fit. The end of a window becomes a cut; inside, cuts lie
    on the grid, so earlier edits leave no trace inside a window that covers them. What comes before a window in its
    first piece is kept as far as a segment can be shortened; the frames from there on are encoded with the window.

    Args:
        old: Pieces of the parent, without gaps, from frame 0.
        windows: Sorted; no two of them touch.
        length: Step of the grid.
        keep: How many of the first ``n`` frames of an old piece can be kept as they are, 0 to ``n``.
    """
    frames = old[-1][1]
    cuts = {start for start, _ in old} | {frames}
    for window in windows:
        cuts = {cut for cut in cuts if not window.start < cut < window.stop}
        cuts |= {window.start, window.stop}
        cuts |= {cut for cut in range(0, frames, length) if window.start < cut < window.stop}
    for piece in old:
        inside = [window.start for window in windows if piece[0] < window.start < piece[1]]
        touched = any(window.start <= piece[0] < window.stop for window in windows)
        # Behind a window nothing of an old segment can be kept: its frames refer to those that are gone.
        if inside and not touched:
            cuts.remove(inside[0])
            cuts.add(piece[0] + keep(piece, inside[0] - piece[0]))
    return list(pairwise(sorted(cuts)))
