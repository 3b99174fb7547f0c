from itertools import pairwise

import numpy as np
import pytest

from a1_reactor.eval.flow import block_flow, warp_residual
from a1_reactor.providers.texture import noise_band

NOISE = (128 + 40 * noise_band(256, 5, 2, 24)).astype(np.float32)


@pytest.mark.parametrize("shift", [(0, 0), (3, 0), (0, -5), (7, 4), (-9, 2)])
def test_a_shifted_picture_moves_by_its_shift(shift):
    dx, dy = shift
    before = NOISE[32:192, 32:224]
    after = NOISE[32 + dy : 192 + dy, 32 + dx : 224 + dx]
    found_x, found_y = block_flow(before, after)
    # The border has no counterpart in the other picture; the middle must be right to a tenth of a pixel.
    assert np.median(found_x[3:-3, 3:-3]) == pytest.approx(dx, abs=0.1)
    assert np.median(found_y[3:-3, 3:-3]) == pytest.approx(dy, abs=0.1)


def test_motion_explains_a_pan_but_not_another_picture():
    pan, _ = warp_residual(NOISE[:160, :192], NOISE[:160, 4:196])
    other, _ = warp_residual(NOISE[:160, :192], (128 + 40 * noise_band(256, 6, 2, 24))[:160, :192].astype(np.float32))
    still = float(np.abs(NOISE[:160, :192] - NOISE[:160, 4:196]).mean())
    assert pan < 0.25 * still
    assert other > 3 * pan


def test_two_objects_may_move_in_two_directions():
    before, after = NOISE[32:160, 32:224].copy(), NOISE[32:160, 32:224].copy()
    after[:, :96] = NOISE[32:160, 35:131]
    after[:, 96:] = NOISE[32:160, 125:221]
    dx, _ = block_flow(before, after)
    assert np.median(dx[2:-2, 2:9]) == pytest.approx(3, abs=0.3)
    assert np.median(dx[2:-2, -9:-2]) == pytest.approx(-3, abs=0.3)


def test_a_flat_picture_stands_still():
    flat = np.full((64, 96), 90, np.float32)
    assert warp_residual(flat, flat) == (0.0, 0.0)


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (17, 33)])
def test_small_and_odd_pictures_are_measured_too(shape):
    plane = np.random.default_rng(0).random(shape, dtype=np.float32) * 255
    residual, motion = warp_residual(plane, plane)
    assert residual == pytest.approx(0, abs=1e-3)
    assert motion == pytest.approx(0, abs=1e-3)


def test_residuals_agree_with_opencvs_dis(spec):
    cv2 = pytest.importorskip("cv2", reason="the reference comes with the extra [media]")
    from a1_reactor.eval.pairs import proxy_of
    from a1_reactor.prompts import resolve
    from a1_reactor.providers.mock import MockProvider

    planes = [
        proxy_of(frame).grey
        for frame in MockProvider().generate_frames(resolve(spec(width=384, height=384, seconds="3/24")))
    ]
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    x, y = np.meshgrid(np.arange(384, dtype=np.float32), np.arange(384, dtype=np.float32))
    for before, after in pairwise(planes):
        flow = dis.calc(after.astype(np.uint8), before.astype(np.uint8), None)
        warped = cv2.remap(
            before, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        assert warp_residual(before, after)[0] == pytest.approx(float(np.abs(after - warped).mean()), rel=0.1)
