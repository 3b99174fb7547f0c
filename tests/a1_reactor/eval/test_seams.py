import numpy as np
import pytest

from a1_reactor.eval.measures import Measures, table_of
from a1_reactor.eval.pairs import Pair
from a1_reactor.eval.seams import Typical, measure_seams
from a1_reactor.types import Window


def pair(residual, colour=1.0):
    return Pair(l1=0, residual=residual, unexplained=0, colour=colour, motion=0, luma=0)


def typical(pairs):
    return Typical.of(Measures(table_of(pairs), np.zeros((len(pairs) + 1, 12, 12, 3), np.uint8)))


OLD = typical([pair(2.0)] * 9)
# The ratio has a floor of a quarter level above and below: (r + 0.25) / (2 + 0.25).


def test_both_joins_are_measured_against_the_old_clips_median():
    new = {3: pair(6.5, 3.5), 4: pair(2), 5: pair(2), 6: pair(4.25)}
    seams = measure_seams(Window(3, 6), 10, new, OLD)
    assert (seams.left, seams.right) == (pytest.approx(3.0), pytest.approx(2.0))
    assert seams.colour_left == pytest.approx(3.75 / 1.25)
    assert seams.worst == pytest.approx(3.0)
    assert seams.worst_inside == pytest.approx(3.0)


def test_a_cut_that_the_clip_has_itself_is_no_seam():
    with_cut = typical([pair(2.0)] * 5 + [pair(20.0, 9.0)] + [pair(2.0)] * 3)
    seams = measure_seams(Window(2, 6), 10, {2: pair(2), 6: pair(20, 9)}, with_cut)
    assert (seams.right, seams.colour_right) == (1, 1)
    assert measure_seams(Window(2, 5), 10, {2: pair(2), 5: pair(20)}, with_cut).right == pytest.approx(9)


def test_a_window_at_the_clips_edge_has_no_join_there():
    assert measure_seams(Window(0, 3), 10, {1: pair(2), 2: pair(2), 3: pair(2)}, OLD).left is None
    assert measure_seams(Window(7, 10), 10, {7: pair(2), 8: pair(2), 9: pair(2)}, OLD).right is None


def test_the_whole_clip_has_no_join_at_all():
    seams = measure_seams(Window(0, 10), 10, {i: pair(2) for i in range(1, 10)}, OLD)
    assert seams.worst is None


def test_an_image_has_no_seams():
    assert measure_seams(Window(0, 1), 1, {}, typical([])).to_json()["worst_inside"] is None
