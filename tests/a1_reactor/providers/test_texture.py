import numpy as np

from a1_reactor.providers.texture import noise_band, noise_line, sample, tile_side


def test_noise_has_unit_variance_and_no_mean():
    noise = noise_band(256, 7, 2, 24)
    assert abs(float(noise.mean())) < 1e-3
    assert abs(float(noise.std()) - 1) < 1e-3


def test_noise_repeats_without_a_seam():
    noise = noise_band(256, 7, 2, 24)
    inside = np.abs(np.diff(noise, axis=1)).mean()
    across = np.abs(noise[:, 0] - noise[:, -1]).mean()
    assert across < 1.5 * inside


def test_the_band_is_where_it_was_asked_for():
    power = np.abs(np.fft.fft2(noise_band(256, 3, 8, 16))) ** 2
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(256, 1 / 256), np.fft.fftfreq(256, 1 / 256)))
    assert power[(radius > 4) & (radius < 24)].sum() > 0.95 * power.sum()


def test_equal_seeds_give_equal_noise():
    assert np.array_equal(noise_line(256, 1, 1, 9), noise_line(256, 1, 1, 9))
    assert not np.array_equal(noise_line(256, 1, 1, 9), noise_line(256, 2, 1, 9))


def test_sampling_at_whole_pixels_copies_them_and_wraps_around():
    tile = np.arange(256 * 256, dtype=np.uint32).astype(np.uint8).reshape(256, 256, 1)
    assert np.array_equal(sample(tile, -3, 250, 20, 10)[..., 0], np.roll(tile[..., 0], (-250, 3), (0, 1))[:10, :20])


def test_sampling_half_way_takes_the_mean_of_neighbours():
    tile = np.zeros((256, 256, 1), np.uint8)
    tile[:, ::2] = 200
    assert np.all(sample(tile, 0.5, 0, 8, 4) == 100)


def test_textures_grow_with_the_frame():
    assert [tile_side(96, 64), tile_side(320, 200), tile_side(768, 768)] == [256, 512, 1024]
