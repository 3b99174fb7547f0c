import io
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from a1_reactor.providers.pictures import (
    data_uri,
    encode_video,
    from_data_uri,
    is_picture,
    read_picture,
    read_video,
)
from reactor_core.errors import ArtifactCorrupt

FRAMES = [np.full((16, 32, 3), 10 * i + 40, np.uint8) for i in range(5)]


def video():
    return encode_video(FRAMES, fps=Fraction(24000, 1001), width=32, height=16)


def read(data, count=5, width=32, height=16):
    return list(read_video(io.BytesIO(data), count=count, width=width, height=height, where="it"))


def picture(kind, size=(32, 16), mode="RGB"):
    stream = io.BytesIO()
    Image.new(mode, size, 0).save(stream, kind)
    return stream.getvalue()


def test_a_video_comes_back_almost_as_it_went():
    for made, frame in zip(read(video()), FRAMES, strict=True):
        assert np.abs(made.astype(int) - frame).max() <= 2


@pytest.mark.parametrize(
    ("data", "wanted", "problem"),
    [
        (video(), {"count": 4}, "more than the 4 frames"),
        (video(), {"count": 6}, "5 frames, 6 were asked for"),
        (video(), {"width": 30}, "32x16, not 30x16"),
        (video()[: len(video()) // 2], {}, "no video that can be read"),
        (b"", {}, "no mp4"),
        (b"<html>", {}, "no mp4"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", {}, "no mp4"),
        (b"\0\0\0\x18ftypisom" + bytes(100), {}, "can be read|holds no video"),
    ],
)
def test_any_other_video_is_refused(data, wanted, problem):
    with pytest.raises(ArtifactCorrupt, match=problem):
        read(data, **wanted)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_pictures_of_three_formats_are_read(kind):
    data = picture(kind)
    assert is_picture(data[:12])
    assert read_picture(io.BytesIO(data), width=32, height=16, where="it").shape == (16, 32, 3)


def test_transparency_goes():
    assert read_picture(io.BytesIO(picture("PNG", mode="RGBA")), width=32, height=16, where="it").shape == (16, 32, 3)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (picture("PNG", (16, 32)), "16x32, not 32x16"),
        (picture("GIF"), "no picture"),
        (picture("PNG")[:50], "no picture"),
    ],
)
def test_any_other_picture_is_refused(data, problem):
    assert not is_picture(b"GIF89a......")
    with pytest.raises(ArtifactCorrupt, match=problem):
        read_picture(io.BytesIO(data), width=32, height=16, where="it")


def test_a_data_url_is_read_back():
    assert from_data_uri(data_uri(b"abc", "text/plain"), "it") == b"abc"
    for text in ("http://x/", "data:text/plain,abc", "data:;base64,a-b"):
        with pytest.raises(ArtifactCorrupt):
            from_data_uri(text, "it")
