"""Names of files that every part of the store agrees on."""

from __future__ import annotations

__all__ = ["PREVIEW", "frame_name", "segment_name"]

PREVIEW = "preview"
"""Folder inside ``run`` with the playlist, ``init.mp4`` and the segments."""


def frame_name(index: int) -> str:
    """File name of a frame."""
    return f"{index:06d}.png"


def segment_name(start: int, stop: int) -> str:
    """File name of the segment of frames ``[start, stop)``."""
    return f"{start:06d}-{stop:06d}.m4s"
