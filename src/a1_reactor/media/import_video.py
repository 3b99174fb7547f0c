"""Somebody's own video file as frames of a clip: rotation, pixel shape, colour and timing made plain.

A clip's frames are upright, have square pixels, 8 bits, and even sides, at a constant rate. What can be brought there
without guessing is, and said; what cannot (high dynamic range, interlacing, more than 8 bits unless asked for) is
refused with what to do. Frames are decoded as they are drawn: memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.stream import Disposition
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from a1_reactor.media.frames import Frame
from a1_reactor.media.import_timing import Timing, find_timing, resampled
from reactor_core.errors import NotFound, SpecError

__all__ = ["ALONE", "VideoFile", "open_video", "video_frames"]

ALONE = {"protocol_whitelist": ""}
"""How FFmpeg opens a file that is not ours: some of its formats are lists that name other files and hosts."""

# Code points of ITU-T H.273.
_PQ, _HLG = 16, 18
_BT2020 = 9
_UNSPECIFIED = 2
_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
}
_RGB_MATRIX = 0
_FULL_RANGE = 2
_UNKNOWN_FIELDS, _PROGRESSIVE = 0, 1
_HD_HEIGHT = 720
"""From this height on an untagged file is read as BT.709, below as BT.601, as players do."""

Orientation = tuple[int, int, int, int]
"""Where the right and the lower side of a stored picture point when it is shown: (a, b, c, d) with x' = ax + cy and
y' = bx + dy, each -1, 0 or 1."""

_UPRIGHT: Orientation = (1, 0, 0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFile:
    """What a video file becomes as a clip."""

    path: Path
    width: int
    """Pixels of the clip, even."""
    height: int
    """Pixels of the clip, even."""
    timing: Timing
    orientation: Orientation
    stored: tuple[int, int]
    """Width and height of the picture before it is turned, with square pixels."""
    codec: str
    """Name of the codec and of the pixels' format, for the record."""
    sound: str | None
    """Codec of the sound that exports copy; None if the file has none."""
    notes: tuple[str, ...]
    """What is done to the frames beside decoding them, in words."""


def open_video(path: Path, *, fps: Fraction | None = None, reduce_depth: bool = False) -> VideoFile:
    """Look at a file: its first frame and its table of times, nothing more.

    Args:
        fps: Rate of the clip; None keeps a constant rate and gives a variable one the usual rate that is closest.
        reduce_depth: Take more than 8 bits per sample, rounded to 8.

    Raises:
        NotFound: The file cannot be read.
        SpecError: It holds no video that can become a clip; the message says why and what to do.
    """
    with _opened(path) as (container, stream):
        sound = next((str(one.codec_context.name) for one in container.streams.audio), None)
        notes = _other_streams(container, stream)
        times, end, tick = _times(path)
        first = next(iter(container.decode(stream)), None)
        if first is None:
            raise SpecError(f"{path} decodes to no frame", remedy="write the file anew with a video tool")
        notes += _check_picture(path, stream, first, reduce_depth)
        orientation = _orientation(path, first)
        if orientation != _UPRIGHT:
            notes.append("turned upright, as the file asks for")
        stored = _square(first, stream, notes)
        shown = stored if orientation[0] else (stored[1], stored[0])
        width, height = (side - side % 2 for side in shown)
        if (width, height) != shown:
            notes.append(f"cut from {shown[0]}x{shown[1]} to {width}x{height}: video needs even sides")
        rates = [Fraction(rate) for rate in (stream.guessed_rate, stream.average_rate) if rate]
        timing = find_timing(times, end=end, tick=tick, stated=rates, fps=fps)
        if not timing.constant:
            notes.append(_timing_note(timing, len(times), asked=fps is not None))
        codec = f"{stream.codec_context.name} {first.format.name}"
    return VideoFile(
        path=path,
        width=width,
        height=height,
        timing=timing,
        orientation=orientation,
        stored=stored,
        codec=codec,
        sound=sound,
        notes=tuple(notes),
    )


def video_frames(file: VideoFile) -> Iterator[Frame]:
    """The frames of a clip, as :func:`open_video` said.

    Raises:
        NotFound: The file cannot be read.
        SpecError: It is damaged, or its picture changes size on the way; the message says at what time.
    """
    with _opened(file.path) as (container, stream):
        converted: tuple[Any, Frame] | None = None
        convert = _Converter(file, stream)
        for frame in resampled(_timed(file.path, container, stream), file.timing.fps, file.timing.frames):
            if converted is None or converted[0] is not frame:
                converted = frame, convert(frame)
            yield converted[1]


class _Converter:
    """Turns decoded frames into upright RGB with square pixels and even sides."""

    def __init__(self, file: VideoFile, stream: Any) -> None:
        self._file = file
        self._size = stream.codec_context.width, stream.codec_context.height
        self._reformatter = VideoReformatter()

    def __call__(self, frame: Any) -> Frame:
        if (frame.width, frame.height) != self._size:
            raise SpecError(
                f"{self._file.path} changes from {self._size[0]}x{self._size[1]} to {frame.width}x{frame.height} "
                f"at {frame.time:.2f} s",
                remedy="write the file anew with one size",
            )
        width, height = self._file.stored
        picture = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=_matrix(frame),
            src_color_range=ColorRange.JPEG if _is_full(frame) else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT,
        )
        turned = _turned(np.asarray(picture.to_ndarray(format="rgb24"), np.uint8), self._file.orientation)
        return np.ascontiguousarray(turned[: self._file.height, : self._file.width])


