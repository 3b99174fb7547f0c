"""mp4 files by PyAV: H.264, 4:2:0, BT.709, index in front.

PyAV's wheel brings FFmpeg and x264, so no program on the machine is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import av.error
import av.logging
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from a1_reactor.media.frames import Frame
from a1_reactor.media.h264 import EncoderOptions
from reactor_core.errors import ArtifactCorrupt, StorageError, StorageFull
from reactor_core.utils.files import storage_errors

__all__ = ["EncoderOptions", "Mp4Writer", "count_frames", "decode_frames", "write_mp4"]

_BT709 = 1  # primaries, transfer and matrix share this code point (ITU-T H.273)
_LIMITED_RANGE = 1


class Mp4Writer:
    """Encodes frames as they come; memory does not grow with the clip.

    The file is whole only after ``close()``. Write it under a temporary name, or into a folder that is renamed at the
    end. As a context manager it closes on success and leaves a torn file behind on an error.

    Raises:
        StorageFull: No space is left.
        StorageError: The file cannot be written.
    """

    def __init__(self, path: Path, *, width: int, height: int, fps: Fraction, options: EncoderOptions) -> None:
        self.path = path
        self.frames = 0
        with _media_errors(path):
            self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
            stream: Any = self._container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = 1 / fps
        stream.options = {"preset": options.preset, "crf": str(options.crf)}
        stream.thread_count = options.threads
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = _LIMITED_RANGE
        self._stream = stream
        # Kept for all frames: a frame's own reformat() sets up the conversion anew each time.
        self._to_yuv = VideoReformatter()

    def add(self, frame: Frame) -> None:
        """Append one frame."""
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        picture = self._to_yuv.reformat(picture, format="yuv420p", dst_colorspace=Colorspace.ITU709)
        picture.pts = self.frames
        with _media_errors(self.path):
            self._container.mux(self._stream.encode(picture))
        self.frames += 1

    def close(self) -> None:
        """Flush the encoder and finish the file."""
        with _media_errors(self.path):
            self._container.mux(self._stream.encode(None))
            self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            # The first error is the one to report; closing after a full disk would only repeat it.
            try:
                self._container.close()
            except (av.error.FFmpegError, OSError):
                assert error is not None
                error.add_note(f"{self.path} was left unfinished")


class _media_errors:  # noqa: N801  used as a context manager, like storage_errors
    """Turn FFmpeg's errors into ours; FFmpeg's own carry an errno like OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inner = storage_errors(path)

    def __enter__(self) -> None:
        self._inner.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if isinstance(error, av.error.FFmpegError) and not isinstance(error, OSError | StorageError | StorageFull):
            raise StorageError(f"cannot encode {self._path}: {error}") from error
        return self._inner.__exit__(kind, error, trace)


def write_mp4(path: Path, frames: Iterable[Frame], *, fps: Fraction, options: EncoderOptions) -> int:
    """Encode frames of one size; returns how many there were.

    Raises:
        StorageFull: No space is left.
        StorageError: There are no frames, or the file cannot be written.
    """
    iterator = iter(frames)
    first = next(iterator, None)
    if first is None:
        raise StorageError(f"cannot write {path}: there are no frames")
    height, width, _ = first.shape
    with Mp4Writer(path, width=width, height=height, fps=fps, options=options) as writer:
        writer.add(first)
        for frame in iterator:
            writer.add(frame)
    return writer.frames


def decode_frames(path: Path) -> Iterator[Frame]:
    """Decode a clip frame by frame.

    Raises:
        ArtifactCorrupt: The file is missing or cannot be decoded.
    """
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
    except (av.error.FFmpegError, OSError, IndexError) as error:
        raise ArtifactCorrupt(f"{path} cannot be decoded: {error}") from error


def count_frames(path: Path) -> int:
    """How many frames a clip really decodes to, whatever its header says.

    Raises:
        ArtifactCorrupt: The file is missing or cannot be decoded.
    """
    try:
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0))
    except (av.error.FFmpegError, OSError, IndexError) as error:
        raise ArtifactCorrupt(f"{path} cannot be decoded: {error}") from error
