from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.eval import statistics
from reactor_core.eval.statistics import bootstrap_interval, by_cluster, mcnemar_exact


def answers(both: int, only_first: int, only_second: int, neither: int) -> tuple[list[bool], list[bool]]:
    first = [True] * both + [True] * only_first + [False] * only_second + [False] * neither
    second = [True] * both + [False] * only_first + [True] * only_second + [False] * neither
    return first, second


def test_p_value_of_one_against_nine_is_two_tails_of_the_binomial():
    # P(X <= 1 | n = 10, 1/2) = (1 + 10) / 1024, doubled.
    result = mcnemar_exact(*answers(5, 9, 1, 5))
    assert (result.only_first, result.only_second) == (9, 1)
    assert result.p_value == pytest.approx(22 / 1024, rel=1e-12)


def test_p_value_of_all_twenty_differences_on_one_side():
    assert mcnemar_exact(*answers(0, 20, 0, 0)).p_value == pytest.approx(2 / 2**20, rel=1e-12)


def test_an_even_split_is_capped_at_one():
    assert mcnemar_exact(*answers(3, 4, 4, 3)).p_value == 1.0


def test_equal_answers_do_not_differ():
    assert mcnemar_exact(*answers(7, 0, 0, 2)).p_value == 1.0


def test_thousands_of_differences_do_not_overflow():
    p = mcnemar_exact(*answers(0, 3000, 2000, 0)).p_value
    assert 0.0 < p < 1e-40


@given(st.integers(0, 30), st.integers(0, 30))
def test_p_value_agrees_with_exact_fractions(b: int, c: int):
    n = b + c
    tail = Fraction(sum(comb(n, k) for k in range(min(b, c) + 1)), 2**n)
    assert mcnemar_exact(*answers(2, b, c, 1)).p_value == pytest.approx(float(min(Fraction(1), 2 * tail)))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_swapping_the_sides_keeps_the_p_value(pairs: list[tuple[bool, bool]]):
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    assert mcnemar_exact(first, second).p_value == mcnemar_exact(second, first).p_value


def test_different_numbers_of_rows_are_refused():
    with pytest.raises(ValueError, match="first has 2 rows and second 1"):
        mcnemar_exact([True, False], [True])


def test_interval_of_a_share_is_near_the_normal_approximation():
    # 400 rows at 0.7: standard error sqrt(0.7 * 0.3 / 400) = 0.0229, so 95 % is 0.7 +- 0.0449.
    interval = bootstrap_interval([1.0] * 280 + [0.0] * 120)
    assert interval.mean == pytest.approx(0.7)
    assert interval.low == pytest.approx(0.6551, abs=0.008)
    assert interval.high == pytest.approx(0.7449, abs=0.008)


def test_interval_is_the_same_for_the_same_seed():
    sample = np.arange(50) % 3 == 0
    assert bootstrap_interval(sample, seed=4) == bootstrap_interval(sample, seed=4)


def test_interval_of_a_constant_sample_has_no_width():
    interval = bootstrap_interval([1.0] * 10)
    assert (interval.low, interval.mean, interval.high) == (1.0, 1.0, 1.0)


def test_a_wider_level_gives_a_wider_interval():
    sample = [1.0] * 60 + [0.0] * 40
    narrow, wide = bootstrap_interval(sample, level=0.8), bootstrap_interval(sample, level=0.99)
    assert wide.low < narrow.low <= narrow.mean <= narrow.high < wide.high


def test_an_empty_sample_is_refused():
    with pytest.raises(ValueError, match="empty"):
        bootstrap_interval([])


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_outside_the_unit_interval_is_refused(level: float):
    with pytest.raises(ValueError, match="level"):
        bootstrap_interval([1.0], level=level)


# Numbers of the next three tests: scipy 1.17.1, scipy.stats.bootstrap with n_resamples=200000 and rng=default_rng(1)
# (default_rng(2) for the ratio, paired=True). 20,000 resamples here leave about 1 % of Monte Carlo error.
SKEWED = [
    7.698, 0.078, 1.519, 0.567, 0.636, 0.806, 0.133, 0.793, 0.421, 27.743, 1.253, 0.703, 0.755, 0.513, 0.348, 0.677,
    1.619, 0.788, 2.606, 0.819, 1.025, 4.692, 1.725, 0.603, 0.833, 1.717, 6.925, 0.764, 0.784, 2.725, 0.412, 0.747,
    2.417, 1.787, 1.096, 1.954, 0.059, 2.777, 0.383, 0.189,
]  # fmt: skip
SUMS = [
    1.77, 9.98, 34.58, 6.96, 17.23, 59.55, 28.67, 51.28, 41.31, 14.31, 44.62, 13.03, 23.74, 7.31, 72.98, 10.47, 4.69,
    30.24, 21.34, 18.52, 13.46, 18.15, 11.24, 12.72, 11.95, 29.53, 49.53, 30.36, 18.47, 34.93,
]  # fmt: skip
TOKENS = [
    29, 47, 27, 32, 6, 48, 20, 33, 35, 13, 18, 29, 10, 53, 24, 36, 13, 58, 30, 5, 24, 23, 17, 47, 59, 42, 15, 35, 30,
    41,
]  # fmt: skip


