"""What a frame is, and its name.

Frames are uint8 RGB arrays of shape ``[height, width, 3]`` in row order, full range.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Frame", "frame_problem", "pixel_hash"]

Frame = NDArray[np.uint8]
"""uint8, ``[height, width, 3]``, RGB."""


def frame_problem(value: Any, *, width: int, height: int) -> str | None:
    """Why a value is no frame of this size, in words, or None if it is one."""
    if not isinstance(value, np.ndarray):
        return f"is {type(value).__name__}, not an array"
    if value.dtype != np.uint8:
        return f"has type {value.dtype}, not uint8"
    if value.shape != (height, width, 3):
        return f"has shape {list(value.shape)}, not [{height}, {width}, 3]"
    return None


def pixel_hash(frame: Frame) -> str:
    """SHA-256 over size, type and pixels: the same for equal pictures, however their files are compressed."""
    height, width, channels = frame.shape
    digest = hashlib.sha256(f"{width}x{height}x{channels} uint8\n".encode())
    digest.update(np.ascontiguousarray(frame).data)
    return digest.hexdigest()
