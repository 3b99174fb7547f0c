from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.engine.report import clip_report, frame_ranges, pairs_of_report
from a1_reactor.eval.pairs import Pair
from a1_reactor.types import JobSpec
from reactor_core.errors import ArtifactCorrupt

PAIR = Pair(l1=0.1, residual=1.0, unexplained=0.1, colour=1.0, motion=1.0, luma=100.0)


def test_the_fields_of_the_first_prototype_are_there():
    report = clip_report(JobSpec(prompt="x", seconds="3/24"), [PAIR, PAIR], decoded_frames=3)
    assert (report["fps"], report["num_frames"]) == (24.0, 3)
    assert {"mean_l1", "p95_l1", "note"} <= set(report["temporal_consistency"])


def test_a_child_reads_its_parents_pairs():
    report = clip_report(JobSpec(prompt="x", seconds="3/24"), [PAIR, PAIR], decoded_frames=3)
    assert pairs_of_report(report, 3) == [PAIR, PAIR]


@pytest.mark.parametrize("report", [{}, {"pairs": [{}]}, {"pairs": 3}, {"pairs": []}])
def test_a_report_of_another_clip_is_refused(report):
    with pytest.raises(ArtifactCorrupt, match="parent"):
        pairs_of_report(report, 3)


@given(st.sets(st.integers(0, 40)))
def test_ranges_hold_exactly_the_numbers(numbers):
    ranges = frame_ranges(numbers)
    assert sorted(numbers) == [i for start, stop in ranges for i in range(start, stop)]
    assert all(left[1] < right[0] for left, right in pairwise(ranges))
