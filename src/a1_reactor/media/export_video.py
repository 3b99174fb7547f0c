"""Clips as mp4 and webm files for other programs."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from fractions import Fraction
from heapq import merge
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from a1_reactor.media.export_sound import SoundFile, SoundTrack
from a1_reactor.media.frames import Frame
from reactor_core.errors import ArtifactCorrupt, StorageError
from reactor_core.utils.files import storage_errors

__all__ = ["export_mp4", "export_webm"]

_BT709 = 1
_LIMITED_RANGE = 1


def export_mp4(artifact: Path, target: Path, *, seconds: Fraction, sound: SoundFile | None) -> None:
    """Write a clip's mp4 with its pictures packet for packet, and the sound of the file that it was imported from.

    Args:
        artifact: The clip's own mp4.
        seconds: Its length.
        sound: Copied where an mp4 takes its codec, else encoded as AAC; None for none.

    Raises:
        ArtifactCorrupt: The clip's mp4 or its sound cannot be read.
        StorageFull, StorageError: The file cannot be written.
    """
    if sound is None:
        with storage_errors(target):
            shutil.copyfile(artifact, target)
        return
    try:
        with av.open(str(artifact)) as source, _writing(target, "mp4", {"movflags": "+faststart"}) as container:
            pictures = source.streams.video[0]
            stream = container.add_stream_from_template(pictures)
            track = SoundTrack(sound, container, "mp4", seconds)
            _mux(container, _restreamed(source, pictures, stream), track.packets())
    except av.error.FFmpegError as error:
        raise StorageError(f"cannot write {target}: {error}") from error


def export_webm(
    frames: Iterable[Frame],
    target: Path,
    *,
    width: int,
    height: int,
    fps: Fraction,
    seconds: Fraction,
    sound: SoundFile | None,
    crf: int = 24,
) -> None:
    """Encode frames as VP9; sound is copied where webm takes its codec, else encoded as Opus.

    Args:
        frames: In order, all of one size.
        crf: Constant quality, 0 to 63; about 24 looks as x264 does at 18.

    Raises:
        ArtifactCorrupt: The sound cannot be read.
        StorageFull, StorageError: The file cannot be written.
    """
    try:
        with _writing(target, "webm", {}) as container:
            stream: Any = container.add_stream("libvpx-vp9", rate=fps)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.time_base = 1 / fps
            stream.options = {"crf": str(crf), "b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1"}
            stream.thread_count = 2
            context = stream.codec_context
            context.color_primaries = context.color_trc = context.colorspace = _BT709
            context.color_range = _LIMITED_RANGE
            track = None if sound is None else SoundTrack(sound, container, "webm", seconds)
            _mux(container, _encoded(stream, frames, fps), iter(()) if track is None else track.packets())
    except av.error.FFmpegError as error:
        raise StorageError(f"cannot write {target}: {error}") from error


def _writing(target: Path, kind: str, options: dict[str, str]) -> Any:
    with storage_errors(target):
        return av.open(str(target), "w", format=kind, options=options)


def _restreamed(source: Any, pictures: Any, stream: Any) -> Iterator[Any]:
    try:
        for packet in source.demux(pictures):
            if packet.size:
                packet.stream = stream
                yield packet
    except av.error.FFmpegError as error:
        raise ArtifactCorrupt(f"the clip's mp4 cannot be read: {error}") from error


def _encoded(stream: Any, frames: Iterable[Frame], fps: Fraction) -> Iterator[Any]:
    to_yuv = VideoReformatter()
    for index, frame in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        picture = to_yuv.reformat(picture, format="yuv420p", dst_colorspace=Colorspace.ITU709)
        picture.pts, picture.time_base = index, 1 / fps
        yield from stream.encode(picture)
    yield from stream.encode(None)


def _mux(container: Any, pictures: Iterator[Any], sound: Iterator[Any]) -> None:
    """Write packets of both in the order of their times, so that neither waits in memory for the other."""

    def time_of(packet: Any) -> Fraction:
        return Fraction((packet.dts if packet.dts is not None else packet.pts) * packet.time_base)

    for packet in merge(pictures, sound, key=time_of):
        container.mux(packet)
