from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from a1_reactor.types import parse_moment, window_between
from reactor_core.errors import SpecError

NTSC = Fraction(30000, 1001)
FILM = Fraction(24000, 1001)


@pytest.mark.parametrize(
    ("value", "fps", "frame"),
    [
        ("19f", 24, 19),
        (" 0 f", 24, 0),
        ("00:00:01:12", 24, 36),
        ("01:00:00:00", 25, 90_000),
        # At 23.976 a second of time code has 24 frames, and lasts 1.001 s.
        ("00:00:01:00", FILM, 24),
        # SMPTE ST 12-1: frames 0 and 1 of a minute are left out, but not of each tenth.
        ("00:00:59;29", NTSC, 1799),
        ("00:01:00;02", NTSC, 1800),
        ("00:10:00;00", NTSC, 17_982),
        ("01:00:00;00", NTSC, 107_892),
        ("00:01:00;04", Fraction(60000, 1001), 3600),
    ],
)
def test_frames_and_time_codes_are_the_moment_of_a_frame(value, fps, frame):
    assert parse_moment(value, Fraction(fps), name="start") * fps == frame


def test_anything_else_is_seconds():
    assert parse_moment("0:01.5", Fraction(24), name="start") == Fraction(3, 2)
    assert parse_moment(0.8, Fraction(24), name="start") == Fraction(4, 5)


@pytest.mark.parametrize(
    ("value", "fps", "says"),
    [
        ("00:00:01:24", 24, "has 24"),
        ("00:00:01;12", 24, "write a colon"),
        ("00:01:00;01", NTSC, "00:01:00;02"),
        ("1:2:3:4:5", 24, "no finite number"),
        ("19 frames", 24, "no finite number"),
    ],
)
def test_what_is_no_moment_is_refused_with_the_remedy(value, fps, says):
    with pytest.raises(SpecError) as caught:
        parse_moment(value, Fraction(fps), name="start")
    assert says in f"{caught.value.message} {caught.value.remedy}"


@settings(max_examples=40)
@given(st.integers(0, 200_000), st.integers(1, 500), st.sampled_from([Fraction(24), Fraction(25), FILM, NTSC]))
def test_a_window_of_frames_is_these_frames_at_any_rate(start, length, fps):
    window = window_between(f"{start}f", f"{start + length}f", fps)
    assert (window.start, window.stop) == (start, start + length)


@settings(max_examples=40)
@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(2, 29))
def test_drop_frame_code_stays_within_two_frames_of_the_clock(hours, minutes, seconds, frames):
    # 29.97 is 108000 - 107892 = 108 frames an hour short of 30; drop-frame code leaves out 108 numbers an hour.
    code = f"{hours:02d}:{minutes:02d}:{seconds:02d};{frames:02d}"
    clock = hours * 3600 + minutes * 60 + seconds + Fraction(frames, 30)
    assert abs(parse_moment(code, NTSC, name="start") - clock) <= 2 / NTSC + Fraction(hours * 36, 10_000)


def test_a_window_needs_a_rate():
    with pytest.raises(SpecError, match="fps=0"):
        window_between(0, 1, 0)
