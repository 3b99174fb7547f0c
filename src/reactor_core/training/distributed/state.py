"""The state of a run in several processes: given out by the first one, and brought together in it.

The first process alone reads and writes checkpoints, and they have one form, however many processes there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import torch
from torch.distributed.tensor import DTensor, distribute_tensor
from transformers import AutoModelForCausalLM

from reactor_core.errors import ConfigError
from reactor_core.models.load import LoadedModel
from reactor_core.training.checkpoint import Progress
from reactor_core.training.config import TrainingConfig
from reactor_core.training.distributed.shards import share_out, whole
from reactor_core.training.distributed.world import World
from reactor_core.training.optim import build_optimizer

__all__ = ["Mirror", "give_out", "give_tensor", "share_training"]

_MOMENTS = ("exp_avg", "exp_avg_sq")


def give_tensor(world: World, tensor: torch.Tensor | None) -> torch.Tensor | None:
    """The first process's tensor, on the CPU; None if it has none."""
    shape = world.follow(None if tensor is None else list(tensor.shape))
    if shape is None:
        return None
    given = tensor if tensor is not None and world.first else torch.empty(shape)
    world.copy_from_first([given])
    return given


def give_out(
    world: World,
    progress: Progress,
    parameters: Mapping[str, torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
) -> Progress:
    """Bring all processes to the state that the first one has read from a checkpoint.

    Args:
        world: Who takes part.
        progress: Of the first process.
        parameters: Trained tensors by name, whole; of a run that has not begun they are equal already.
        optimizer: Its moments.

    Returns:
        The first process's progress.
    """
    given = Progress(**world.follow(asdict(progress)))
    if world.size == 1 or given.step == 0:
        return given
    tensors = [parameter.detach() for parameter in parameters.values()]
    for parameter in parameters.values():
        state = optimizer.state[parameter]
        state.setdefault("step", torch.tensor(0.0))
        for key in _MOMENTS:
            state.setdefault(key, torch.zeros_like(parameter))
        tensors += [state[key] for key in ("step", *_MOMENTS)]
    world.copy_from_first(tensors)
    return given


class Mirror:
    """The trained state of a model that is trained in full and shared out, whole in the first process's memory.

    It is as old as the last :meth:`take`. Checkpoints and the result are written from it.

    Args:
        shared: The trained tensors by name.
        shared_optimizer: What moves them.
        parameters: The same tensors whole; kept by the first process alone.
        optimizer: With room for their moments.
        world: Who takes part.
    """

    def __init__(
        self,
        shared: Mapping[str, torch.nn.Parameter],
        shared_optimizer: torch.optim.Optimizer,
        *,
        parameters: dict[str, torch.nn.Parameter],
        optimizer: torch.optim.Optimizer,
        world: World,
    ) -> None:
        self._shared, self._shared_optimizer, self._world = shared, shared_optimizer, world
        self.parameters = parameters if world.first else {}
        """The whole tensors by name; empty in the other processes."""
        self.optimizer = optimizer
        """Has their moments."""
        if not world.first:
            optimizer.state.clear()
            optimizer.param_groups.clear()

    def take(self) -> None:
        """Bring the state together as it now is. Every process has to call it."""
        first = self._world.first
        for name, tensor in self._shared.items():
            state = self._shared_optimizer.state.get(tensor, {})
            found = whole({"": tensor, **{key: state[key] for key in _MOMENTS if key in state}}, keep=first)
            if not first:
                continue
            kept = self.parameters[name]
            with torch.no_grad():
                kept.copy_(found[""])
            if state:
                moments = {key: found[key] for key in _MOMENTS}
                self.optimizer.state[kept] = {"step": state["step"].detach().clone(), **moments}

    def as_loaded(self, loaded: LoadedModel) -> LoadedModel:
        """The model with the whole tensors, which can be saved as any other (first process)."""
        with torch.device("meta"):
            model: Any = AutoModelForCausalLM.from_config(loaded.model.config)
        model.load_state_dict(self.parameters, strict=False, assign=True)
        model.tie_weights()
        model.generation_config = loaded.model.generation_config
        return replace(loaded, model=model)


def share_training(
    model: Any,
    config: TrainingConfig,
    parameters: dict[str, torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
    *,
    world: World,
    device: torch.device,
) -> tuple[dict[str, torch.nn.Parameter], torch.optim.Optimizer, Mirror | None]:
    """Share a model out that is ready to be trained, in place.

    Args:
        model: With its additions.
        config: Of the run.
        parameters: Trained tensors by name, in the optimizer's order, the same in every process.
        optimizer: Made for them, with their moments.
        world: Who takes part.
        device: Where the weights are.

    Returns:
        The trained tensors and their optimizer, which are the ones given where an adapter is trained; and the mirror
        of them where all weights are.

    Raises:
        ConfigError: All weights are trained, and a certificate is asked for: it compares whole gradients.
    """
    if config.use_lora:
        share_out(model, kept_whole=parameters.values(), device=device)
        return parameters, optimizer, None
    if config.certificate:
        raise ConfigError(
            "certificate=True with use_lora=False on several processes",
            remedy="take the certificate in a run of one process with max_steps=1, or train with shard=False",
        )
    share_out(model, kept_whole=(), device=device)
    named = dict(model.named_parameters())
    shared = {name: named[name] for name in parameters}
    shared_optimizer = build_optimizer(
        shared.values(),
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        beta2=config.adam_beta2,
    )
    for name, tensor in shared.items():
        assert isinstance(tensor, DTensor)
        if state := optimizer.state.get(parameters[name]):
            # Every process has the whole moments, and takes its part of them.
            parts = {
                key: distribute_tensor(state[key], tensor.device_mesh, tensor.placements, src_data_rank=None)
                for key in _MOMENTS
            }
            shared_optimizer.state[tensor] = {"step": state["step"], **parts}
    return (
        shared,
        shared_optimizer,
        Mirror(shared, shared_optimizer, parameters=parameters, optimizer=optimizer, world=world),
    )
