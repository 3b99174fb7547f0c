import numpy as np

from a1_reactor.media.recent import RecentFrames


def test_a_frame_that_is_still_there_is_not_read_again():
    read = []
    frames = RecentFrames(lambda index: read.append(index) or np.full((2, 2, 3), index, np.uint8), limit=24)
    assert [int(frames(index)[0, 0, 0]) for index in (1, 2, 1, 3, 1, 2)] == [1, 2, 1, 3, 1, 2]
    # Two frames of 12 bytes fit; 2 was the one not used for longest when 3 came.
    assert read == [1, 2, 3, 2]


def test_one_frame_is_kept_however_large():
    read = []
    frames = RecentFrames(lambda index: read.append(index) or np.zeros((9, 9, 3), np.uint8), limit=1)
    frames(4), frames(4)
    assert read == [4]


def test_frames_are_read_ahead_as_far_as_they_fit():
    read = []
    frames = RecentFrames(lambda index: read.append(index) or np.zeros((2, 2, 3), np.uint8), limit=30)
    frames.prefetch(range(9))
    assert read == [0, 1]
    frames(0), frames(1)
    assert read == [0, 1]
