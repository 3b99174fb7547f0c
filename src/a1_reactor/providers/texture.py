"""Tileable textures: band-limited noise, so that they can be panned by fractions of a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["noise_band", "noise_line", "sample", "tile_side"]


def tile_side(width: int, height: int) -> int:
    """Side in pixels of the repeating textures for frames of this size: a power of two from 256 to 1024."""
    longest = max(width, height)
    return 256 if longest <= 192 else 512 if longest <= 384 else 1024


def noise_band(side: int, seed: int, low: float, high: float) -> NDArray[np.float32]:
    """Noise of unit variance whose amplitude falls as 1/f between two frequencies.

    Args:
        side: Side of the texture.
        seed: Equal seeds give equal noise.
        low, high: Band in cycles per side; soft at both ends, and cut off at shapes of nine pixels.

    Returns:
        float32 ``[side, side]``; it repeats without a seam.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    # The transform of white noise has every frequency with a random phase.
    spectrum = np.fft.rfft2(rng.random((side, side), dtype=np.float32) - np.float32(0.5))
    rows = np.fft.fftfreq(side, 1 / side)[:, None]
    columns = np.fft.rfftfreq(side, 1 / side)[None, :]
    noise = np.fft.irfft2(spectrum * _band(np.hypot(rows, columns), low, min(high, side / 9)), s=(side, side))
    return np.asarray(noise / noise.std(), np.float32)


def noise_line(side: int, seed: int, low: float, high: float) -> NDArray[np.float32]:
    """The same in one dimension, float32 ``[side]`` with a greatest magnitude of 1."""
    rng = np.random.Generator(np.random.PCG64(seed))
    spectrum = np.fft.rfft(rng.random(side) - 0.5)
    noise = np.fft.irfft(spectrum * _band(np.fft.rfftfreq(side, 1 / side), low, high), n=side)
    return np.asarray(noise / np.abs(noise).max(), np.float32)


def _band(radius: NDArray[np.floating[Any]], low: float, high: float) -> NDArray[np.float32]:
    frequency = np.maximum(radius, 1)
    gain = np.exp(-((frequency / high) ** 4)) * (1 - np.exp(-((frequency / low) ** 4))) / frequency
    gain[radius == 0] = 0
    return np.asarray(gain, np.float32)


def sample(tile: NDArray[np.uint8], x: float, y: float, width: int, height: int) -> NDArray[np.uint16]:
    """The part of a repeating texture whose top left corner is at ``(x, y)``, bilinear between pixels.

    Args:
        tile: uint8 ``[side, side, channels]``.

    Returns:
        uint16 ``[height, width, channels]`` with values 0..255.
    """
    side = len(tile)
    left, top = int(np.floor(x)), int(np.floor(y))
    # Weights in 1/16 per axis: they add up to 256, so sums of products with uint8 stay below 2^16.
    across, down = int((x - left) * 16), int((y - top) * 16)
    rows = np.arange(top, top + height + 1) % side
    columns = np.arange(left, left + width + 1) % side
    patch = tile[rows[:, None], columns].astype(np.uint16)
    upper = patch[:, :-1] * np.uint16(16 - across) + patch[:, 1:] * np.uint16(across)
    both = upper[:-1] * np.uint16(16 - down) + upper[1:] * np.uint16(down)
    return np.asarray(np.right_shift(both, 8), np.uint16)
