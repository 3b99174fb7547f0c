import numpy as np

from a1_reactor.media.filmstrip import draw_filmstrip, strip_frames


def test_both_joins_are_shown_with_their_neighbours():
    shown = strip_frames(20, 39, 72)
    assert {19, 20, 38, 39} <= set(shown)
    assert shown == sorted(shown)


def test_only_frames_of_the_clip_are_shown():
    assert strip_frames(0, 3, 3) == [0, 1, 2]
    assert strip_frames(0, 1, 1) == [0]


def test_marked_frames_have_an_orange_border_and_others_a_dark_one():
    strip = draw_filmstrip([4, 5], lambda i: np.full((20, 30, 3), i, np.uint8), marked={5}, height=20)
    # Each picture is 30x20 with a border of 4, and 4 pixels of white between them.
    assert strip.shape == (28, 2 * 38 + 4, 3)
    assert tuple(strip[0, 0]) == (40, 40, 40)
    assert tuple(strip[0, 42]) == (255, 140, 0)
    assert tuple(strip[14, 40]) == (255, 255, 255)
    assert tuple(strip[14, 19]) == (4, 4, 4)
