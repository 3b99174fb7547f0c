"""Moments of a clip as people write them: seconds, frame numbers, or the time codes of cameras and editors."""

from __future__ import annotations

import re
from fractions import Fraction

from a1_reactor.types.rational import Rational, parse_rational
from a1_reactor.types.window import Window
from reactor_core.errors import SpecError

__all__ = ["parse_moment", "window_between"]

_FRAME = re.compile(r"(\d{1,9})\s*f")
_SMPTE = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d)([:;])(\d{2,3})")

_DROP_RATES = {Fraction(30000, 1001): 2, Fraction(60000, 1001): 4}
"""Rates with drop-frame time codes, and how many frame numbers a minute leaves out (SMPTE ST 12-1)."""


def parse_moment(value: Rational, fps: Fraction, *, name: str) -> Fraction:
    """Seconds from the start of a clip, exactly.

    Text may be ``"19f"`` (the moment of frame 19), ``"00:00:01:12"`` (hours, minutes, seconds, frames),
    ``"00:01:00;02"`` (the same as drop-frame code, at 29.97 and 59.94 frames per second only), or whatever
    :func:`parse_rational` takes as seconds. A time code with frames counts whole frames at the rate rounded up, as
    editors do: at 23.976 frames per second, ``"00:00:01:00"`` is frame 24.

    Args:
        name: The option, for the error message.

    Raises:
        SpecError: It is none of these, or its frame number does not exist at this rate.
    """
    if isinstance(value, str):
        text = value.strip()
        if match := _FRAME.fullmatch(text):
            return int(match[1]) / fps
        if match := _SMPTE.fullmatch(text):
            return _smpte_frame(match, fps, name) / fps
    return parse_rational(value, name=name)


def window_between(start: Rational, end: Rational, fps: Rational) -> Window:
    """The frames from one moment up to another, which is outside.

    Raises:
        SpecError: A moment cannot be read, or there is no frame between them.
    """
    rate = parse_rational(fps, name="fps")
    if rate <= 0:
        raise SpecError(f"fps={float(rate):g} is not above 0", remedy="24, 25 and 30 are usual")
    begin, behind = parse_moment(start, rate, name="window start"), parse_moment(end, rate, name="window end")
    return Window.from_seconds(begin, behind, rate)


def _smpte_frame(match: re.Match[str], fps: Fraction, name: str) -> int:
    hours, minutes, seconds, frames = (int(match[group]) for group in (1, 2, 3, 5))
    nominal = -(-fps.numerator // fps.denominator)
    if frames >= nominal:
        raise SpecError(
            f"{name}={match[0]!r} names frame {frames} of a second that has {nominal}",
            remedy=f"frames of a second are 00 to {nominal - 1:02d} at {float(fps):g} fps",
        )
    count = ((hours * 60 + minutes) * 60 + seconds) * nominal + frames
    if match[4] == ":":
        return count
    dropped = _DROP_RATES.get(fps)
    if dropped is None:
        raise SpecError(
            f"{name}={match[0]!r} is a drop-frame time code, and {float(fps):g} fps has none",
            remedy="write a colon before the frames; drop-frame code exists at 30000/1001 and 60000/1001",
        )
    if seconds == 0 and minutes % 10 and frames < dropped:
        raise SpecError(
            f"{name}={match[0]!r} is a frame number that drop-frame code leaves out",
            remedy=f"the minute begins with {match[1]}:{match[2]}:00;{dropped:02d}",
        )
    passed = hours * 60 + minutes
    return count - dropped * (passed - passed // 10)
