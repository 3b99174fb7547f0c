"""One span as services see it: numbers, text, and the old frames as files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from a1_reactor.media.frames import Frame
from a1_reactor.media.mask import painted
from a1_reactor.media.png import encode_png
from a1_reactor.providers.base import BaseClip
from a1_reactor.providers.modes import anchors_of
from a1_reactor.providers.pictures import encode_video
from a1_reactor.providers.template import ABSENT
from a1_reactor.types import JobSpec, Span
from reactor_core.errors import SpecError

__all__ = ["BLANKS", "MEDIA", "Asked", "Upload"]

Upload = Callable[[bytes, str, str], Any]
"""From bytes, media type and file name to what stands for them in a request."""

MEDIA = frozenset({"video", "mask_video", "first_frame", "last_frame"})
"""Blanks that are files: the span, white where frames are to be made, and the kept frames at its ends."""
BLANKS = MEDIA | {
    "prompt", "negative_prompt", "seed", "fps", "width", "height", "frames", "seconds",
    "window_start_frame", "window_stop_frame", "window_start_s", "window_stop_s", "window_seconds",
}  # fmt: skip
"""All names that a template may hold, besides options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of a service for one span."""

    job: JobSpec
    span: Span
    base: BaseClip | None
    """The old clip; None where a clip is made from words."""
    spatial: bool = False
    """Whether the mask of the job goes into the mask of the span."""

    def values(self, upload: Upload) -> dict[str, Callable[[], Any]]:
        """What fills the blanks. Times and frame numbers of the window count from the span's first frame."""
        job, span = self.job, self.span
        start, stop = span.window.start - span.start, span.window.stop - span.start
        first, last = anchors_of(span)
        plain: dict[str, Any] = {
            "prompt": job.prompt,
            "negative_prompt": job.negative_prompt or "",
            "seed": job.seed,
            "fps": int(job.fps) if job.fps.denominator == 1 else float(job.fps),
            "width": job.width,
            "height": job.height,
            "frames": len(span),
            "seconds": float(len(span) / job.fps),
            "window_start_frame": start,
            "window_stop_frame": stop,
            "window_start_s": float(start / job.fps),
            "window_stop_s": float(stop / job.fps),
            "window_seconds": float((stop - start) / job.fps),
        }
        made: dict[str, Callable[[], Any]] = {name: _constant(value) for name, value in plain.items()}
        made["video"] = lambda: upload(self._video(self._old(i) for i in span.indices), "video/mp4", "span.mp4")
        made["mask_video"] = lambda: upload(self._video(self._mask()), "video/mp4", "mask.mp4")
        made["first_frame"] = lambda: self._picture(first, upload)
        made["last_frame"] = lambda: self._picture(last, upload)
        return made

    def _old(self, index: int) -> Frame:
        if self.base is None:
            raise SpecError(
                "the provider wants frames of an old clip, and there is none",
                remedy="generate the clip with another provider, or import one, then regenerate windows of it",
            )
        return self.base.frame(index)

    def _picture(self, index: int | None, upload: Upload) -> Any:
        if index is None or self.base is None:
            return ABSENT
        return upload(encode_png(self._old(index)), "image/png", f"frame_{index}.png")

    def _mask(self) -> Iterator[Frame]:
        job = self.job
        shape = job.height, job.width, 3
        black, white = np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)
        part = painted(job.mask, width=job.width, height=job.height) if self.spatial else None
        window = white if part is None else np.where(part[..., None], white, black)
        for index in range(self.span.start, self.span.stop):
            # Frames behind the clip's end stand there only for their number: to be made, then dropped.
            yield window if index in self.span.window else white if index >= self.span.clip_frames else black

    def _video(self, frames: Iterator[Frame]) -> bytes:
        job = self.job
        return encode_video(frames, fps=job.fps, width=job.width, height=job.height)


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value
