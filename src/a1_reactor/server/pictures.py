"""Small pictures of a clip, side by side."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from a1_reactor.storage.clip import Clip

__all__ = ["filmstrip"]


def filmstrip(clip: Clip, *, count: int, height: int) -> tuple[bytes, list[int]]:
    """One row of evenly spaced frames, without gaps: cell ``i`` begins at ``i / cells`` of the width.

    Args:
        clip: Whose frames.
        count: How many; fewer if the clip has fewer.
        height: Of each, in pixels.

    Returns:
        A PNG file, and the numbers of the frames.

    Raises:
        ArtifactCorrupt: A frame is not what was stored.
    """
    numbers = np.unique(np.linspace(0, clip.frame_count - 1, min(count, clip.frame_count)).round().astype(int)).tolist()
    spec = clip.job.resolved
    width = max(1, round(spec.width * height / spec.height))
    row = Image.new("RGB", (width * len(numbers), height))
    for cell, number in enumerate(numbers):
        small = Image.fromarray(clip.frame(number)).resize((width, height), Image.Resampling.BOX, reducing_gap=2.0)
        row.paste(small, (cell * width, 0))
    out = io.BytesIO()
    row.save(out, "png", compress_level=1)
    return out.getvalue(), numbers
