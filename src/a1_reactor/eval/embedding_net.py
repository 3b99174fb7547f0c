"""What a frame shows, as 1280 numbers: EfficientNet-Lite0 (Tan and Le 2019, the Lite variant of 2020) without its head.

Two pictures of one subject have a cosine near 1, also where pixels differ. The network was trained on ImageNet; the
weights come by :mod:`embedding_weights`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from a1_reactor.media.frames import Frame
from reactor_core.utils.extras import require

if TYPE_CHECKING:
    import torch

__all__ = ["STRIDES", "Embedder", "Embedding", "cosine"]

STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Stride of each of the 16 blocks."""
_SIDE = 224
_EPSILON = 1e-3
_FEATURE = "deep likeness"

Embedding = NDArray[np.float32]
"""float32 ``[1280]``, of length 1."""


class Embedder:
    """The network, ready to look at frames; about 60 ms a frame on one core.

    Raises:
        MissingExtra: torch is not installed.
    """

    def __init__(self, path: Path) -> None:
        require("torch", feature=_FEATURE, extra="train")
        from safetensors.torch import load_file

        self._weights: Mapping[str, torch.Tensor] = load_file(path)

    def embed(self, frames: Sequence[Frame]) -> list[Embedding]:
        """One embedding per frame."""
        import torch

        with torch.inference_mode():
            return [_normalized(self._pooled(frame)) for frame in frames]

    def _pooled(self, frame: Frame) -> Embedding:
        import torch.nn.functional as functional

        small = Image.fromarray(frame).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        # The range that the network was trained with.
        pixels = (np.asarray(small, np.float32) - 127) / 128
        x = _tensor(pixels.transpose(2, 0, 1)[None])
        x = functional.relu6(self._convolved(x, "_conv_stem", "_bn0", stride=2))
        for number, stride in enumerate(STRIDES):
            x = self._block(x, f"_blocks.{number}.", stride)
        x = functional.relu6(self._convolved(x, "_conv_head", "_bn1"))
        return np.asarray(x.mean(dim=(2, 3))[0].numpy(), np.float32)

    def _block(self, x: torch.Tensor, name: str, stride: int) -> torch.Tensor:
        """Widen, convolve each channel by itself, narrow; added to the input where shapes allow."""
        import torch.nn.functional as functional

        y = x
        if f"{name}_expand_conv.weight" in self._weights:
            y = functional.relu6(self._convolved(y, f"{name}_expand_conv", f"{name}_bn0"))
        y = functional.relu6(
            self._convolved(y, f"{name}_depthwise_conv", f"{name}_bn1", stride=stride, groups=y.shape[1])
        )
        y = self._convolved(y, f"{name}_project_conv", f"{name}_bn2")
        return x + y if stride == 1 and x.shape == y.shape else y

    def _convolved(self, x: torch.Tensor, name: str, norm: str, *, stride: int = 1, groups: int = 1) -> torch.Tensor:
        import torch.nn.functional as functional

        weight = self._weights[f"{name}.weight"]
        size = weight.shape[-1]
        # TensorFlow's "same": where the padding is odd, the larger half comes behind.
        total = [max((-(-side // stride) - 1) * stride + size - side, 0) for side in (x.shape[3], x.shape[2])]
        x = functional.pad(x, [part for pad in total for part in (pad // 2, pad - pad // 2)])
        x = functional.conv2d(x, weight, stride=stride, groups=groups)
        mean, variance, scale, shift = (
            self._weights[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(x, mean, variance, scale, shift, eps=_EPSILON)


def cosine(first: Embedding, second: Embedding) -> float:
    """Likeness of two embeddings, -1..1."""
    return float(first @ second)


def _normalized(values: Embedding) -> Embedding:
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-12), np.float32)


def _tensor(values: NDArray[Any]) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(values))
