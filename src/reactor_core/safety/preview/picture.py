"""Pixels of an X display as a PNG."""

from __future__ import annotations

import struct
import zlib

__all__ = ["png"]


def png(width: int, height: int, pixels: bytes) -> bytes:
    """Encode a picture.

    Args:
        width: In pixels.
        height: In pixels.
        pixels: Blue, green, red and a fourth byte for each pixel, as X gives them at depths 24 and 32.
    """
    assert len(pixels) == 4 * width * height, "four bytes a pixel"
    rgb = bytearray(3 * width * height)
    rgb[0::3], rgb[1::3], rgb[2::3] = pixels[2::4], pixels[1::4], pixels[0::4]
    rows = b"".join(b"\0" + rgb[start : start + 3 * width] for start in range(0, len(rgb), 3 * width))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
