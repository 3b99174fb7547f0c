import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from a1_reactor.media import png
from a1_reactor.media.png import decode_png, encode_png, read_png, read_png_header
from reactor_core.errors import ArtifactCorrupt

GOOD = encode_png(np.arange(72, dtype=np.uint8).reshape(4, 6, 3))
FRAMES = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(lambda s: hnp.arrays(np.uint8, (*s, 3)))


@given(FRAMES)
def test_pixels_come_back_exactly(frame):
    height, width, _ = frame.shape
    assert np.array_equal(decode_png(encode_png(frame), width=width, height=height, where="x"), frame)


@given(FRAMES)
def test_pillow_reads_the_same_pixels(frame):
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(frame)))), frame)


def test_without_isal_the_pixels_are_the_same(monkeypatch):
    frame = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    with_isal = encode_png(frame)
    monkeypatch.setattr(png, "installed", lambda name: False)
    monkeypatch.setattr(png, "_zlib", png._codec())
    assert png._zlib is zlib
    for data in (encode_png(frame), with_isal):
        assert np.array_equal(decode_png(data, width=7, height=9, where="x"), frame)


@given(FRAMES, st.booleans())
def test_files_of_other_writers_are_read_too(frame, optimize):
    stream = io.BytesIO()
    Image.fromarray(frame).save(stream, "PNG", optimize=optimize)
    height, width, _ = frame.shape
    assert np.array_equal(decode_png(stream.getvalue(), width=width, height=height, where="x"), frame)


def test_our_own_files_are_read_without_pillow(monkeypatch):
    frame = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    monkeypatch.setattr(Image, "open", lambda *args, **options: pytest.fail("Pillow was asked"))
    assert np.array_equal(decode_png(encode_png(frame), width=7, height=9, where="x"), frame)


@given(st.integers(0, 400), st.integers(1, 255))
def test_a_file_with_one_other_byte_is_refused_or_is_the_same_picture(place, change):
    data = bytearray(GOOD)
    data[place % len(data)] ^= change
    try:
        pixels = decode_png(bytes(data), width=6, height=4, where="x")
    except ArtifactCorrupt:
        return
    assert np.array_equal(pixels, np.arange(72).reshape(4, 6, 3))


def test_the_header_tells_size_and_kind():
    assert read_png_header(encode_png(np.zeros((4, 6, 3), np.uint8))) == (6, 4, 8, 2)
    assert read_png_header(b"GIF89a" + bytes(40)) is None
    assert read_png_header(b"") is None


def as_png(mode: str, size=(6, 4)) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        as_png("RGBA"),
        as_png("L"),
        as_png("P"),
        as_png("I;16"),
        as_png("RGB", (4, 6)),
        GOOD[:-36],
        GOOD[:50] + b"\x00\x00\x00" + GOOD[53:],
    ],
    ids=["empty", "text", "rgba", "grey", "palette", "16 bit", "other size", "cut off", "flipped bytes"],
)
def test_what_is_not_this_picture_is_refused_by_place(data):
    with pytest.raises(ArtifactCorrupt, match="frame 3"):
        decode_png(data, width=6, height=4, where="frame 3")


def test_a_picture_that_claims_to_be_huge_is_refused_before_it_is_decoded():
    def chunk(kind, payload):
        return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    bomb = png.SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")
    with pytest.raises(ArtifactCorrupt, match="60000x60000"):
        decode_png(bomb, width=6, height=4, where="x")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ArtifactCorrupt, match=r"gone\.png"):
        read_png(tmp_path / "gone.png", width=2, height=2)
