import pytest

from a1_reactor.engine.locked import LockedClip
from a1_reactor.types import FrameQuantum, Window, grow_window


def spans(*windows, context):
    return [grow_window(window, clip_frames=24, context=context, quantum=FrameQuantum()) for window in windows]


def test_a_provider_sees_the_window_and_its_context_and_no_more(engine, spec):
    clip = engine.generate(spec()).clip
    locked = LockedClip(clip, spans(Window(2, 4), Window(20, 24), context=3))
    seen = []
    for index in range(-1, 30):
        try:
            locked.frame(index)
        except IndexError:
            continue
        seen.append(index)
    assert seen == [0, 1, 2, 3, 4, 5, 6, 17, 18, 19, 20, 21, 22, 23]
    assert locked.origin == clip.job.resolved


def test_the_message_says_which_frame_was_asked_for(engine, spec):
    with pytest.raises(IndexError, match="frame 9"):
        LockedClip(engine.generate(spec()).clip, spans(Window(2, 4), context=0)).frame(9)
