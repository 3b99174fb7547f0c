"""The tensors of a checkpoint: as they lie, or copied, so that the optimizer may move while they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psutil
import torch

from reactor_core.training.memory import peak_memory
from reactor_core.training.partial import Partial
from reactor_core.utils.environment_memory import MemoryRoom, probe_memory

__all__ = ["Snapshot", "Spare", "has_room"]

_SPARE_SHARE = 0.1
"""Of the process's highest point: how much more than before it may take, as holes in the heap."""
_SPARE_BYTES = 512 * 2**20
"""For everything else on the machine."""


@dataclass(frozen=True)
class Snapshot:
    """What a checkpoint holds of tensors.

    Attributes:
        trained: The trained tensors by name.
        moments: The optimizer's, by name of the trained tensor and of the moment.
        half: Gradients of the parts of a step that are done, and what the objective keeps of them; empty between steps.
        partial: What else there is to say of those parts; None between steps.
        device: Where the trained tensors are computed with.
    """

    trained: Mapping[str, torch.Tensor]
    moments: Mapping[str, torch.Tensor]
    half: Mapping[str, torch.Tensor]
    partial: Mapping[str, Any] | None
    device: torch.device

    @classmethod
    def of(
        cls,
        parameters: Mapping[str, torch.nn.Parameter],
        optimizer: torch.optim.Optimizer,
        partial: Partial | None = None,
    ) -> Snapshot:
        """Of the state as it lies: its tensors change when the optimizer moves.

        Args:
            parameters: Trained tensors by name, in the optimizer's order.
            optimizer: Has their moments.
            partial: The parts of the next step that are done; their gradients change with the next part.
        """
        ordered = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        assert len(ordered) == len(parameters)
        moments = {
            f"{name}.{key}": value.detach()
            for name, parameter in zip(parameters, ordered, strict=True)
            for key, value in optimizer.state[parameter].items()
        }
        trained = {name: parameter.detach() for name, parameter in parameters.items()}
        device = next((value.device for value in trained.values()), torch.device("cpu"))
        half, facts = ({}, None) if partial is None else (partial.tensors(), partial.facts())
        return cls(trained, moments, half, facts, device)

    @property
    def nbytes(self) -> int:
        """Of all tensors."""
        return sum(value.nbytes for tensors in (self.trained, self.moments, self.half) for value in tensors.values())


class Spare:
    """Memory that a snapshot is copied into. It is taken with the first copy and kept for the next ones: most of the
    time of a first copy goes into getting the memory from the system.

    Args:
        room: Whether so many bytes more may be taken.
    """

    def __init__(self, room: Callable[[int], bool]) -> None:
        self._room = room
        self._tensors: dict[str, torch.Tensor] = {}

    def fits(self, snapshot: Snapshot) -> bool:
        """Whether there is memory for a copy."""
        missing = snapshot.nbytes - sum(value.nbytes for value in self._tensors.values())
        return missing <= 0 or self._room(missing)

    def copy(self, snapshot: Snapshot) -> Snapshot:
        """A copy, on the CPU. It is overwritten by the next one."""
        return replace(
            snapshot,
            trained=self._copied("trained", snapshot.trained),
            moments=self._copied("moments", snapshot.moments),
            half=self._copied("half", snapshot.half),
        )

    def _copied(self, kind: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        copies = {name: self._place(f"{kind}.{name}", value) for name, value in tensors.items()}
        for name, value in tensors.items():
            copies[name].copy_(value)
        return copies

    def _place(self, name: str, like: torch.Tensor) -> torch.Tensor:
        kept = self._tensors.get(name)
        if kept is None or (kept.shape, kept.dtype) != (like.shape, like.dtype):
            # What a GPU copies into pinned memory does not pass through another buffer.
            kept = torch.empty(like.shape, dtype=like.dtype, pin_memory=like.is_cuda)
            self._tensors[name] = kept
        return kept


def has_room(size: int, probe: Callable[[], MemoryRoom] = probe_memory) -> bool:
    """Whether a process that trains may take so many bytes and keep them, and go on as it did.

    What it will need again for its next steps it has needed before, since the last
    :func:`~reactor_core.training.memory.reset_peak_memory`.

    Args:
        size: In bytes.
        probe: Looks at the memory.
    """
    peak = peak_memory()
    again = max(0, peak - int(psutil.Process().memory_info().rss))
    return size + again + _SPARE_SHARE * peak + _SPARE_BYTES <= probe().available
