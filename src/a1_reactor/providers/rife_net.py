"""IFNet of RIFE v4: intermediate flow and a mask from two frames, in four steps from coarse to fine.

Huang et al. 2022, "Real-Time Intermediate Flow Estimation for Video Frame Interpolation" (arXiv:2011.06294). The
layers, their names and the order of operations are those of the authors' model 4.0 (MIT licence), whose weights are
read from safetensors; its refinement network and its teacher are not used at inference, and not kept.

Shapes: B batch, H height, W width; flows are [B, 4, H, W] as (x, y) to the first frame and (x, y) to the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["BLOCKS", "MULTIPLE", "between"]

BLOCKS = ((0, 8), (1, 4), (2, 2), (3, 1))
"""Each block's number and how much smaller the picture is that it sees."""
MULTIPLE = 128
"""Sides must be multiples of this: blocks shrink by 8, by 16 where motion is large, and three times by 2 inside."""
_LARGE_MOTION = 32.0
"""Pixels; where both flows of the second step exceed it, all is done again at half the size."""

Weights = Mapping[str, "Tensor"]


def between(weights: Weights, first_B3HW: Tensor, last_B3HW: Tensor, time: float) -> Tensor:  # noqa: N803
    """The frame at a time between two frames.

    Args:
        weights: ``block0.conv0.0.0.weight`` and so on, float32.
        first_B3HW: RGB from 0 to 1; sides are multiples of :data:`MULTIPLE`.
        last_B3HW: The same.
        time: From 0, the first frame, to 1, the last.

    Returns:
        ``[B, 3, H, W]``, from 0 to 1.
    """
    import torch

    clock = torch.full_like(first_B3HW[:, :1], time)
    start = torch.cat((first_B3HW, last_B3HW, clock), 1)
    factor = 1
    flow, mask = _block(weights, 0, start, None, BLOCKS[0][1])
    for number, scale in BLOCKS[1:]:
        refined = _refine(weights, number, first_B3HW, last_B3HW, clock, flow, mask, scale * factor)
        if number == 1 and refined[0][:, :2].abs().max() > _LARGE_MOTION < refined[0][:, 2:4].abs().max():
            factor = 2
            flow, mask = _block(weights, 0, start, None, BLOCKS[0][1] * factor)
            refined = _refine(weights, number, first_B3HW, last_B3HW, clock, flow, mask, scale * factor)
        flow, mask = flow + refined[0], mask + refined[1]
    share = torch.sigmoid(mask)
    result: Tensor = _warp(first_B3HW, flow[:, :2]) * share + _warp(last_B3HW, flow[:, 2:4]) * (1 - share)
    return result


def _refine(
    weights: Weights, number: int, first: Tensor, last: Tensor, clock: Tensor, flow: Tensor, mask: Tensor, scale: int
) -> tuple[Tensor, Tensor]:
    """What a block adds to flow and mask, having seen both frames warped by them."""
    import torch

    seen = torch.cat((_warp(first, flow[:, :2]), _warp(last, flow[:, 2:4]), clock, mask), 1)
    return _block(weights, number, seen, flow, scale)


def _block(weights: Weights, number: int, seen: Tensor, flow: Tensor | None, scale: int) -> tuple[Tensor, Tensor]:
    """Flow and mask, both at full size."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    def resized(value: Tensor, factor: float) -> Tensor:
        found: Tensor = F.interpolate(value, scale_factor=factor, mode="bilinear", align_corners=False)
        return found

    def conv(value: Tensor, name: str, stride: int) -> Tensor:
        prefix = f"block{number}.{name}"
        found = F.conv2d(value, weights[f"{prefix}.0.weight"], weights[f"{prefix}.0.bias"], stride=stride, padding=1)
        return F.prelu(found, weights[f"{prefix}.1.weight"])

    small = resized(seen, 1 / scale)
    if flow is not None:
        small = torch.cat((small, resized(flow, 1 / scale) * (1 / scale)), 1)
    features = conv(conv(small, "conv0.0", 2), "conv0.1", 2)
    deep = features
    for layer in range(8):
        deep = conv(deep, f"convblock.{layer}", 1)
    prefix = f"block{number}.lastconv"
    out = F.conv_transpose2d(
        deep + features, weights[f"{prefix}.weight"], weights[f"{prefix}.bias"], stride=2, padding=1
    )
    out = resized(out, scale * 2)
    return out[:, :4] * (scale * 2), out[:, 4:5]


def _warp(picture: Tensor, flow: Tensor) -> Tensor:
    """The picture looked up at every pixel plus its flow in pixels; beyond the edge its last pixel stands."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    batch, _, height, width = picture.shape
    rows = torch.linspace(-1, 1, height, device=picture.device, dtype=picture.dtype)
    columns = torch.linspace(-1, 1, width, device=picture.device, dtype=picture.dtype)
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1).expand(batch, -1, -1, -1)
    step = torch.tensor([(width - 1) / 2, (height - 1) / 2], device=picture.device, dtype=picture.dtype)
    where = grid + flow.permute(0, 2, 3, 1) / step
    result: Tensor = F.grid_sample(picture, where, mode="bilinear", padding_mode="border", align_corners=True)
    return result
