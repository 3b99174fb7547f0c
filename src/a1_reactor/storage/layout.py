"""Names of files that every part of the store agrees on."""

from __future__ import annotations

__all__ = ["frame_name"]


def frame_name(index: int) -> str:
    """File name of a frame."""
    return f"{index:06d}.png"
