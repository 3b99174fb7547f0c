"""Frames between two frames by RIFE, a small network trained for it.

Its weights are fetched with ``a1-reactor providers --fetch rife``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from a1_reactor.media.frames import Frame
from a1_reactor.providers.rife_net import MULTIPLE, between
from reactor_core.errors import ArtifactCorrupt
from reactor_core.utils.extras import require

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["RifeInterpolator"]


class RifeInterpolator:
    """RIFE 4.0 on the CPU or another device of torch; about 1.2 s of one core per frame of 768x768.

    Args:
        weights: Converted weights (see ``rife_weights``).
        device: Device of torch.
    """

    name = "rife"

    def __init__(self, weights: Path, device: str = "cpu") -> None:
        self._path = weights
        self._device = device

    def identity(self) -> Mapping[str, str]:
        """Name and model; torch's release and the device are none, since they change no more than rounding."""
        return {"name": self.name, "version": "1", "model": "RIFE 4.0"}

    @cached_property
    def _weights(self) -> dict[str, Tensor]:
        require("torch", feature="RIFE", extra="train")
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(self._path, device=self._device)
        except (OSError, SafetensorError) as error:
            raise ArtifactCorrupt(
                f"{self._path} cannot be read: {error}", remedy="delete it, then a1-reactor providers --fetch rife"
            ) from error

    def between(self, first: Frame, last: Frame, times: Sequence[float]) -> Iterator[Frame]:
        """Frames between two frames.

        Raises:
            MissingExtra: torch is not installed.
            ArtifactCorrupt: The weights cannot be read.
        """
        weights = self._weights
        import torch

        one, two = (_padded(torch, frame).to(self._device) for frame in (first, last))
        height, width = first.shape[:2]
        for time in times:
            with torch.inference_mode():
                made = between(weights, one, two, time)[0, :, :height, :width].clamp(0, 1).mul(255).round()
            yield np.ascontiguousarray(made.byte().permute(1, 2, 0).cpu().numpy())


def _padded(torch: Any, frame: Frame) -> Tensor:
    """float32 ``[1, 3, H, W]`` from 0 to 1, grown below and on the right to a size that the net takes."""
    height, width = frame.shape[:2]
    picture = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None].float() / 255
    # The last row and column stand again: black there would bleed into the picture's edge.
    room = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
    return torch.nn.functional.pad(picture, room, mode="replicate")  # type: ignore[no-any-return]
