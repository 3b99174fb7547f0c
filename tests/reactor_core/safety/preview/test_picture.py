from __future__ import annotations

import io

import pytest

from reactor_core.safety.preview.picture import png

image = pytest.importorskip("PIL.Image")


def test_another_program_reads_the_same_pixels():
    pixels = bytes((1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 10, 11, 12, 0, 0, 0, 255, 0, 255, 0, 0, 0))
    read = image.open(io.BytesIO(png(3, 2, pixels)))
    assert (read.mode, read.size) == ("RGB", (3, 2))
    assert [read.getpixel((x, y)) for y in range(2) for x in range(3)] == [
        (3, 2, 1), (6, 5, 4), (9, 8, 7), (12, 11, 10), (255, 0, 0), (0, 0, 255),
    ]  # fmt: skip
