"""Looks that have a name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reactor_core.errors import SpecError

__all__ = ["DEFAULT_NEGATIVE", "PRESETS", "preset_suffix"]

DEFAULT_NEGATIVE = "low quality, blurry, watermark, text, artifacts, distorted face, extra limbs"
"""What a clip avoids when its spec says nothing about that."""

PRESETS: Mapping[str, str] = MappingProxyType(
    {
        "cinematic": "cinematic lighting, shallow depth of field, film grain, wide dynamic range",
        "studio": "studio lighting, clean backdrop, sharp focus, even exposure",
        "noir": "black and white, hard shadows, high contrast, low-key lighting",
        "anime": "anime style, flat shading, clean outlines, saturated colours",
    }
)
"""Name -> words that follow the prompt, joined by a comma."""


def preset_suffix(name: str) -> str:
    """The words of a preset.

    Raises:
        SpecError: No preset has this name; the message lists those that exist.
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise SpecError(f"preset {name!r} is unknown", remedy=f"one of: {', '.join(PRESETS)}") from None
