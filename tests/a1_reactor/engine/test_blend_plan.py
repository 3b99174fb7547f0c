"""The cheapest method that reaches the goals, held to them on the reference scene at its own size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from a1_reactor.engine.blend import BlendConfig, blend_window
from a1_reactor.engine.blend_plan import BlendPlanner, plan_blend
from a1_reactor.eval.consistency import COLOUR_GOAL, SEAM_GOAL
from a1_reactor.eval.measures import measure_clip
from a1_reactor.eval.pairs import Pair
from a1_reactor.eval.reference import ReferenceScene
from a1_reactor.eval.seams import Typical, measure_seams
from a1_reactor.types import Window

SCENE = ReferenceScene(side=768, frames=22, window=Window(3, 19))
MIDDLE = Window(4, 12)


class Made:
    """The reference scene, drawn once."""

    def __init__(self):
        self.old = [SCENE.old(index) for index in range(SCENE.frames)]
        self.new = {index: SCENE.new(index) for index in SCENE.window.frames}
        self.measures = measure_clip(self.old)
        self.typical = Typical.of(self.measures)

    def plan(self, **config):
        return plan_blend(
            SCENE.window, SCENE.frames, self.old.__getitem__, self.new.__getitem__, self.typical, BlendConfig(**config)
        )

    def seams(self, inside):
        first = SCENE.window.start - 1
        around = [self.old[first], *(inside[index] for index in SCENE.window.frames), self.old[SCENE.window.stop]]
        table = measure_clip(around).table
        pairs = {first + number: Pair(*row) for number, row in enumerate(table, start=1)}
        return measure_seams(SCENE.window, SCENE.frames, pairs, self.typical)


@pytest.fixture(scope="module")
def made():
    return Made()


def test_a_hard_cut_stands_out_about_four_times(made):
    seams = made.seams(made.new)
    assert (seams.left, seams.right) == (pytest.approx(4, abs=0.5), pytest.approx(4, abs=0.5))
    assert min(seams.colour_left, seams.colour_right) > 4


def test_the_clip_as_it_was_has_no_seam(made):
    seams = made.seams(dict(enumerate(made.old)))
    assert max(seams.left, seams.right, seams.colour_left, seams.colour_right) <= 1.001


def test_the_chosen_method_reaches_both_goals_on_the_frames_themselves(made):
    plan = made.plan()
    inside = dict(
        blend_window(SCENE.window, SCENE.frames, made.old.__getitem__, made.new.__getitem__, plan.method, plan.offsets)
    )
    seams = made.seams(inside)
    assert plan.tried[-1].reaches
    assert plan.tried[-1].method == plan.method.name
    assert max(seams.left, seams.right) <= SEAM_GOAL
    assert max(seams.colour_left, seams.colour_right) <= COLOUR_GOAL
    # What was tried on small copies is what comes out.
    assert plan.tried[-1].seam == pytest.approx(max(seams.left, seams.right), rel=0.03)
    assert not any(one.reaches for one in plan.tried[:-1])


def small(old_level, new_level, window=MIDDLE, frames=16, share=None, **config):
    """The plan of flat pictures, where every number is arithmetic."""
    flat = [np.full((64, 96, 3), level, np.uint8) for level in (old_level, new_level)]
    typical = Typical.of(measure_clip([flat[0]] * frames))
    old, new = (lambda index, frame=frame: frame for frame in flat)
    return plan_blend(window, frames, old, new, typical, BlendConfig(**config), share)


def test_where_nothing_stands_out_nothing_is_done():
    plan = small(100, 100)
    assert (plan.method.name, len(plan.tried)) == ("none", 1)


def test_a_colour_step_needs_no_more_than_an_offset():
    plan = small(100, 120)
    assert plan.method.name == "offset"
    # A still clip has a typical step of 0, so the ratio of 20 levels is (20 + 0.25) / (0 + 0.25).
    assert plan.tried[0].colour == pytest.approx(81)
    assert plan.tried[0].seam is None  # ruled out before motion was measured


def test_short_windows_do_not_try_fades_that_would_be_the_same():
    names = [one.method for one in small(100, 120, window=Window(4, 5)).tried]
    assert names == ["none", "offset"]


def test_switched_off_asked_for_or_without_joins_nothing_is_tried():
    assert small(100, 120, enabled=False).to_json()["reason"] == "blending is switched off"
    assert small(100, 120, method="crossfade 4").method.fade == 4
    whole = small(100, 120, window=Window(0, 16))
    assert (whole.method.name, whole.tried) == ("none", ())


def test_where_no_method_is_enough_the_closest_one_is_taken_and_said():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (32, 64, 64, 3), dtype=np.uint8)
    typical = Typical.of(measure_clip([noise[0]] * 16))
    plan = plan_blend(Window(4, 12), 16, lambda i: noise[0], lambda i: noise[i], typical, BlendConfig())
    assert plan.reason.startswith("no method")
    assert min(one.excess for one in plan.tried) == next(o.excess for o in plan.tried if o.method == plan.method.name)


def test_a_mask_that_lets_nothing_through_leaves_no_seam():
    plan = small(100, 120, share=np.zeros((64, 96), np.float32))
    assert plan.method.name == "none"


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_working_ahead_as_frames_come_changes_no_choice_and_no_figure(data):
    """In whatever order the frames come, and whether the planner was told of them or not."""
    frames = data.draw(st.integers(2, 12))
    start = data.draw(st.integers(0, frames - 1))
    window = Window(start, data.draw(st.integers(start + 1, frames)))
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    old = rng.integers(0, 256, (32, 48, 3), dtype=np.uint8)
    shift = data.draw(st.integers(0, 20))
    new = {index: np.clip(old.astype(int) + shift + index, 0, 255).astype(np.uint8) for index in window.frames}
    share = rng.random((32, 48), np.float32) if data.draw(st.booleans()) else None
    scene = window, frames, lambda _: old, new.__getitem__, Typical.of(measure_clip([old] * frames)), BlendConfig()
    ahead = BlendPlanner(*scene, share)
    ahead.look_back()
    for index in data.draw(st.lists(st.sampled_from(list(window.frames)), unique=True)):
        ahead.came(index)
    plans = plan_blend(*scene, share), ahead.plan()
    assert plans[0].to_json() == plans[1].to_json()
    assert [field.tolist() for field in plans[0].offsets] == [field.tolist() for field in plans[1].offsets]
