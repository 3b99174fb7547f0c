"""From the moments at which a camera took its frames to frames at a constant rate.

Nothing is decoded here: moments go in as numbers, and which frame to show comes out. Frame ``i`` of the result shows
what was on the screen in the middle of its time, so a constant rate with the usual rounding of time stamps comes out
one to one, and a variable one is repeated and left out as little as can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from reactor_core.errors import SpecError

__all__ = ["COMMON_RATES", "Timing", "find_timing", "resampled"]

T = TypeVar("T")

COMMON_RATES = tuple(
    Fraction(numerator, denominator)
    for numerator, denominator in (
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1), (100, 1),
        (120000, 1001), (120, 1), (12, 1), (15, 1), (10, 1), (8, 1), (5, 1), (1, 1),
    )
)  # fmt: skip
"""Rates that video really has; a measured one close to one of them is meant to be it."""

_NEAR = Fraction(1, 100)
"""Share of a frame's time that a measured distance may be off."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How a file's frames lie in time."""

    fps: Fraction
    """Constant rate of the result."""
    frames: int
    """Length of the result, at least 1."""
    constant: bool
    """Whether the file has this rate already; if not, frames are repeated and left out."""
    shortest_s: Fraction
    """Shortest distance of two frames of the file; 0 where there is one frame."""
    longest_s: Fraction
    """Longest distance of two frames of the file; 0 where there is one frame."""


def find_timing(
    ticks: Sequence[int], *, end: int, tick: Fraction, stated: Iterable[Fraction], fps: Fraction | None
) -> Timing:
    """The rate that a file has, or should get.

    Args:
        ticks: When its frames are shown, in units of ``tick``, ascending; at least one.
        end: When the last frame ends, in the same units.
        tick: Seconds; the shortest time that the file can tell apart. Time stamps may be off by so much.
        stated: Rates that the file says it has.
        fps: Rate that is asked for; None keeps the file's own, and gives a variable one the usual rate closest to
            that of most frames.

    Raises:
        SpecError: Two frames have the same moment.
    """
    moments = np.asarray(ticks, np.int64)
    gaps = np.diff(moments)
    if (gaps <= 0).any():
        raise SpecError("two frames of the file have the same time", remedy="write the file anew with a video tool")
    shortest, longest = (int(gaps.min()) * tick, int(gaps.max()) * tick) if len(gaps) else (Fraction(0), Fraction(0))
    typical = _typical(gaps, tick) if len(gaps) else None
    known = [*(rate for rate in stated if rate > 0), *COMMON_RATES, *([] if typical is None else [typical])]
    own = next((rate for rate in known if _has_rate(moments, rate, tick)), None)
    if own is not None and fps in (None, own):
        return Timing(own, len(moments), True, shortest, longest)
    if fps is None:
        assert typical is not None, "a single frame has every rate"
        fps = _usual(typical, tick)
    return Timing(fps, max(1, round((end - int(moments[0])) * tick * fps)), False, shortest, longest)


def _typical(gaps: NDArray[np.int64], tick: Fraction) -> Fraction:
    """Rate of most frames: the mean of the distances within a tenth of the median, which evens out their rounding."""
    median = int(np.sort(gaps)[len(gaps) // 2])
    most = gaps[np.abs(gaps - median) <= median / 10]
    return Fraction(len(most)) / (int(most.sum()) * tick)


def _usual(typical: Fraction, tick: Fraction) -> Fraction:
    """The usual rate that a measured one is meant to be; where there is none close by, the nearest whole number."""

    def distance(rate: Fraction) -> tuple[int, int]:
        # In whole ticks, since less cannot be told apart; of equals the whole number is meant.
        return round(abs(1 / rate - 1 / typical) / tick), rate.denominator

    nearest = min(COMMON_RATES, key=distance)
    close = abs(1 / nearest - 1 / typical) <= max(tick, _NEAR / typical)
    return nearest if close else Fraction(max(1, round(typical)))


def _has_rate(moments: NDArray[np.int64], rate: Fraction, tick: Fraction) -> bool:
    """Whether every frame is shown within a tick of where this rate has it, and at most a quarter of a frame off."""
    step = float(1 / (rate * tick))  # in ticks; float64 is exact to a thousandth of a tick over days
    meant = np.arange(len(moments)) * step
    return bool((np.abs(moments - moments[0] - meant) <= min(1.0, step / 4) + 1e-3).all())


def resampled(frames: Iterable[tuple[Fraction, T]], fps: Fraction, count: int) -> Iterator[T]:
    """Frames at a constant rate: each the newest one that is shown by the middle of its time.

    Two frames are held at a time. The same object comes several times where a frame is repeated.

    Args:
        frames: Moment and frame, ascending, at least one.
        count: How many to give.
    """
    source = iter(frames)
    start, current = next(source)
    following = next(source, None)
    for index in range(count):
        middle = start + (index + Fraction(1, 2)) / fps
        while following is not None and following[0] <= middle:
            current = following[1]
            following = next(source, None)
        yield current
