"""The scores say of the reference scene what a person would; its seams are in engine/test_blend_plan.py."""

import numpy as np
import pytest

from a1_reactor.eval.consistency import summarize
from a1_reactor.eval.measures import measure_clip
from a1_reactor.eval.reference import ReferenceScene
from a1_reactor.types import Window

SMALL = ReferenceScene(side=192, frames=16, window=Window(5, 11))


def measured(scene, draw):
    return measure_clip(draw(index) for index in range(scene.frames))


def test_scores_rank_a_good_take_a_cut_to_another_shot_and_noise():
    good = summarize(measured(SMALL, SMALL.old).table)
    cut = summarize(measured(SMALL, lambda index: (SMALL.old if index < 8 else SMALL.other)(index)).table)
    noise = summarize(measured(SMALL, SMALL.noise).table)
    assert good.score > 0.85 > 0.45 > cut.score > 0.1 > noise.score
    assert (good.cuts, cut.cuts) == ((), (8,))


def test_equal_scenes_are_equal_and_the_takes_differ_only_as_said():
    again = ReferenceScene(side=192, frames=16, window=Window(5, 11))
    assert np.array_equal(again.new(6), SMALL.new(6))
    cast = (SMALL.new(6).astype(int) - SMALL.old(6)).mean(axis=(0, 1))
    assert cast == pytest.approx([12, -4, -8], abs=1.5)