@pytest.mark.parametrize(("method", "low", "high"), [("percentile", 1.0776, 3.7020), ("bca", 1.2565, 4.8425)])
def test_bounds_of_a_skewed_sample_are_those_of_scipy(method: str, low: float, high: float):
    interval = bootstrap_interval(SKEWED, method=method, resamples=20_000)
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=0.02)


def test_bounds_of_a_ratio_are_those_of_scipy():
    interval = bootstrap_interval(SUMS, TOKENS, method="bca", resamples=20_000)
    assert interval.mean == pytest.approx(sum(SUMS) / sum(TOKENS))
    assert (interval.low, interval.high) == pytest.approx((0.60795, 1.11740), rel=0.02)


def test_bounds_of_a_share_are_those_of_scipy():
    # scipy 1.17.1: (0.16667, 0.5) with n_resamples=2000, rng=default_rng(0).
    interval = bootstrap_interval([n % 3 == 0 for n in range(30)], method="bca")
    assert (interval.low, interval.high) == pytest.approx((1 / 6, 0.5))


def test_rows_of_one_prompt_count_as_one():
    once = [0.2, 0.5, 0.9, 0.1, 0.4]
    twice = [value for value in once for _ in range(4)]
    clusters = [n // 4 for n in range(20)]
    assert bootstrap_interval(twice, clusters=clusters) == bootstrap_interval(once)
    alone = bootstrap_interval(twice)
    assert alone.high - alone.low < 0.7 * (bootstrap_interval(once).high - bootstrap_interval(once).low)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30), st.sampled_from(["percentile", "bca"]))
def test_bounds_lie_inside_the_sample(values: list[float], method: str):
    interval = bootstrap_interval(values, method=method, resamples=50)
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=20), st.floats(0.1, 5), st.floats(-5, 5))
def test_bounds_move_with_the_sample(values: list[float], factor: float, shift: float):
    plain = bootstrap_interval(values, resamples=50)
    moved = bootstrap_interval([factor * value + shift for value in values], resamples=50)
    assert (moved.low, moved.high) == pytest.approx((factor * plain.low + shift, factor * plain.high + shift), abs=1e-9)


@pytest.mark.parametrize("size", [1e-200, 1e-154, 1.0, 1e150])
def test_bounds_follow_the_unit_however_small_or_large(size: float):
    values = [0.0, 1.0, 1.0, 3.0, 8.0]
    plain = bootstrap_interval(values, method="bca")
    scaled = bootstrap_interval([value * size for value in values], method="bca")
    assert (scaled.low / size, scaled.high / size) == pytest.approx((plain.low, plain.high))


def test_a_large_sample_is_drawn_in_parts_with_the_same_result(monkeypatch: pytest.MonkeyPatch):
    sample = np.arange(100.0)
    whole = bootstrap_interval(sample, resamples=500)
    monkeypatch.setattr(statistics, "_CELLS", 1000)
    assert bootstrap_interval(sample, resamples=500) == whole


def test_coverage_is_near_the_level():
    # 300 samples of 60 from a skewed law whose mean is 1; binomial error of the share is 1.3 %.
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(300):
        interval = bootstrap_interval(rng.exponential(1.0, 60), method="bca", resamples=500)
        hits += interval.low <= 1.0 <= interval.high
    assert 0.90 <= hits / 300 <= 0.98


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, -1.0]])
def test_weights_that_count_nothing_are_refused(weights: list[float]):
    with pytest.raises(ValueError, match="weights"):
        bootstrap_interval([1.0, 2.0], weights)


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="finite"):
        bootstrap_interval([1.0, float("nan")])


def test_every_row_needs_a_cluster():
    with pytest.raises(ValueError, match="2 values and 1 clusters"):
        bootstrap_interval([1.0, 2.0], clusters=["a"])
    assert by_cluster(np.array([1.0, 2.0, 3.0]), ["b", "a", "b"]).tolist() == [4.0, 2.0]
