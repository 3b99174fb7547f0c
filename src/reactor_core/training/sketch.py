"""A model without its weights: every layer with its shape, on torch's meta device, where a tensor has no content.

It is built from ``config.json`` alone, takes no memory worth speaking of, and can be adapted and called as the real one
can. What it answers has no values, but the sizes of everything that is computed on the way are those of the real model
(:mod:`reactor_core.training.rehearsal`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

from reactor_core.errors import ArtifactCorrupt
from reactor_core.models.attention import DOCUMENT_ATTENTION
from reactor_core.models.quantize import Nf4Linear
from reactor_core.training.config import TrainingConfig

__all__ = ["NF4_BLOCK", "Nf4Sketch", "depth_of", "keep_top_layers", "shape_of", "sketch_model", "weight_bytes"]

NF4_BLOCK = 64
"""Weights that share a scale (:mod:`reactor_core.models.quantize`)."""
_SCALES_BLOCK = 256
"""Scales that share a scale of their own under double quantization."""


class Nf4Sketch(Nf4Linear):
    """A linear layer as if its weight were kept in four bits.

    Args:
        base: ``nn.Linear`` or ``Conv1D``, on the meta device.
        double_quantization: Whether the scales are stored in eight bits.
    """

    def __init__(self, base: nn.Module, *, double_quantization: bool) -> None:
        nn.Module.__init__(self)  # the quantized one would compute the indices
        self.was_transposed = isinstance(base, Conv1D)
        weight = base.weight
        assert isinstance(weight, torch.Tensor)
        self.out_features, self.in_features = weight.shape[::-1] if self.was_transposed else weight.shape
        self.bias = base.bias
        self._double = double_quantization

    @property
    def weight(self) -> torch.Tensor:
        """A new tensor each time, as of the quantized one, ``[out, in]``."""
        return torch.empty(self.out_features, self.in_features, device="meta")

    @property
    def nbytes(self) -> int:
        """Bytes that the weight would take: indices of four bits, a scale a block, the table of the 16 values."""
        count = self.out_features * self.in_features
        scales = -(-count // NF4_BLOCK)
        table = 16 * 4
        if not self._double:
            return -(-count // 2) + 4 * scales + table
        # eight bits a scale, a float for 256 of them, their table of 256 values and their mean
        return -(-count // 2) + scales + 4 * -(-scales // _SCALES_BLOCK) + 256 * 4 + 4 + table


def sketch_model(folder: Path, config: TrainingConfig) -> Any:
    """The model of a folder without its weights, not adapted yet.

    Args:
        folder: With ``config.json``.
        config: ``quantization`` and ``double_quantization`` of it.

    Raises:
        ArtifactCorrupt: The folder describes no causal model.
    """
    try:
        described = AutoConfig.from_pretrained(str(folder), local_files_only=True)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(
                described, attn_implementation=DOCUMENT_ATTENTION, dtype=torch.float32
            )
    except (OSError, ValueError, KeyError) as error:
        raise ArtifactCorrupt(f"{folder} describes no causal model: {error}") from error
    model.requires_grad_(False)
    if config.quantization is not None:
        head = model.get_output_embeddings()
        for path, layer in list(model.named_modules()):
            if (type(layer) is nn.Linear or isinstance(layer, Conv1D)) and layer is not head:
                parent, _, leaf = path.rpartition(".")
                quantized = Nf4Sketch(layer, double_quantization=config.double_quantization)
                setattr(model.get_submodule(parent), leaf, quantized)
    return model.eval()


def weight_bytes(model: Any) -> tuple[int, int]:
    """Bytes of the frozen weights, and of those that are trained; tensors that are shared count once."""
    frozen = sum(module.nbytes for module in model.modules() if isinstance(module, Nf4Sketch))
    frozen += sum(value.nbytes for value in model.buffers())
    trained = 0
    for parameter in model.parameters():
        if parameter.requires_grad:
            trained += parameter.nbytes
        else:
            frozen += parameter.nbytes
    return frozen, trained


def depth_of(model: Any) -> int:
    """Layers of the decoder."""
    return int(model.config.get_text_config().num_hidden_layers)


def shape_of(model: Any) -> tuple[int, int]:
    """Hidden width and number of layers."""
    return int(model.config.get_text_config().hidden_size), depth_of(model)


def keep_top_layers(model: Any, count: int) -> bool:
    """Take the lowest layers out of the decoder, in place, so that so many are left.

    Returns:
        False if the model keeps its layers in a way that is not known, and all are left.
    """
    depth, found = depth_of(model), False
    for path, module in list(model.named_modules()):
        if isinstance(module, nn.ModuleList) and len(module) == depth > count:
            parent, _, leaf = path.rpartition(".")
            setattr(model.get_submodule(parent), leaf, module[depth - count :])
            found = True
    return found
