import numpy as np
import pytest

from a1_reactor.eval.pairs import grey_of, measure, proxy_of


def flat(level, size=(64, 96)):
    return np.full((*size, 3), level, np.uint8)


def test_levels_come_from_arithmetic():
    pair = measure(proxy_of(flat(100)), proxy_of(flat(90)))
    assert pair.l1 == pytest.approx(10 / 255)
    assert pair.residual == pytest.approx(10, abs=0.01)
    assert pair.colour == pytest.approx(10, abs=0.01)
    assert pair.luma == pytest.approx(90, abs=0.01)
    assert pair.motion == 0


def test_differences_do_not_wrap_around():
    assert measure(proxy_of(flat(250)), proxy_of(flat(5))).l1 == pytest.approx(245 / 255)


def test_colour_is_blind_to_texture_and_sees_a_cast():
    checker = np.indices((96, 96)).sum(axis=0)[..., None].repeat(3, axis=2) % 2 * 200
    inverse = 200 - checker
    textured, turned = (frame.astype(np.uint8) for frame in (checker, inverse))
    assert measure(proxy_of(textured), proxy_of(turned)).colour < 1
    assert measure(proxy_of(flat(100)), proxy_of(flat(100) + np.array([12, 0, 0], np.uint8))).colour == pytest.approx(4)


def test_motion_is_in_pixels_of_the_full_frame():
    from a1_reactor.providers.texture import noise_band

    noise = (128 + 40 * noise_band(1024, 5, 2, 24)).clip(0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    pair = measure(proxy_of(noise[:768, :768]), proxy_of(noise[:768, 8:776]))
    assert pair.motion == pytest.approx(8, rel=0.1)


@pytest.mark.parametrize(("size", "small"), [((768, 384), (384, 192)), ((720, 1280), (216, 384)), ((50, 70), (50, 70))])
def test_a_proxy_averages_what_lies_under_each_of_its_pixels(size, small):
    ramp = np.broadcast_to(np.linspace(0, 250, size[1])[None, :, None], (*size, 3)).astype(np.uint8)
    proxy = proxy_of(ramp)
    assert proxy.grey.shape == small
    assert np.array_equal(grey_of(ramp), proxy.grey)
    # The mean of a ramp over one twelfth of its length is its middle there, up to a pixel at either end and a level.
    assert proxy.cells[5, :, 1] == pytest.approx(250 * (np.arange(12) + 0.5) / 12, abs=250 / size[1] + 1)
