"""A model whose weights are shared out: each process holds a part of every layer, and has it whole while it computes.

FSDP2 (``torch.distributed.fsdp.fully_shard``) cuts every tensor along its first dimension and brings a layer together
just before it is needed, in the forward and again in the backward pass. Of a model with an adapter the frozen weights
are shared out, and the small trained tensors are whole everywhere, so that each process has all that a run's state
consists of. Of a model that is trained in full the trained weights, their gradients and their moments are shared out.

Weights in four bits are not shared out: they are an eighth of the size to begin with, and what unpacks them wants them
whole. Their model's embeddings, head and norms are.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor

from reactor_core.training.step import INSIDE

__all__ = ["blocks_of", "held_bytes", "here", "is_shared_out", "share_out", "whole"]


def blocks_of(model: Any) -> list[nn.Module]:
    """The decoder layers of a ``transformers`` model; none where they cannot be told from the rest."""
    depth = getattr(model.config.get_text_config(), "num_hidden_layers", 0)
    lists = (module for module in model.base_model.modules() if isinstance(module, nn.ModuleList))
    found = next((modules for modules in lists if len(modules) == depth), None)
    return [] if found is None else list(found)


def share_out(model: Any, *, kept_whole: Iterable[nn.Parameter], device: torch.device) -> None:
    """Share a model's weights out among the processes, in place.

    From then on a weight is whole only inside the model's own calls, and inside of what is given to
    :data:`~reactor_core.training.step.INSIDE`. Gradients of shared tensors are added up over the processes.

    Args:
        model: The same in every process. Parameters that are not kept whole are replaced.
        kept_whole: Those that every process keeps.
        device: Where the weights are.
    """
    mesh = init_device_mesh(device.type, (torch.distributed.get_world_size(),))
    whole_ones = set(kept_whole)
    for block in blocks_of(model):
        fully_shard(block, mesh=mesh, ignored_params=whole_ones)
    fully_shard(model, mesh=mesh, ignored_params=whole_ones)
    for module in model.modules():
        if isinstance(module, FSDPModule):
            # The loss is divided by the step's tokens already, wherever they are.
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)
    setattr(model, INSIDE, types.MethodType(_call, model))
    register_fsdp_forward_method(model, INSIDE)


def _call(_model: Any, work: Callable[[], Any]) -> Any:
    return work()


def is_shared_out(model: Any) -> bool:
    """Whether the weights of a model are shared out among processes."""
    return hasattr(model, INSIDE)


def held_bytes(model: nn.Module) -> int:
    """Bytes of the parameters that this process holds between two steps."""
    return sum(here(parameter).nbytes for parameter in model.parameters())


def here(tensor: torch.Tensor) -> torch.Tensor:
    """The part of a tensor that this process holds; the tensor itself where it is not shared out."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def whole(tensors: Mapping[str, torch.Tensor], *, keep: bool) -> dict[str, torch.Tensor]:
    """Bring tensors together, one after the other. Every process has to call it with the same names.

    Args:
        tensors: Shared out or not.
        keep: Whether this process wants them.

    Returns:
        The whole tensors on the CPU, or nothing.
    """
    found = {}
    for name, tensor in tensors.items():
        full = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
        if keep:
            found[name] = full.detach().cpu()
    return found
