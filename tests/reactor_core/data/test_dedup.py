"""Shingles, Jaccard similarity and the search for near-duplicates, against brute force."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.data.dedup import MISS_PROBABILITY, banding, jaccard, minhash, near_duplicates, shingles

texts = st.lists(st.text(alphabet="abc ", max_size=24), max_size=12)


def brute_force(a: list[str], b: list[str], threshold: float) -> set[tuple[int, int]]:
    return {
        (i, j)
        for i, left in enumerate(a)
        for j, right in enumerate(b)
        if jaccard(shingles(left), shingles(right)) >= threshold
    }


def test_shingles_are_all_substrings_of_length_n():
    assert shingles("rm -rf", n=5) == {"rm -r", "m -rf"}


def test_text_shorter_than_n_is_its_own_shingle():
    assert shingles("ls", n=5) == {"ls"}


def test_empty_text_has_no_shingle():
    assert shingles("") == frozenset()


def test_shingle_of_no_character_is_refused():
    with pytest.raises(ValueError, match="n=0"):
        shingles("ls", n=0)


def test_jaccard_of_one_shared_shingle_among_three():
    # {abcde, bcdef} and {abcde, bcdeg}: one in common, three in the union.
    assert jaccard(shingles("abcdef"), shingles("abcdeg")) == pytest.approx(1 / 3)


def test_two_empty_sets_are_equal():
    assert jaccard(frozenset(), frozenset()) == 1.0


@given(st.text(max_size=30), st.text(max_size=30))
def test_jaccard_is_symmetric_and_bounded(a: str, b: str):
    forth, back = jaccard(shingles(a), shingles(b)), jaccard(shingles(b), shingles(a))
    assert forth == back
    assert 0.0 <= forth <= 1.0


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.7, 0.9, 1.0])
def test_banding_bounds_the_miss_at_the_threshold(threshold: float):
    bands, rows = banding(threshold)
    # (1 - s^r)^b, Leskovec et al., section 3.4.2; the tolerance is for rounding alone.
    assert (1 - threshold**rows) ** bands <= MISS_PROBABILITY * (1 + 1e-9)


@pytest.mark.parametrize("threshold", [0.0, -0.1, 1.01])
def test_threshold_outside_the_unit_interval_is_refused(threshold: float):
    with pytest.raises(ValueError, match="threshold"):
        near_duplicates(["a"], ["a"], threshold)


def test_share_of_equal_minima_estimates_the_similarity():
    permutations = 4096
    left, right = minhash([shingles("abcdef"), shingles("abcdeg")], permutations)
    # A binomial share with p = 1/3; five standard deviations.
    assert (left == right).mean() == pytest.approx(1 / 3, abs=5 * math.sqrt(2 / 9 / permutations))


@settings(deadline=None, max_examples=60)
@given(texts, texts, st.sampled_from([0.3, 0.5, 0.7, 0.95]))
def test_near_duplicates_agree_with_brute_force(a: list[str], b: list[str], threshold: float):
    found = near_duplicates(a, b, threshold)
    # Two empty texts count as equal in both.
    assert {(pair.index_a, pair.index_b) for pair in found} == brute_force(a, b, threshold)


def test_reported_similarity_is_exact_and_sorted_by_position():
    found = near_duplicates(["git push origin main", "ls -la"], ["ls -la", "git push origin mail"], 0.5)
    # 16 shingles each; the last one differs: 15 in common, 17 in the union.
    assert found == [(0, 1, 15 / 17), (1, 0, 1.0)]


def test_no_texts_have_no_duplicates():
    assert near_duplicates([], ["a"]) == []
    assert near_duplicates(["a"], []) == []
