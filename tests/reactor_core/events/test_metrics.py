from __future__ import annotations

import pytest

from reactor_core.events.metrics import Histogram, Sample, by_name


def test_a_histogram_counts_below_each_bound() -> None:
    histogram = Histogram((1, 10))
    for value in (0.5, 1, 2, 11):
        histogram.observe(value)
    assert histogram.cumulative() == [(1, 2), (10, 3), (float("inf"), 4)]
    assert histogram.count == 4
    assert histogram.total == pytest.approx(0.5 + 1 + 2 + 11)


def test_samples_of_one_name_stand_together() -> None:
    first = Sample("lag", "gauge", "Lag.", 1, {"relay": "a"})
    other = Sample("rows", "counter", "Rows.", 5)
    second = Sample("lag", "gauge", "Lag.", 2, {"relay": "b"})
    assert by_name([first, other, second]) == {"lag": [first, second], "rows": [other]}
