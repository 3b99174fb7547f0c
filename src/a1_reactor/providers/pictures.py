"""Frames as files that foreign services take and give: mp4, PNG, JPEG and WebP, read without trust."""

from __future__ import annotations

import base64
import binascii
import io
import itertools
import warnings
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import IO

import av
import numpy as np
from PIL import Image, UnidentifiedImageError

from a1_reactor.media.frames import Frame
from reactor_core.errors import ArtifactCorrupt

__all__ = ["data_uri", "encode_video", "from_data_uri", "is_picture", "read_picture", "read_video"]

_CRF = "10"
"""Nearly without loss: what a model changes should be the model's, not the codec's."""


_CONTAINERS = ((4, b"ftyp", "mp4"), (0, b"\x1a\x45\xdf\xa3", "matroska"), (0, b"GIF8", "gif"))
"""Where a mark stands, the mark, and FFmpeg's name of the format."""


def data_uri(data: bytes, content_type: str) -> str:
    """The bytes as a URL (RFC 2397)."""
    return f"data:{content_type};base64,{base64.b64encode(data).decode()}"


def from_data_uri(text: str, where: str) -> bytes:
    """The bytes of a data URL.

    Raises:
        ArtifactCorrupt: It is none in base64.
    """
    head, comma, body = text.partition(",")
    if not (head.startswith("data:") and head.endswith(";base64") and comma):
        raise ArtifactCorrupt(f"{where} is no data URL in base64")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ArtifactCorrupt(f"{where} is no base64: {error}") from error


def encode_video(frames: Iterable[Frame], *, fps: Fraction, width: int, height: int) -> bytes:
    """An H.264 mp4 in memory, for a service to read; sides must be even."""
    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=fps, options={"preset": "veryfast", "crf": _CRF})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.thread_count = 1
        for frame in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(video.encode())
    return stream.getvalue()


def is_picture(head: bytes) -> bool:
    """Whether a file that begins like this is a PNG, JPEG or WebP picture."""
    return head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def read_picture(file: IO[bytes], *, width: int, height: int, where: str) -> Frame:
    """One picture of a known size; transparency is laid on black.

    Raises:
        ArtifactCorrupt: It has another size or format, or is damaged. Its size is read before any pixel is decoded.
    """
    try:
        with warnings.catch_warnings():
            # The size is checked against what was asked for.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file, formats=("PNG", "JPEG", "WEBP")) as image:
                if image.size != (width, height):
                    raise ArtifactCorrupt(f"{where} is {image.size[0]}x{image.size[1]}, not {width}x{height}")
                return np.array(image.convert("RGB"), dtype=np.uint8)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        if isinstance(error, ArtifactCorrupt):
            raise
        raise ArtifactCorrupt(f"{where} is no picture that can be read: {error}") from error


def read_video(file: IO[bytes], *, count: int, width: int, height: int, where: str) -> Iterator[Frame]:
    """The frames of a video of a known size and length, one in memory at a time.

    Raises:
        ArtifactCorrupt: It has another size, or more or fewer frames, or is damaged. Its size is read before any frame
            is decoded, and no more than one frame too many is.
    """
    done = 0
    head = file.read(12)
    file.seek(0)
    container_format = next((name for place, mark, name in _CONTAINERS if head[place:].startswith(mark)), None)
    # The format is named, never guessed: a playlist would be read as one, and could name other files and addresses.
    if container_format is None:
        raise ArtifactCorrupt(f"{where} is no mp4, WebM, Matroska or GIF file")
    try:
        with av.open(file, "r", format=container_format) as container:
            if not container.streams.video:
                raise ArtifactCorrupt(f"{where} holds no video")
            stream = container.streams.video[0]
            _check_size((stream.codec_context.width, stream.codec_context.height), (width, height), where)
            for picture in itertools.islice(container.decode(stream), count + 1):
                _check_size((picture.width, picture.height), (width, height), where)
                if done == count:
                    raise ArtifactCorrupt(f"{where} has more than the {count} frames that were asked for")
                yield picture.to_ndarray(format="rgb24")
                done += 1
    except (av.FFmpegError, ValueError, EOFError) as error:
        raise ArtifactCorrupt(f"{where} is no video that can be read: {error}") from error
    if done < count:
        raise ArtifactCorrupt(f"{where} has {done} frames, {count} were asked for")


def _check_size(found: tuple[int, int], wanted: tuple[int, int], where: str) -> None:
    if found != wanted:
        raise ArtifactCorrupt(f"{where} is {found[0]}x{found[1]}, not {wanted[0]}x{wanted[1]}")
