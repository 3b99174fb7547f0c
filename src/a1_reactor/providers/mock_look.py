"""How a prompt colours the mock provider's scene."""

from __future__ import annotations

import colorsys
import hashlib
from dataclasses import dataclass, replace

import numpy as np

__all__ = ["Look", "apply_words", "look_of", "seed_of"]

RGB = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Colours (0..255) and strengths of a scene."""

    hue: float
    """0..1, the colour that all others are built around."""
    light: float = 1.0
    """Factor on brightness."""
    saturation: float = 1.0
    """Factor on saturation; 0 is black and white."""
    detail: float = 1.0
    """Factor on the fine texture."""
    grain: float = 2.0
    """Standard deviation of the film grain in levels."""
    shake: float = 0.0
    """Amplitude of the camera's shake in pixels at a 768-pixel frame."""
    levels: int | None = None
    """Number of tones that flat shading keeps, or None for all."""

    def colour(self, turn: float, saturation: float, value: float) -> RGB:
        """An RGB colour at a distance on the colour wheel."""
        red, green, blue = colorsys.hsv_to_rgb(
            (self.hue + turn) % 1, min(1, saturation * self.saturation), min(1, value * self.light)
        )
        return 255 * red, 255 * green, 255 * blue


def seed_of(*parts: str | int) -> int:
    """A 64-bit seed from any values, the same on every machine."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big")


def look_of(prompt: str) -> Look:
    """A look from a prompt: the hue from its hash, then what its words ask for."""
    hue = np.random.Generator(np.random.PCG64(seed_of("hue", prompt))).random()
    return apply_words(Look(hue=float(hue)), prompt)


def apply_words(look: Look, prompt: str) -> Look:
    """Change a look by the words of a prompt that the mock provider knows; twice the same words change it once."""
    text = prompt.lower()

    def says(*words: str) -> bool:
        return any(word in text for word in words)

    if says("golden", "sunset", "dusk", "warm"):
        look = replace(look, hue=0.07)
    if says("night", "low-key", "dark"):
        look = replace(look, light=0.6)
    if says("black and white", "monochrome", "noir"):
        look = replace(look, saturation=0.0)
    if says("saturated"):
        look = replace(look, saturation=1.3)
    if says("sharp", "crisp", "detailed"):
        look = replace(look, detail=1.5)
    if says("dreamy", "soft focus", "blur"):
        look = replace(look, detail=0.6)
    if says("film grain"):
        look = replace(look, grain=3.0)
    if says("clean", "studio"):
        look = replace(look, grain=1.0)
    if says("handheld", "shaky"):
        look = replace(look, shake=1.5)
    if says("flat shading", "cel shading"):
        look = replace(look, levels=7)
    return look
