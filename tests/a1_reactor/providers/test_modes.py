import pytest

from a1_reactor.providers.modes import anchors_of, pick_mode, shown_frames
from a1_reactor.types import Span, Window
from reactor_core.errors import SpecError

MIDDLE = Span(Window(10, 14), 8, 17, 24)
AT_THE_START = Span(Window(0, 4), 0, 9, 24)
WHOLE = Span(Window(0, 24), 0, 25, 24)


def test_anchors_are_the_ends_of_the_span_where_they_are_kept_frames():
    assert anchors_of(MIDDLE) == (8, 16)
    assert anchors_of(AT_THE_START) == (None, 8)
    assert anchors_of(Span(Window(20, 24), 18, 25, 24)) == (18, None)


@pytest.mark.parametrize(
    ("modes", "span", "mode"),
    [
        ({"full", "first_last", "mask"}, MIDDLE, "mask"),
        ({"full", "first_last"}, MIDDLE, "first_last"),
        ({"first_last"}, AT_THE_START, "first_last"),
        ({"interpolate", "full"}, AT_THE_START, "full"),
        ({"interpolate"}, MIDDLE, "interpolate"),
        ({"full", "mask"}, WHOLE, "full"),
        ({"mask"}, WHOLE, "mask"),
    ],
)
def test_the_mode_that_shows_most_is_picked(modes, span, mode):
    assert pick_mode(modes, span) == mode


@pytest.mark.parametrize(
    ("modes", "span", "problem"),
    [({"interpolate"}, AT_THE_START, "on one side"), ({"first_last"}, WHOLE, "on either side")],
)
def test_a_gap_without_sides_is_refused(modes, span, problem):
    with pytest.raises(SpecError, match=problem):
        pick_mode(modes, span)


def test_a_mode_sends_what_it_needs_and_no_more():
    assert shown_frames(MIDDLE, "full") == []
    assert shown_frames(MIDDLE, "first_last") == [8, 16]
    assert shown_frames(MIDDLE, "interpolate") == [8, 16]
    assert shown_frames(MIDDLE, "mask") == list(range(8, 17))
    assert shown_frames(Span(Window(1, 3), 0, 5, 3), "mask") == [0, 1, 2]
