"""Clips as animated GIF files, with one palette made of all their frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import av.filter
import numpy as np
from PIL import Image

from a1_reactor.media.frames import Frame
from reactor_core.errors import StorageError
from reactor_core.utils.files import storage_errors

__all__ = ["MAX_FPS", "export_gif", "gif_step"]

MAX_FPS = 50
"""GIF counts hundredths of seconds, and browsers show anything below two of them as ten."""

_TICK = Fraction(1, 100)


def gif_step(fps: Fraction) -> int:
    """Every how many frames one is taken, so that no more than 50 a second are left."""
    return max(1, -(-fps.numerator // (fps.denominator * MAX_FPS)))


def export_gif(
    frames: Callable[[], Iterable[Frame]],
    target: Path,
    *,
    size: tuple[int, int],
    fps: Fraction,
    width: int | None = None,
) -> None:
    """Write a GIF that repeats for ever. Frames are gone through twice: for the palette and for the pictures.

    Args:
        frames: Gives the frames from the start each time it is called.
        size: Width and height of the frames.
        fps: Their rate; above 50 a second frames are left out.
        width: Pixels of the GIF, its height in proportion; None keeps the size.

    Raises:
        StorageFull, StorageError: The file cannot be written.
    """
    step = gif_step(fps)
    scaled = size if width is None else (width, max(1, round(size[1] * width / size[0])))

    def pictures() -> Iterator[Any]:
        for index, frame in enumerate(frames()):
            if index % step == 0:
                picture = av.VideoFrame.from_ndarray(_resized(frame, scaled), format="rgb24")
                picture.pts, picture.time_base = round(index / fps / _TICK), _TICK
                yield picture

    try:
        palette = _palette(pictures(), scaled)
        with storage_errors(target):
            container = av.open(str(target), "w", format="gif")
        with container:
            stream: Any = container.add_stream("gif", rate=100)
            stream.width, stream.height, stream.pix_fmt = *scaled, "pal8"
            stream.time_base = stream.codec_context.time_base = _TICK
            for picture in _painted(pictures(), palette, scaled):
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
    except av.error.FFmpegError as error:
        raise StorageError(f"cannot write {target}: {error}") from error


def _resized(frame: Frame, size: tuple[int, int]) -> Frame:
    if frame.shape[1::-1] == size:
        return np.ascontiguousarray(frame)
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS), np.uint8)


def _palette(pictures: Iterator[Any], size: tuple[int, int]) -> Any:
    """256 colours by median cut over all pictures, as a 16x16 picture."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=size[0], height=size[1], format="rgb24", time_base=_TICK)
    maker, sink = graph.add("palettegen", "reserve_transparent=0"), graph.add("buffersink")
    source.link_to(maker)
    maker.link_to(sink)
    graph.configure()
    for picture in pictures:
        source.push(picture)
    source.push(None)
    return sink.pull()


def _painted(pictures: Iterator[Any], palette: Any, size: tuple[int, int]) -> Iterator[Any]:
    """The pictures in the palette's colours, dithered in a fixed pattern, which does not crawl between frames."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=size[0], height=size[1], format="rgb24", time_base=_TICK)
    colours = graph.add_buffer(width=16, height=16, format=palette.format.name, time_base=_TICK)
    painter, sink = graph.add("paletteuse", "dither=bayer:bayer_scale=3"), graph.add("buffersink")
    source.link_to(painter, 0, 0)
    colours.link_to(painter, 0, 1)
    painter.link_to(sink)
    graph.configure()
    palette.pts = 0
    colours.push(palette)
    colours.push(None)
    for picture in pictures:
        source.push(picture)
        yield from _pulled(sink)
    source.push(None)
    yield from _pulled(sink)


def _pulled(sink: Any) -> Iterator[Any]:
    while True:
        try:
            yield sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
