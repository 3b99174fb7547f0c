from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.eval.statistics import bootstrap_interval, mcnemar_exact


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
