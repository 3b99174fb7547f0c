from dataclasses import replace

import numpy as np
import pytest

from a1_reactor.eval.flow import block_flow
from a1_reactor.prompts import resolve
from a1_reactor.providers.mock import MockProvider
from a1_reactor.types import Window

PROVIDER = MockProvider()


class Base:
    """A clip of which only the origin is known."""

    def __init__(self, origin):
        self.origin = origin

    def frame(self, index):
        raise AssertionError("the mock provider says that it needs no context")


def clip(job):
    return list(PROVIDER.generate_frames(resolve(job)))


def test_equal_jobs_give_equal_frames(spec):
    assert all(np.array_equal(a, b) for a, b in zip(clip(spec()), clip(spec()), strict=True))


def test_as_many_frames_of_the_size_as_asked(spec):
    frames = clip(spec(seconds=0.5))
    assert len(frames) == 12
    assert {frame.shape for frame in frames} == {(64, 96, 3)}


@pytest.mark.parametrize("change", [{"seed": 1}, {"prompt": "a fox"}, {"style_preset": "noir"}])
def test_seed_prompt_and_preset_change_the_picture(spec, change):
    assert np.abs(clip(spec())[0].astype(int) - clip(spec(**change))[0]).mean() > 3


def test_things_move_and_do_not_only_change(spec):
    first, second = (frame.astype(np.float32).mean(axis=2) for frame in clip(spec(width=192, height=192))[:2])
    dx, dy = block_flow(first, second)
    # At a 192-pixel frame the ridge pans by 0.37 to 0.75 pixels a frame, the sky by about a third of that.
    assert 0.1 < float(np.hypot(dx, dy).mean()) < 2


def test_noir_is_black_and_white_and_golden_hour_is_warm(spec):
    noir = clip(spec(prompt="a street", style_preset="noir"))[0]
    assert np.ptp(noir.astype(int), axis=2).max() == 0
    sky = clip(spec(prompt="golden hour"))[0][:20].mean(axis=(0, 1))
    assert sky[0] > sky[2]


def test_a_regenerated_window_is_the_same_scene_with_another_texture(spec):
    old = clip(spec())
    job = resolve(replace(spec(prompt="sharper"), windows=(Window(5, 8),)))
    new = dict(PROVIDER.regen_frames(job, Base(resolve(spec())), job.windows))
    assert sorted(new) == [5, 6, 7]
    for index, frame in new.items():
        other_scene = clip(spec(seed=9))[index]
        same = np.corrcoef(frame.ravel(), old[index].ravel())[0, 1]
        other = np.corrcoef(frame.ravel(), other_scene.ravel())[0, 1]
        assert same > 0.8 > other
        assert not np.array_equal(frame, old[index])


def test_every_seed_is_another_take(spec):
    takes = []
    for seed in (0, 1):
        job = resolve(replace(spec(seed=seed), windows=(Window(5, 6),)))
        takes.append(dict(PROVIDER.regen_frames(job, Base(resolve(spec())), job.windows))[5])
    assert not np.array_equal(*takes)


@pytest.mark.parametrize("size", [(16, 16), (4096, 16), (18, 200)])
def test_extreme_shapes_are_drawn_too(spec, size):
    width, height = size
    assert clip(spec(width=width, height=height, seconds="1/24"))[0].shape == (height, width, 3)
