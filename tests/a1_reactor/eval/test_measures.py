import json

import numpy as np
import pytest

from a1_reactor.eval.measures import COLUMNS, Measures, Meter, measure_clip, table_of
from a1_reactor.eval.pairs import Pair, measure, proxy_of

ONE_PAIR = {name: [0.0] for name in COLUMNS}


def flat(level):
    return np.full((64, 96, 3), level, np.uint8)


@pytest.fixture
def measures():
    return measure_clip([flat(level) for level in (100, 90, 90, 70)])


def test_one_pair_fewer_than_frames(measures):
    assert (measures.frames, len(measures.table)) == (4, 3)
    image = measure_clip([flat(1)])
    assert (image.frames, image.table.shape) == (1, (0, len(COLUMNS)))


def test_columns_hold_what_the_pairs_say(measures):
    assert measures.column("l1") * 255 == pytest.approx([10, 0, 20])
    assert measures.column("luma") == pytest.approx([90, 90, 70])
    assert table_of([measure(proxy_of(flat(100)), proxy_of(flat(90)))]) == pytest.approx(measures.table[:1])


def test_a_table_is_read_back_from_json(measures):
    columns = json.loads(json.dumps(measures.pairs_to_json()))
    again = Measures.parse(columns, measures.cells)
    assert again.table == pytest.approx(measures.table, abs=1e-6)
    assert Measures.parse(again.pairs_to_json(), measures.cells).pairs_to_json() == columns


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ({}, np.zeros((4, 12, 12, 3), np.uint8)),
        (ONE_PAIR, np.zeros((4, 12, 12, 3), np.uint8)),
        (ONE_PAIR, np.zeros((2, 12, 12, 3), np.float32)),
        (ONE_PAIR, np.zeros((2, 8, 8, 3), np.uint8)),
        ({**ONE_PAIR, "l1": [0.0, 0.0]}, np.zeros((2, 12, 12, 3), np.uint8)),
    ],
)
def test_what_does_not_fit_together_is_refused(columns, cells):
    with pytest.raises((KeyError, ValueError)):
        Measures.parse(columns, cells)


def test_what_was_measured_anew_takes_the_place_of_the_old_and_nothing_else(measures):
    pair = Pair(l1=0.5, residual=1, unexplained=1, colour=1, motion=1, luma=1)
    new = measures.changed({2: pair}, {3: np.full((12, 12, 3), 7, np.uint8)})
    assert new.column("l1")[1] == 0.5
    assert np.array_equal(new.table[[0, 2]], measures.table[[0, 2]])
    assert (new.cells[3] == 7).all()
    assert np.array_equal(new.cells[:3], measures.cells[:3])
    assert measures.column("l1")[1] == 0


def test_a_meter_keeps_one_frame():
    meter = Meter()
    for level in (1, 2, 3):
        meter.add(flat(level))
    assert meter._previous.frame[0, 0, 0] == 3
    assert meter.measures().frames == 3
