"""Small video files such as people have, written for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

Draw = Callable[[int], Any]


def corner(width: int = 96, height: int = 64) -> Draw:
    """Blue with a red upper left quarter."""

    def draw(index: int) -> Any:
        picture = np.zeros((height, width, 3), np.uint8)
        picture[..., 2] = 200
        picture[: height // 2, : width // 2] = (200, 0, 0)
        return picture

    return draw


def counting(width: int = 64, height: int = 64) -> Draw:
    """Flat grey whose level says which frame it is: 8 levels a frame from 16 on."""
    return lambda index: np.full((height, width, 3), 16 + 8 * index, np.uint8)


def write_video(
    path: Path,
    draw: Draw,
    moments: Sequence[int],
    *,
    tick: Fraction = Fraction(1, 1000),
    pix_fmt: str = "yuv420p",
    codec: str = "libx264",
    setup: Callable[[Any], None] = lambda stream: None,
    colour: Callable[[Any], None] = lambda context: None,
    tone: int | None = None,
) -> Path:
    """Write frames at the given moments, in ticks; with ``tone``, a sine of so many hertz as AAC."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=30)
        height, width, _ = draw(0).shape
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.time_base = stream.codec_context.time_base = tick
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "crf": "4"}
        colour(stream.codec_context)
        setup(stream)
        sound: Any = None
        if tone is not None:
            sound = container.add_stream("aac", rate=48_000, layout="mono")
        for index, moment in enumerate(moments):
            frame = av.VideoFrame.from_ndarray(draw(index), format="rgb24").reformat(
                format=pix_fmt, dst_colorspace="ITU601", dst_color_range="MPEG"
            )
            frame.pts, frame.time_base = moment, tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            seconds = float(moments[-1] * tick)
            samples = np.sin(2 * np.pi * tone * np.arange(int(48_000 * seconds) // 1024 * 1024) / 48_000)
            for start in range(0, len(samples), 1024):
                block = samples[start : start + 1024].astype(np.float32)[None]
                piece = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
                piece.sample_rate, piece.pts, piece.time_base = 48_000, start, Fraction(1, 48_000)
                container.mux(sound.encode(piece))
            container.mux(sound.encode(None))
    return path
