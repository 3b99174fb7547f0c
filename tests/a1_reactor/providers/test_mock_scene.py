import numpy as np
import pytest

from a1_reactor.providers.mock_look import Look
from a1_reactor.providers.mock_scene import build_scene


def scene(**changes):
    look = Look(hue=0.1, grain=0)
    return build_scene(**{"width": 96, "height": 64, "layout_seed": 1, "texture_seed": 2, "look": look, **changes})


def test_a_frame_depends_on_its_number_alone():
    drawn = scene()
    later = drawn.draw(9)
    drawn.draw(3)
    assert np.array_equal(drawn.draw(9), later)
    assert np.array_equal(scene().draw(9), later)


def test_another_texture_keeps_the_layout():
    one, two = scene().draw(5).astype(int), scene(texture_seed=9).draw(5).astype(int)
    other = scene(layout_seed=9).draw(5).astype(int)
    assert 0 < np.abs(one - two).mean() < 0.5 * np.abs(one - other).mean()


def test_half_a_new_texture_lies_between_the_old_and_the_new():
    old, new = scene().draw(5).astype(int), scene(texture_seed=9).draw(5).astype(int)
    mixed = scene(new_texture_seed=9).draw(5).astype(int)
    assert 0 < np.abs(mixed - old).mean() < np.abs(new - old).mean() * 1.1


def test_a_cast_is_added_to_every_pixel_that_has_room():
    plain, cast = scene().draw(5).astype(int), scene(cast=(12, -4, -8)).draw(5).astype(int)
    room = ((plain > 12) & (plain < 243)).all(axis=2)
    assert room.mean() > 0.5
    assert np.array_equal((cast - plain)[room], np.broadcast_to((12, -4, -8), (room.sum(), 3)))


def test_a_shift_moves_the_ground_by_whole_pixels():
    frame, shifted = scene().draw(0)[-8:], scene(shift=(3.0, 0.0)).draw(0)[-8:]
    assert np.array_equal(shifted[:, :-3], frame[:, 3:])


def test_flat_shading_leaves_few_tones():
    drawn = scene(look=Look(hue=0.1, grain=0, levels=7)).draw(0)
    # 256 // 7 = 36 levels a step, so at most 8 tones.
    assert len(np.unique(drawn)) <= 8


@pytest.mark.parametrize("grain", [1.0, 3.0])
def test_grain_is_as_strong_as_it_says(grain):
    clean = scene().draw(4).astype(float)
    grainy = scene(look=Look(hue=0.1, grain=grain)).draw(4)
    inside = (clean > 20) & (clean < 235)
    assert (grainy - clean)[inside].std() == pytest.approx(grain, rel=0.1)


def test_grain_changes_from_frame_to_frame():
    still = build_scene(width=96, height=64, layout_seed=1, texture_seed=2, look=Look(hue=0.1, grain=3.0))
    grain = [still.draw(i).astype(int) - scene().draw(i) for i in (0, 1)]
    assert abs(np.corrcoef(grain[0].ravel(), grain[1].ravel())[0, 1]) < 0.1
