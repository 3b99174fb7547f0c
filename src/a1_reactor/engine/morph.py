"""Mixing two takes of one instant where their shapes are, not only where their pixels are.

A crossfade of two takes that lie 2 pixels apart shows every edge twice. Here each take is first moved towards the
other by its share of the optical flow between them, so that edges meet, and then mixed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from a1_reactor.eval.flow import block_flow
from a1_reactor.eval.pairs import Proxy
from a1_reactor.eval.planes import Plane, displaced
from a1_reactor.media.frames import Frame
from reactor_core.utils.extras import require

__all__ = ["morph_frames", "morph_planes"]

_FEATURE = "blending by optical flow"


def morph_planes(old: Plane, new: Plane, weight: float) -> Plane:
    """The same on brightness alone, for judging a join before it is made.

    Args:
        weight: Share of ``new``, 0..1.
    """
    dx, dy = block_flow(old, new)
    return _mix(displaced(old, weight * dx, weight * dy), displaced(new, (weight - 1) * dx, (weight - 1) * dy), weight)


def morph_frames(old: Frame, new: Frame, proxies: tuple[Proxy, Proxy], weight: float) -> NDArray[np.float32]:
    """A frame between two takes of one instant; float32 ``[height, width, 3]``, not yet rounded.

    Args:
        proxies: Those of ``old`` and ``new``: motion between them is found at their scale.
        weight: Share of ``new``, 0..1.

    Raises:
        MissingExtra: OpenCV is not installed.
    """
    cv2 = require("cv2", feature=_FEATURE, extra="media")
    dx, dy = block_flow(proxies[0].grey, proxies[1].grey)
    height, width, _ = old.shape
    # Pixels of the proxy are larger than those of the frame; each axis has its own rounding of the proxy's size.
    rows, columns = proxies[0].grey.shape
    flow_x = cv2.resize(dx * np.float32(width / columns), (width, height), interpolation=cv2.INTER_LINEAR)
    flow_y = cv2.resize(dy * np.float32(height / rows), (width, height), interpolation=cv2.INTER_LINEAR)
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]
    moved = [
        np.asarray(
            cv2.remap(
                frame.astype(np.float32), x + part * flow_x, y + part * flow_y, cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            ),
            np.float32,
        )
        for frame, part in ((old, np.float32(weight)), (new, np.float32(weight - 1)))
    ]  # fmt: skip
    return _mix(moved[0], moved[1], weight)


def _mix(old: NDArray[np.float32], new: NDArray[np.float32], weight: float) -> NDArray[np.float32]:
    return old + (new - old) * np.float32(weight)
