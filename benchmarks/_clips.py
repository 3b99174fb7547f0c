"""What the benchmarks of clips share: frames without a model's time, and the first prototype's way of making a clip."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

from a1_reactor.media.frames import Frame
from a1_reactor.providers.mock import MockProvider
from a1_reactor.types import JobSpec

__all__ = ["FPS", "PEER", "Loop", "clip_psnr", "prototype_clip"]

FPS = 24
CRF = 18
PEER = "the prototype's way: Pillow with optimize=True, PNG sequence, x264 medium, all frames"
_SCENE_SECONDS = 2


class Loop(MockProvider):
    """Two seconds of the mock scene over and over, each frame marked with its number, so that no two are equal."""

    def __init__(self) -> None:
        self._made: list[Frame] = []

    def generate_frames(self, job: JobSpec) -> Iterator[Frame]:
        if not self._made:
            self._made = list(super().generate_frames(replace(job, seconds=Fraction(_SCENE_SECONDS))))
        for index in range(job.frames):
            frame = self._made[index % len(self._made)].copy()
            frame[0, :4] = np.frombuffer(np.int32(index).tobytes(), np.uint8)[:, None]
            yield frame


def prototype_clip(frames: Sequence[Frame], folder: Path, *, fps: int = FPS) -> dict[str, float]:
    """Make a clip as the first prototype did: write, encode and score every frame of it.

    It called the program ffmpeg; this calls the same libraries by PyAV, without a program's start, which favours it.

    Returns:
        ``cpu`` seconds and ``wall`` seconds.
    """
    start = time.process_time(), time.perf_counter()
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{index:06d}.png", optimize=True)
    options = {"framerate": str(fps)}
    with (
        av.open(str(folder / "%06d.png"), format="image2", options=options) as pictures,
        av.open(str(folder / "artifact.mp4"), "w", options={"movflags": "+faststart"}) as video,
    ):
        stream: Any = video.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        stream.options = {"crf": str(CRF)}  # the preset is x264's own: medium
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
        for picture in pictures.decode(video=0):
            # Its colours were untagged; they are converted and tagged as ours are, so that one measure fits both.
            shown = picture.reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            # A PNG says that it is an I-frame, and x264 does as it is told; the program ffmpeg forgets that, as here.
            shown.pts, shown.pict_type = None, PictureType.NONE
            video.mux(stream.encode(shown))
        video.mux(stream.encode(None))
    differences = []
    last = None
    for index in range(len(frames)):
        with Image.open(folder / f"{index:06d}.png") as image:
            current = np.asarray(image, np.float32)
        if last is not None:
            differences.append(float(np.abs(current - last).mean()) / 255)
        last = current
    assert len(differences) == len(frames) - 1
    return {"cpu": time.process_time() - start[0], "wall": time.perf_counter() - start[1]}


def clip_psnr(video: Path, frames: dict[int, Frame]) -> float:
    """Mean ratio in dB of the frames with these numbers, as a video shows them, to what they should be."""
    ratios = []
    with av.open(io.BytesIO(video.read_bytes())) as container:
        for index, picture in enumerate(container.decode(video=0)):
            if index in frames:
                shown = np.asarray(picture.to_ndarray(format="rgb24"), np.float32)
                error = float(np.square(shown - frames[index]).mean())
                ratios.append(10 * np.log10(255**2 / max(error, 1e-9)))
    assert len(ratios) == len(frames)
    return float(np.mean(ratios))