def _matrix(frame: Any) -> Any:
    if frame.colorspace == _RGB_MATRIX:  # RGB as it is stored: there is nothing to convert
        return None
    return _MATRICES.get(frame.colorspace) or (Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601)


def _is_full(frame: Any) -> bool:
    return bool(frame.color_range == _FULL_RANGE or frame.format.is_rgb or frame.format.name.startswith("yuvj"))


def _turned(picture: Frame, orientation: Orientation) -> Frame:
    a, b, c, d = orientation
    if a:
        across, down = a, d
    else:
        picture, across, down = picture.transpose(1, 0, 2), c, b
    return picture[::down, ::across]


def _timed(path: Path, container: Any, stream: Any) -> Iterator[tuple[Fraction, Any]]:
    """Moment and frame; a frame without a time stamp follows the one before it at the stated rate."""
    step = _step(stream)
    moment: Fraction | None = None
    try:
        for frame in container.decode(stream):
            if frame.interlaced_frame:
                raise _interlaced(path)
            given = None if frame.pts is None else frame.pts * Fraction(frame.time_base)
            moment = given if given is not None else Fraction(0) if moment is None else moment + step
            yield moment, frame
    except (av.error.FFmpegError, OSError) as error:
        where = "its start" if moment is None else f"{float(moment):.2f} s"
        raise SpecError(
            f"{path} is damaged behind {where}: {error}", remedy="write the file anew with a video tool"
        ) from error


def _times(path: Path) -> tuple[list[int], int, Fraction]:
    """When the frames of a file are shown, when the last one ends, and the tick that both count; nothing is decoded."""
    with _opened(path) as (container, stream):
        times: list[int | None] = []
        duration = 0
        try:
            for packet in container.demux(stream):
                if packet.size and not packet.is_discard:
                    times.append(packet.pts)
                    duration = packet.duration or duration
        except (av.error.FFmpegError, OSError) as error:
            raise SpecError(f"{path} is damaged: {error}", remedy="write the file anew with a video tool") from error
        if not times:
            raise SpecError(f"{path} holds no frame", remedy="write the file anew with a video tool")
        known = sorted(time for time in times if time is not None)
        if len(known) < len(times):  # a bare stream, whose frames follow each other at its rate
            return list(range(len(times))), len(times), _step(stream)
        # The last one of a file that gives no durations lasts as long as the others do on average.
        duration = duration or (known[-1] - known[0]) // max(1, len(known) - 1)
        return known, known[-1] + duration, Fraction(stream.time_base)


def _step(stream: Any) -> Fraction:
    """Seconds that a frame of a stream without times lasts."""
    return 1 / Fraction(stream.guessed_rate or stream.average_rate or 25)


