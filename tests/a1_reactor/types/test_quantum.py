import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from a1_reactor.types import FrameQuantum, Span, Window, grow_window
from reactor_core.errors import SpecError

WAN = FrameQuantum(step=4, offset=1, maximum=81)


def test_amounts_are_those_of_the_formula():
    assert [WAN.at_least(n) for n in (1, 2, 5, 6, 81, 82)] == [1, 5, 5, 9, 81, None]
    assert [WAN.at_most(n) for n in (1, 4, 5, 100)] == [1, 1, 5, 81]
    assert FrameQuantum(step=17, minimum=5).at_least(1) == 17
    assert FrameQuantum(minimum=3).at_most(2) is None


def test_an_amount_reads_as_a_formula():
    assert str(WAN) == "4n+1 up to 81"
    assert str(FrameQuantum(step=17)) == "17n"
    assert str(FrameQuantum(minimum=2)) == "any number from 2"


def test_a_window_in_the_middle_grows_on_both_sides():
    span = grow_window(Window(30, 42), clip_frames=72, context=3, quantum=WAN)
    assert (span.start, span.stop) == (26, 47)  # 12 + 2 * 3 = 18, and 21 is the next 4n + 1
    assert span.to_json() == {"asked": [30, 42], "used": [26, 47]}


def test_at_the_clip_s_edge_the_other_side_grows():
    assert grow_window(Window(0, 4), clip_frames=72, context=0, quantum=WAN) == Span(Window(0, 4), 0, 5, 72)
    assert grow_window(Window(70, 72), clip_frames=72, context=0, quantum=WAN) == Span(Window(70, 72), 67, 72, 72)


def test_behind_a_clip_that_is_too_short_its_last_frame_stands_again():
    span = grow_window(Window(0, 3), clip_frames=3, context=2, quantum=WAN)
    assert span.indices == [0, 1, 2, 2, 2]
    assert span.context == []


def test_context_gives_way_to_the_model_s_limit_down_to_one_frame_a_side():
    assert len(grow_window(Window(30, 39), clip_frames=72, context=8, quantum=FrameQuantum(maximum=12))) == 12
    with pytest.raises(SpecError, match="mark at most 8 frames"):
        grow_window(Window(30, 39), clip_frames=72, context=8, quantum=FrameQuantum(maximum=10))


@given(st.data())
def test_a_span_covers_its_window_in_the_smallest_amount_and_leaves_the_clip_only_where_it_must(data):
    clip = data.draw(st.integers(1, 60))
    start = data.draw(st.integers(0, clip - 1))
    window = Window(start, data.draw(st.integers(start + 1, clip)))
    step = data.draw(st.integers(1, 17))
    quantum = FrameQuantum(step=step, offset=data.draw(st.integers(0, step - 1)), minimum=data.draw(st.integers(1, 9)))
    context = data.draw(st.integers(0, 9))
    span = grow_window(window, clip_frames=clip, context=context, quantum=quantum)
    assert 0 <= span.start <= window.start < window.stop <= span.stop
    assert len(span) == quantum.at_least(len(span)) == len(span.indices)
    left, right = min(context, window.start), min(context, clip - window.stop)
    assert len(span) == quantum.at_least(left + len(window) + right)
    assert span.stop <= clip or span.start == 0
    assert sorted({*span.context, *window.frames}) == sorted(set(span.indices))


@given(st.integers(1, 40), st.integers(0, 9), st.integers(3, 40))
def test_a_limit_is_kept_and_leaves_a_frame_of_context_on_each_side(length, context, limit):
    window, quantum = Window(20, 20 + length), FrameQuantum(maximum=limit)
    assume(length + 2 * min(1, context) <= limit)
    span = grow_window(window, clip_frames=100, context=context, quantum=quantum)
    assert len(span) <= limit
    assert span.start <= 20 - min(1, context)
    assert span.stop >= 20 + length + min(1, context)
