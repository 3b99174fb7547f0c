import math

import numpy as np
import pytest

from a1_reactor.eval import likeness
from a1_reactor.eval.likeness import psnr, ssim
from a1_reactor.providers.texture import noise_band

PLANE = np.ascontiguousarray((128 + 40 * noise_band(256, 5, 2, 24)).astype(np.float32)[:48, :40])


def flat(level):
    return np.full((16, 16, 3), level, np.uint8)


def brute_ssim(x, y):
    """The formula of the paper, window by window."""
    kernel = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    weights = np.outer(kernel, kernel) / kernel.sum() ** 2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for i in range(x.shape[0] - 10):
        for j in range(x.shape[1] - 10):
            a, b = x[i : i + 11, j : j + 11].astype(float), y[i : i + 11, j : j + 11].astype(float)
            ma, mb = (weights * a).sum(), (weights * b).sum()
            va, vb = (weights * (a - ma) ** 2).sum(), (weights * (b - mb) ** 2).sum()
            cov = (weights * (a - ma) * (b - mb)).sum()
            values.append((2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    return np.mean(values)


def test_psnr_comes_from_arithmetic():
    # All samples 10 levels apart: 10 log10(255^2 / 10^2).
    assert psnr(flat(100), flat(90)) == pytest.approx(20 * math.log10(25.5))
    assert psnr(flat(5), flat(250)) == pytest.approx(20 * math.log10(255 / 245))
    assert psnr(flat(3), flat(3)) == math.inf


def test_ssim_is_the_papers_formula():
    other = PLANE + np.random.default_rng(0).normal(0, 12, PLANE.shape).astype(np.float32)
    assert ssim(PLANE, other) == pytest.approx(brute_ssim(PLANE, other), abs=1e-4)
    assert ssim(PLANE, PLANE) == pytest.approx(1)


def test_structure_counts_and_not_only_level():
    brighter, blurred = PLANE + 10, np.full_like(PLANE, PLANE.mean())
    assert ssim(PLANE, brighter) > 0.9 > 0.5 > ssim(PLANE, blurred)


def test_a_tiny_picture_is_one_window():
    c1 = (0.01 * 255) ** 2
    tiny, other = np.full((4, 4), 100, np.float32), np.full((4, 4), 50, np.float32)
    assert ssim(tiny, other) == pytest.approx((2 * 100 * 50 + c1) / (100**2 + 50**2 + c1))


def test_opencv_changes_no_number(monkeypatch):
    pytest.importorskip("cv2", reason="compared where the extra [media] is installed")
    other = PLANE[::-1].copy()
    with_opencv = ssim(PLANE, other), psnr(flat(100), flat(90))
    monkeypatch.setattr(likeness, "installed", lambda module: False)
    assert (ssim(PLANE, other), psnr(flat(100), flat(90))) == pytest.approx(with_opencv, abs=1e-5)
