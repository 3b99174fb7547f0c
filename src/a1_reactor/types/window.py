"""Windows of a clip, as frames.

Time is rational. A window ``[start, end)`` in seconds holds the frames ``[ceil(start * fps), ceil(end * fps))``, so
windows that touch share no frame, and 2.2 s at 25 fps are 55 frames (with floats: 56).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

from a1_reactor.types.rational import Rational, parse_rational, spell_rational
from reactor_core.errors import SpecError

__all__ = ["Window", "merge_windows"]


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Frames ``[start, stop)`` of a clip."""

    start: int
    """First frame inside."""
    stop: int
    """First frame behind."""
    asked_s: tuple[Fraction, Fraction] | None = field(default=None, compare=False)
    """The seconds that were asked for, or None where frames were. No part of equality."""

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise SpecError(
                f"window [{self.start}, {self.stop}) holds no frame",
                remedy="a window starts at 0 or later and ends after it starts",
            )

    @classmethod
    def from_seconds(cls, start_s: Rational, end_s: Rational, fps: Rational) -> Window:
        """The frames whose times lie in ``[start_s, end_s)``.

        Raises:
            SpecError: The window is empty, starts before 0, or falls between two frames.
        """
        start, end = parse_rational(start_s, name="window start"), parse_rational(end_s, name="window end")
        rate = parse_rational(fps, name="fps")
        if start < 0 or end <= start:
            raise SpecError(
                f"window {float(start):g}..{float(end):g} s is empty or starts before 0",
                remedy="a window starts at 0 or later and ends after it starts",
            )
        first, behind = math.ceil(start * rate), math.ceil(end * rate)
        if first == behind:
            raise SpecError(
                f"window {float(start):g}..{float(end):g} s holds no frame at {float(rate):g} fps",
                remedy=f"make it at least {float(1 / rate):.4g} s long",
            )
        return cls(first, behind, asked_s=(start, end))

    @property
    def frames(self) -> range:
        """Frame numbers inside."""
        return range(self.start, self.stop)

    def __len__(self) -> int:
        return self.stop - self.start

    def __contains__(self, index: object) -> bool:
        return index in self.frames

    def to_json(self) -> dict[str, Any]:
        asked = None if self.asked_s is None else [spell_rational(value) for value in self.asked_s]
        return {"start_frame": self.start, "stop_frame": self.stop, "asked_seconds": asked}


def merge_windows(windows: Iterable[Window], *, frames: int) -> tuple[Window, ...]:
    """Sort windows and join those that overlap or touch.

    Two windows that touch are one: between them there is no kept frame, so there is no seam to blend.

    Args:
        frames: Length of the clip.

    Raises:
        SpecError: A window ends behind the clip's last frame.
    """
    merged: list[Window] = []
    for window in sorted(windows):
        if window.stop > frames:
            seconds = (
                "" if window.asked_s is None else f" ({' to '.join(f'{float(part):g}' for part in window.asked_s)} s)"
            )
            raise SpecError(
                f"window of frames {window.start}..{window.stop}{seconds} ends outside the clip of {frames} frames",
                remedy="end it at the clip's length, or make the clip longer",
            )
        if merged and window.start <= merged[-1].stop:
            last = merged[-1]
            asked = None
            if last.asked_s is not None and window.asked_s is not None:
                asked = (last.asked_s[0], max(last.asked_s[1], window.asked_s[1]))
            merged[-1] = Window(last.start, max(last.stop, window.stop), asked_s=asked)
        else:
            merged.append(window)
    assert all(a.stop < b.start for a, b in pairwise(merged))
    return tuple(merged)
