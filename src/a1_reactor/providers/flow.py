"""Frames between two frames by optical flow (the extra ``[media]``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from a1_reactor.media.frames import Frame
from reactor_core.utils.extras import require

__all__ = ["FlowInterpolator"]

_SMALLEST_SIDE = 16
"""DIS flow needs a few patches; smaller frames are blended without motion."""


class FlowInterpolator:
    """Dense inverse search flow (Kroeger et al. 2016, arXiv:1603.03590) in both directions, then a warp from each side.

    A pixel at time t is taken from the first frame t times the way back along its flow, and from the last frame 1 - t
    times; the two are mixed by time, and where the flows disagree (what one frame hides) the side that agrees counts.
    At 768x768 the flows take about 0.3 s of one core per window, each frame about 30 ms.
    """

    name = "flow"

    def identity(self) -> Mapping[str, str]:
        """Name and version; OpenCV's release is part of it, because its flow may change."""
        cv2 = _cv2()
        return {"name": self.name, "version": "1", "opencv": str(cv2.__version__)}

    def between(self, first: Frame, last: Frame, times: Sequence[float]) -> Iterator[Frame]:
        """Frames between two frames.

        Raises:
            MissingExtra: OpenCV is not installed.
        """
        cv2 = _cv2()
        forward, backward = _flow(cv2, first, last), _flow(cv2, last, first)
        trust_first = _agreement(cv2, forward, backward)
        trust_last = _agreement(cv2, backward, forward)
        grid = _grid(first)
        for time in times:
            one, weight_one = _looked_up(cv2, (first, trust_first), grid, forward * -time)
            two, weight_two = _looked_up(cv2, (last, trust_last), grid, backward * -(1 - time))
            # The weights travel with the pictures that they judge.
            weight_one *= 1 - time
            share = (weight_one / (weight_one + time * weight_two))[..., None]
            mixed = two + (one.astype(np.float32) - two) * share
            yield np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _cv2() -> Any:
    return require("cv2", feature="frames by optical flow", extra="media")


def _flow(cv2: Any, source: Frame, target: Frame) -> NDArray[np.float32]:
    """Where every pixel of ``source`` goes, float32 ``[height, width, 2]`` in pixels (x, y)."""
    height, width = source.shape[:2]
    if min(height, width) < _SMALLEST_SIDE:
        return np.zeros((height, width, 2), np.float32)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (source, target)]
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(search.calc(grey[0], grey[1], None), np.float32)


def _grid(frame: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Column and row of every pixel, float32 ``[height, width]`` each."""
    height, width = frame.shape[:2]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return columns, rows


def _looked_up(
    cv2: Any,
    pictures: Sequence[NDArray[Any]],
    grid: tuple[NDArray[np.float32], NDArray[np.float32]],
    motion: NDArray[np.float32],
) -> list[NDArray[Any]]:
    """Pictures looked up at every pixel plus ``motion``; beyond the edge the last pixel stands."""
    columns, rows = grid[0] + motion[..., 0], grid[1] + motion[..., 1]
    return [
        np.asarray(cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
        for picture in pictures
    ]


def _agreement(cv2: Any, there: NDArray[np.float32], back: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 where going there and back ends where it began, falling to 0.05 where it does not, ``[height, width]``."""
    [returned] = _looked_up(cv2, (back,), _grid(back), there)
    error = there + returned
    distance = np.einsum("hwc,hwc->hw", error, error)
    return np.asarray(0.05 + 0.95 * np.exp(-distance / 4), np.float32)
