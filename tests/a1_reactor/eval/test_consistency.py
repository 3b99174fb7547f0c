"""The scores must know a good take from a bad one; the first prototype's did not."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.eval.consistency import SEAM_GOAL, seam_ratio, summarize
from a1_reactor.eval.measures import measure_clip, table_of
from a1_reactor.eval.pairs import Pair
from a1_reactor.prompts import resolve
from a1_reactor.providers.mock import MockProvider
from a1_reactor.types import JobSpec


@cache
def frames_of(seed=0):
    job = JobSpec(prompt="golden hour, handheld", seconds="2/3", width=192, height=192, seed=seed)
    return tuple(MockProvider().generate_frames(resolve(job)))


def score(frames):
    return summarize(measure_clip(frames).table)


@pytest.fixture(scope="module")
def good():
    return frames_of()


def test_a_steady_take_scores_well(good):
    summary = score(good)
    assert summary.score > 0.75
    assert summary.worst_ratio < SEAM_GOAL
    assert summary.cuts == ()


def test_noise_scores_near_nothing():
    rng = np.random.default_rng(0)
    summary = score([rng.integers(0, 256, (192, 192, 3), dtype=np.uint8) for _ in range(12)])
    assert summary.score < 0.05
    assert summary.warp_error > 0.9


def test_a_hard_cut_scores_badly_and_is_found(good):
    cut = good[:8] + frames_of(8)[8:]
    summary = score(cut)
    assert summary.score < 0.5 * score(good).score
    assert summary.cuts == (8,)


def test_the_kept_number_is_blind_to_the_cut(good):
    # Why there is a score beside it: the mean moves by far less than the score.
    cut = good[:8] + frames_of(8)[8:]
    assert score(cut).mean_l1 < 3 * score(good).mean_l1


def test_a_window_of_another_colour_scores_worse(good):
    shifted = [
        np.clip(frame.astype(int) + np.array([12, -4, -8]), 0, 255).astype(np.uint8) if 5 <= index < 11 else frame
        for index, frame in enumerate(good)
    ]
    assert score(shifted).score < score(good).score


def test_flicker_is_seen(good):
    flickering = [np.clip(frame.astype(int) + 6 * (i % 2), 0, 255).astype(np.uint8) for i, frame in enumerate(good)]
    # Brightness goes up and down by 6 levels: its second difference is 4 * 6 / 2 = 12 a step.
    assert score(flickering).flicker == pytest.approx(12, abs=1.5)
    assert score(good).flicker < 1


def test_a_still_clip_is_perfectly_consistent():
    summary = score([np.full((64, 96, 3), 80, np.uint8)] * 5)
    assert (summary.score, summary.motion, summary.mean_l1, summary.worst_ratio) == (1, 0, 0, 1)


def test_motion_in_bursts_has_more_energy_than_the_same_motion_spread_out():
    def energy(motions):
        return summarize(table_of(Pair(0, 1, 0.1, 1, motion, 100) for motion in motions)).motion_energy

    assert (energy([2, 2]), energy([4, 0])) == (4, 8)


def test_mean_and_percentile_are_those_of_the_pairs():
    pairs = [Pair(l1=i / 100, residual=1, unexplained=0.1, colour=1, motion=1, luma=100) for i in range(1, 21)]
    summary = summarize(table_of(pairs))
    assert summary.mean_l1 == pytest.approx(0.105)
    assert summary.p95_l1 == pytest.approx(0.1905)  # linear between the 19th and the 20th of 20 values


def test_an_image_has_nothing_to_say_about_time():
    summary = summarize(table_of([]))
    assert summary.score is None
    assert summary.to_json()["cuts"] == []


@given(st.lists(st.floats(0, 255), min_size=1, max_size=30))
def test_scores_stay_between_nothing_and_one(residuals):
    pairs = [Pair(l1=0, residual=r, unexplained=r / 50, colour=0, motion=0, luma=0) for r in residuals]
    assert 0 <= summarize(table_of(pairs)).score <= 1


def test_a_ratio_of_equal_values_is_one_even_at_zero():
    assert seam_ratio(0, 0) == 1
    assert seam_ratio(3, 3) == 1