def _check_picture(path: Path, stream: Any, frame: Any, reduce_depth: bool) -> list[str]:
    """Refuse what cannot become 8-bit RGB without a guess; returns what is done to the rest."""
    context = stream.codec_context
    if context.field_order not in (_UNKNOWN_FIELDS, _PROGRESSIVE) or frame.interlaced_frame:
        raise _interlaced(path)
    if frame.color_trc in (_PQ, _HLG):
        kind = "PQ" if frame.color_trc == _PQ else "HLG"
        raise SpecError(
            f"{path} has high dynamic range ({kind}), which clips cannot hold",
            remedy="convert it to BT.709 with a tone mapping that you choose, then import that",
        )
    if frame.color_primaries == _BT2020:
        raise SpecError(
            f"{path} has the colours of BT.2020, which clips cannot hold",
            remedy="convert it to BT.709, then import that",
        )
    notes = []
    bits = max(component.bits for component in frame.format.components)
    if bits > 8:
        if not reduce_depth:
            raise SpecError(
                f"{path} has {bits} bits per sample, clips have 8", remedy="pass --reduce-depth to round them to 8"
            )
        notes.append(f"rounded from {bits} to 8 bits per sample")
    if any(component.is_alpha for component in frame.format.components):
        notes.append("transparency left out")
    untagged = frame.colorspace == _UNSPECIFIED and not frame.format.is_rgb
    if untagged:
        notes.append(f"colours not tagged: read as BT.{709 if frame.height >= _HD_HEIGHT else 601}")
    return notes


def _interlaced(path: Path) -> SpecError:
    return SpecError(f"{path} is interlaced", remedy="deinterlace it with a video tool, then import that")


def _orientation(path: Path, frame: Any) -> Orientation:
    """How the picture is to be turned, from the display matrix (ISO/IEC 14496-12, 8.3.2)."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return _UPRIGHT
    a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(matrix), np.int32)[:5])
    largest = max(abs(value) for value in (a, b, c, d))
    found = tuple(round(value / largest) if largest else 0 for value in (a, b, c, d))
    if (abs(found[0]), abs(found[1]), abs(found[2]), abs(found[3])) not in {(1, 0, 0, 1), (0, 1, 1, 0)}:
        raise SpecError(f"{path} is turned by no right angle", remedy="write the file anew, upright")
    return found[0], found[1], found[2], found[3]


def _square(frame: Any, stream: Any, notes: list[str]) -> tuple[int, int]:
    """Size with square pixels."""
    shape = Fraction(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1)
    if shape in (0, 1):
        return frame.width, frame.height
    width = max(2, round(frame.width * shape / 2) * 2)
    notes.append(
        f"pixels of shape {shape.numerator}:{shape.denominator} made square: {frame.width} columns are {width}"
    )
    return width, frame.height


def _other_streams(container: Any, used: Any) -> list[str]:
    kinds = [stream.type for stream in container.streams if stream is not used]
    if "audio" in kinds:
        kinds.remove("audio")
    return [f"left out: {', '.join(kinds)}"] if kinds else []


def _timing_note(timing: Timing, frames: int, *, asked: bool) -> str:
    low, high = float(timing.shortest_s * 1000), float(timing.longest_s * 1000)
    why = "rate that was asked for" if asked else "variable frame rate"
    return (
        f"{why} ({low:.1f} to {high:.1f} ms between frames): {frames} frames resampled to {timing.frames} "
        f"at {float(timing.fps):g} fps"
    )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """The container and its first stream of moving pictures."""
    # As an open file, never by name, and with no way to open another one.
    try:
        file = path.open("rb")
    except OSError as error:
        raise NotFound(f"cannot read {path}: {error.strerror}") from error
    with file:
        try:
            container = av.open(file, container_options=ALONE)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SpecError(f"{path} is no video file: {error}", remedy="mp4, mov, mkv and webm are usual") from error
        with container:
            streams = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
            if not streams:
                raise SpecError(f"{path} holds no moving picture", remedy="mp4, mov, mkv and webm are usual")
            yield container, streams[0]
