from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.eval.paired import POWER, paired_test
from reactor_core.eval.statistics import mcnemar_exact

# scipy 1.17.1: permutation_test((gains,), mean, permutation_type="samples"), every pattern for the first sample
# (n_resamples=inf), 400,000 random ones for the second.
FEW = [0.576, 1.001, -0.145, -0.776, 0.326, 0.247, 1.706, 1.047, 0.494, 1.412, 0.094, -0.626]
FEW_P = 0.0693359375
MANY = [
    0.834, 0.833, 0.035, -0.533, 0.479, -2.244, 0.94, 0.741, -1.389, 0.311, -0.714, 1.007, -1.784, -0.664, 0.96, 1.406,
    -1.908, -0.248, 0.578, -0.359, 1.841, -0.941, 0.605, -0.798, 1.656, 0.228, -0.122, -1.468, 1.932, 1.003, 1.004,
    1.388, 0.599, -0.389, -0.55, -0.55, 1.62, -1.21, -0.346, -0.071, 0.475, 0.825, -0.999, -1.48, 0.246, 1.464, 1.007,
    0.466, -0.067, 0.543, 0.007, 1.067, -0.544, 0.384, 0.139, 0.793, 0.475, 2.8, 1.749, 1.747,
]  # fmt: skip
MANY_P = 0.0753


def test_few_gains_are_tested_exactly_as_by_scipy():
    test = paired_test(FEW)
    assert test.name == "exact permutation test"
    assert test.p_value == pytest.approx(FEW_P, rel=1e-12)


def test_many_gains_are_tested_as_by_scipy():
    test = paired_test(MANY)
    assert test.name == "permutation test"
    assert test.p_value == pytest.approx(MANY_P, abs=0.006)  # three standard errors of 20,000 patterns
    assert (test.gained, test.lost, test.rows) == (37, 23, 60)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_right_and_wrong_answers_give_the_p_value_of_mcnemar(pairs: list[tuple[bool, bool]]):
    first, second = np.array(pairs).T
    test = paired_test(first.astype(float) - second)
    expected = mcnemar_exact(first, second)
    assert test.name == "exact sign test"
    assert (test.p_value, test.gained, test.lost) == (expected.p_value, expected.only_first, expected.only_second)


def test_wins_and_losses_give_the_p_value_of_the_sign_test():
    # scipy 1.17.1: binomtest(9, 11).pvalue; ties are left out.
    assert paired_test([0.5] * 9 + [-0.5] * 2 + [0.0] * 30).p_value == pytest.approx(0.0654296875)


@settings(max_examples=40)
@given(st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=9))
def test_the_exact_test_counts_every_pattern_of_signs(gains: list[float]):
    moved = [gain for gain in gains if gain]
    totals = [
        abs(sum(s * g for s, g in zip(signs, moved, strict=True))) for signs in product([1, -1], repeat=len(moved))
    ]
    expected = sum(total >= abs(sum(moved)) for total in totals) / len(totals)
    assert paired_test(gains).p_value == pytest.approx(expected)


@settings(max_examples=40)
@given(st.lists(st.floats(-10, 10).map(lambda gain: round(gain, 9)), min_size=1, max_size=12), st.floats(0.01, 100))
def test_the_p_value_depends_on_neither_unit_nor_side(gains: list[float], factor: float):
    p = paired_test(gains).p_value
    assert paired_test([-gain for gain in gains]).p_value == pytest.approx(p)
    assert paired_test([gain * factor for gain in gains]).p_value == pytest.approx(p)


def test_repeating_a_prompt_adds_no_evidence():
    gains = [1.0, 0.4, 0.7, 0.2, 0.9, -0.1]
    clusters = [n // 10 for n in range(60)]
    repeated = paired_test([gain for gain in gains for _ in range(10)], clusters=clusters)
    assert repeated.p_value == pytest.approx(paired_test(gains).p_value)
    assert (repeated.rows, repeated.clusters) == (60, 6)
    assert not repeated.significant


def test_a_gain_is_significant_and_a_loss_is_not():
    assert paired_test([1.0] * 6).significant  # 2 / 2^6 = 0.031
    assert not paired_test([1.0] * 5).significant  # 2 / 2^5 = 0.0625
    assert not paired_test([-1.0] * 6).significant


def test_the_gain_is_that_of_the_weighted_mean():
    test = paired_test([2.0, 4.0, 1.0, 2.0], [1.0, 3.0, 2.0, 4.0])
    assert test.gain.mean == pytest.approx(0.9)
    assert test.gain.low <= 0.9 <= test.gain.high


def test_chance_alone_is_seldom_significant():
    rng = np.random.default_rng(5)
    found = [paired_test(rng.standard_t(3, 12), seed=n).p_value < 0.05 for n in range(200)]
    assert np.mean(found) < 0.10  # 0.05 and three standard errors


def test_the_rows_that_are_said_to_be_needed_are_about_enough():
    rng = np.random.default_rng(8)
    pilot = rng.normal(0.3, 1.0, 400)
    pilot += 0.3 - pilot.mean()
    needed = paired_test(pilot).rows_needed
    # (1.960 + 0.842)^2 / 0.3^2 = 87 for a spread of 1.
    assert needed == pytest.approx(87, rel=0.15)
    found = [paired_test(rng.normal(0.3, 1.0, needed), seed=n).significant for n in range(60)]
    assert np.mean(found) == pytest.approx(POWER, abs=0.16)


def test_the_smallest_gain_that_shows_follows_from_the_spread():
    gains = np.array([1.0, -1.0] * 50)
    # Standard error sqrt(100 / 99) / 10.
    assert paired_test(gains).detectable == pytest.approx((1.959964 + 0.841621) * 0.100504, rel=1e-4)


def test_even_gains_need_as_many_rows_as_signs_do():
    assert paired_test([1.0] * 5).rows_needed == 6
    assert paired_test([0.0, 0.0]).rows_needed is None
    assert paired_test([-1.0, 0.5]).rows_needed is None


def test_one_prompt_alone_shows_nothing():
    test = paired_test([1.0, 2.0], clusters=["a", "a"])
    assert (test.detectable, test.rows_needed, test.significant) == (None, None, False)


def test_equal_arguments_give_equal_results():
    assert paired_test(MANY, seed=3) == paired_test(MANY, seed=3)
    assert paired_test(MANY).as_dict()["p_value"] == paired_test(MANY).p_value


@pytest.mark.parametrize("alpha", [0.0, 1.0, 5.0])
def test_a_level_outside_the_unit_interval_is_refused(alpha: float):
    with pytest.raises(ValueError, match="alpha"):
        paired_test([1.0], alpha=alpha)
