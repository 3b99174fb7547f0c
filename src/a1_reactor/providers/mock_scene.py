"""The mock provider's scene: a textured sky and ridge that pan at two speeds, a disc on an arc, film grain.

Frame ``i`` is a pure function of the scene and ``i``, so any window can be made alone and agrees with its clip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from a1_reactor.media.frames import Frame
from a1_reactor.providers.mock_look import Look, seed_of
from a1_reactor.providers.texture import noise_band, noise_line, sample, tile_side

__all__ = ["Scene", "build_scene"]

_COARSE = (2.0, 24.0)  # cycles per texture: shapes of 40 to 500 pixels where it is 1024 wide
_FINE = (24.0, 110.0)  # shapes of 9 to 40 pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that frames are drawn from."""

    width: int
    height: int
    look: Look
    sky: NDArray[np.uint8] = field(repr=False)
    """``[side, side, 1]``, 128 is neutral."""
    ground: NDArray[np.uint8] = field(repr=False)
    """``[side, side, 3]``."""
    ridge: NDArray[np.float32] = field(repr=False)
    """``[side]``, height of the skyline above its mean, in units of its amplitude."""
    grain: NDArray[np.int8] = field(repr=False)
    """``[side, side]``."""
    velocity: tuple[float, float]
    """Pixels per frame at a 768-pixel frame."""
    phase: float
    """Where on its arc the disc starts, in radians."""
    shift: tuple[float, float]
    """Offset of the camera in pixels; a regenerated window is a little off, as real generators are."""
    cast: tuple[int, int, int]
    """Levels added to red, green and blue."""
    grain_seed: int

    def draw(self, index: int) -> Frame:
        """One frame."""
        scale = min(self.width, self.height) / 768
        shake = self.look.shake * scale
        x = self.velocity[0] * scale * index + shake * math.sin(0.9 * index) + self.shift[0]
        y = self.velocity[1] * scale * index + shake * math.sin(1.3 * index + 1) + self.shift[1]
        skyline = self._skyline(x, y, scale)
        picture = self._sky(0.35 * x, 0.35 * y)
        self._draw_disc(picture, index)
        self._draw_ground(picture, skyline, x, y)
        return self._develop(picture, index)

    def _skyline(self, x: float, y: float, scale: float) -> NDArray[np.float32]:
        """Row of the ridge's edge for every column."""
        positions = x + np.arange(self.width, dtype=np.float64)
        side = len(self.ridge)
        heights = np.interp(positions % side, np.arange(side), self.ridge, period=side)
        edge: NDArray[np.float32] = (0.62 * self.height - 0.09 * self.height * heights - y * min(1.0, scale)).astype(
            np.float32
        )
        return edge

    def _sky(self, x: float, y: float) -> NDArray[np.int16]:
        top, bottom = (np.array(c) for c in (self.look.colour(0, 0.55, 0.45), self.look.colour(0.07, 0.35, 0.92)))
        fall = np.linspace(0, 1, self.height)[:, None]
        gradient = (top + (bottom - top) * fall - 128).astype(np.int16)[:, None, :]
        result: NDArray[np.int16] = sample(self.sky, x, y, self.width, self.height).astype(np.int16) + gradient
        return result

    def _draw_disc(self, picture: NDArray[np.int16], index: int) -> None:
        """A shaded ball that swings across the sky, one swing in about four seconds at 24 fps."""
        angle = self.phase + 2 * math.pi * index / 97
        radius = 0.11 * min(self.width, self.height)
        cx = self.width * (0.5 + 0.33 * math.cos(angle))
        cy = self.height * (0.33 + 0.13 * math.sin(2 * angle))
        x0, x1 = max(0, int(cx - radius - 2)), min(self.width, int(cx + radius + 3))
        y0, y1 = max(0, int(cy - radius - 2)), min(self.height, int(cy + radius + 3))
        if x0 >= x1 or y0 >= y1:
            return
        dx = (np.arange(x0, x1) - cx)[None, :] / radius
        dy = (np.arange(y0, y1) - cy)[:, None] / radius
        distance = np.hypot(dx, dy)
        cover = np.clip((1 - distance) * radius / 1.5 + 0.5, 0, 1)[..., None]
        shade = 0.55 + 0.45 * np.clip(1 - np.hypot(dx + 0.4, dy + 0.4), 0, 1)
        stripes = 1 + 0.12 * np.sin(9 * (dx * math.cos(angle) + dy * math.sin(angle)))
        ball = (shade * stripes)[..., None] * np.array(self.look.colour(0.1, 0.6, 1.0))
        patch = picture[y0:y1, x0:x1]
        patch[...] = (patch * (1 - cover) + ball * cover).astype(np.int16)

    def _draw_ground(self, picture: NDArray[np.int16], skyline: NDArray[np.float32], x: float, y: float) -> None:
        top = max(0, int(skyline.min()) - 2)
        if top >= self.height:
            return
        ground = sample(self.ground, x, y + top, self.width, self.height - top).astype(np.int16)
        rows = np.arange(top, self.height, dtype=np.float32)[:, None]
        solid = min(self.height, max(top, math.ceil(float(skyline.max())) + 1))
        # Only the band that the skyline crosses needs mixing; cover is in 1/128, so products fit int16.
        band = solid - top
        cover = (np.clip(rows[:band] - skyline + 0.5, 0, 1) * 128).astype(np.int16)[..., None]
        mixed = picture[top:solid] + (((ground[:band] - picture[top:solid]) * cover) >> 7)
        picture[top:solid] = mixed
        picture[solid:] = ground[band:]

    def _develop(self, picture: NDArray[np.int16], index: int) -> Frame:
        """Cast, flat shading, grain, and back to 8 bits."""
        if any(self.cast):
            picture += np.array(self.cast, np.int16)
        if self.look.levels is not None:
            step = 256 // self.look.levels
            picture //= step
            picture *= step
            picture += step // 2
        side = len(self.grain)
        row, column = divmod(seed_of("grain", self.grain_seed, index) % (side * side), side)
        rows = np.arange(row, row + self.height) % side
        columns = np.arange(column, column + self.width) % side
        picture += self.grain[rows[:, None], columns][..., None]
        np.clip(picture, 0, 255, out=picture)
        return picture.astype(np.uint8)


