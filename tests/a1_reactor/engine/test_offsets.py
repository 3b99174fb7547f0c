import numpy as np
import pytest

from a1_reactor.engine import offsets
from a1_reactor.engine.offsets import add_offset, enlarged, enlarged_by_pillow, offset_between


def flat(level, size=(64, 96)):
    return np.full((*size, 3), level, np.uint8)


def test_the_field_is_the_low_pass_of_old_minus_new():
    assert offset_between(flat(100), flat(112)) == pytest.approx(np.full((48, 48, 3), -12), abs=1e-3)


def test_texture_does_not_show_in_it():
    checker = (np.indices((96, 96)).sum(axis=0) % 2 * 100 + 50).astype(np.uint8)[..., None].repeat(3, axis=2)
    assert np.abs(offset_between(checker, flat(100, (96, 96)))).max() < 0.5


def test_what_lies_outside_a_mask_does_not_pull_on_what_lies_inside():
    old, new = flat(100), flat(110)
    new[:, :48] = 250  # a wild difference that the mask leaves out
    share = np.zeros((64, 96), np.float32)
    share[:, 48:] = 1
    assert offset_between(old, new, share)[:, 24:] == pytest.approx(np.full((48, 24, 3), -10), abs=0.01)
    assert offset_between(old, new)[:, 24].min() < -50


def test_a_mask_of_nothing_gives_no_offset():
    assert np.abs(offset_between(flat(0), flat(255), np.zeros((64, 96), np.float32))).max() == 0


def test_levels_stay_within_their_range_and_round_to_even():
    field = np.full((48, 48, 3), 10.5, np.float32)
    assert (add_offset(flat(250), field) == 255).all()
    assert (add_offset(flat(100), -field) == 90).all()  # 89.5
    assert (add_offset(flat(3), -field) == 0).all()


def test_room_that_was_used_before_changes_no_sample():
    rng = np.random.default_rng(1)
    fields = rng.normal(0, 20, (2, 48, 48, 3)).astype(np.float32)
    room = np.empty((64, 96, 3), np.float32)
    for field in fields:
        assert np.array_equal(add_offset(flat(100), field, room), add_offset(flat(100), field))


def test_opencv_changes_no_sample_by_more_than_rounding(monkeypatch):
    pytest.importorskip("cv2", reason="compared where the extra [media] is installed")
    field = np.random.default_rng(0).normal(0, 20, (48, 48, 3)).astype(np.float32)
    fast = enlarged(field, width=100, height=70)
    assert fast == pytest.approx(enlarged_by_pillow(field, width=100, height=70), abs=1e-3)
    added = add_offset(flat(100), field)
    monkeypatch.setattr(offsets, "installed", lambda module: False)
    assert np.abs(added.astype(int) - add_offset(flat(100), field)).max() <= 1
