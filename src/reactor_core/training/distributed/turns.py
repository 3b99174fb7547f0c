"""Which parts of a step a process computes, and how what they came to becomes one step again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from reactor_core.errors import TrainingError
from reactor_core.training.distributed.world import World
from reactor_core.training.meter import Totals, Turn

__all__ = ["RankMeter", "turns_of"]


def turns_of(parts: int, *, rank: int, size: int) -> list[Turn]:
    """The parts of a step that are one process's, in rounds: in each, every process takes one.

    Where there are fewer parts than turns the last round is filled up with parts that do not count, for the weights of
    a layer are brought together by all processes or by none.
    """
    rounds = -(-parts // size)
    numbers = [turn * size + rank for turn in range(rounds)]
    return [Turn(number) if number < parts else Turn(number % parts, counts=False) for number in numbers]


class RankMeter:
    """Deals the parts of a step out, and adds up loss, counts and gradients when all of them are behind.

    Args:
        world: Who takes part.
        whole: The trained tensors that every process has whole, in an order that is the same everywhere. The gradients
            of tensors that are shared out are added up as the backward pass goes.
    """

    def __init__(self, world: World, whole: Iterable[torch.nn.Parameter]) -> None:
        self._world, self._whole = world, list(whole)
        self._compared = False

    @property
    def earlier(self) -> float:
        """Seconds that an earlier process spent on the step that is going on: none, as steps are saved whole."""
        return 0.0

    def clear(self) -> None:
        """The step's gradients are used up."""

    def begin(self, parts: int, sha256: str, totals: Totals) -> Sequence[Turn]:
        """See :meth:`~reactor_core.training.meter.Meter.begin`.

        Raises:
            TrainingError: Another process has other rows.
        """
        del totals
        if not self._compared and self._world.follow(sha256) != sha256:
            raise TrainingError(
                f"process {self._world.rank} takes other rows than the first one", remedy="give all the same data file"
            )
        self._compared = True
        return turns_of(parts, rank=self._world.rank, size=self._world.size)

    def after(self, totals: Totals) -> None:
        """See :meth:`~reactor_core.training.meter.Meter.after`; nothing is said in the middle of a step."""

    def end(self, totals: Totals) -> None:
        """See :meth:`~reactor_core.training.meter.Meter.end`."""
        loss, computed, *_ = self._world.sums((totals.loss, totals.computed))
        totals.loss, totals.computed = loss, int(computed)
        self._world.add_up(list(totals.kept.values()))
        # A tensor that no process's parts touched keeps no gradient, as it would in one process.
        touched = self._world.sums([float(tensor.grad is not None) for tensor in self._whole])
        moved = [tensor for tensor, times in zip(self._whole, touched, strict=True) if times]
        for tensor in moved:
            if tensor.grad is None:
                tensor.grad = torch.zeros_like(tensor)
        self._world.add_up([tensor.grad for tensor in moved if tensor.grad is not None])