def build_scene(
    *,
    width: int,
    height: int,
    layout_seed: int,
    texture_seed: int,
    look: Look,
    new_texture_seed: int | None = None,
    shift: tuple[float, float] = (0.0, 0.0),
    cast: tuple[int, int, int] = (0, 0, 0),
) -> Scene:
    """Make the textures of a scene.

    Args:
        layout_seed: Decides what moves where, and the coarse shapes.
        texture_seed: Decides the fine texture and the grain.
        look: Colours and strengths.
        new_texture_seed: If given, half of the fine texture and all of the grain are of this seed: another take of
            the same shot.
        shift, cast: See :class:`Scene`.
    """
    side = tile_side(width, height)
    rng = np.random.Generator(np.random.PCG64(seed_of("motion", layout_seed)))
    coarse = noise_band(side, seed_of("ground", layout_seed), *_COARSE)
    fine = _texture(side, "ground detail", texture_seed, new_texture_seed, _FINE)
    tone = np.clip(1 + 0.28 * coarse + 0.16 * look.detail * fine, 0.1, 2.2)[..., None]
    ground = np.clip(tone * np.array(look.colour(0.45, 0.45, 0.45), np.float32), 0, 255)
    clouds = noise_band(side, seed_of("sky", layout_seed), 2, 14) * 14
    clouds += _texture(side, "sky detail", texture_seed, new_texture_seed, (20, 70)) * np.float32(4 * look.detail)
    ridge = noise_line(side, seed_of("ridge", layout_seed), 1, 9)
    grain_seed = texture_seed if new_texture_seed is None else new_texture_seed
    grain_rng = np.random.Generator(np.random.PCG64(seed_of("grain", grain_seed)))
    # The sum of four uniform variables is close enough to a normal one and needs no library's own algorithm.
    noise = grain_rng.random((4, side, side), dtype=np.float32).sum(axis=0) - 2
    direction = 1 if rng.random() < 0.5 else -1
    return Scene(
        width=width,
        height=height,
        look=look,
        sky=np.clip(128 + clouds, 0, 255).astype(np.uint8)[..., None],
        ground=ground.astype(np.uint8),
        ridge=ridge,
        grain=np.rint(noise * np.float32(look.grain * math.sqrt(3))).astype(np.int8),
        velocity=(direction * (1.5 + 1.5 * float(rng.random())), 0.1 * (float(rng.random()) - 0.5)),
        phase=2 * math.pi * float(rng.random()),
        shift=shift,
        cast=cast,
        grain_seed=grain_seed,
    )


def _texture(side: int, name: str, seed: int, other: int | None, band: tuple[float, float]) -> NDArray[np.float32]:
    """Noise of unit variance; with another seed, an even mixture of the two."""
    first = noise_band(side, seed_of(name, seed), *band)
    if other is None:
        return first
    return (first + noise_band(side, seed_of(name, other), *band)) / np.float32(math.sqrt(2))
