"""The parts of a step, one after the other: which of them are computed here, and who is told after each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import torch

from reactor_core.utils.canonical import content_hash

__all__ = ["Meter", "Totals", "Turn", "compute_parts", "parts_hash"]


class Turn(NamedTuple):
    """One part to compute.

    Attributes:
        number: Of the part, from 0.
        counts: False computes the part with a loss of zero, which adds nothing: a process that has no part left does so
            to keep others company in what they do together.
    """

    number: int
    counts: bool = True


@dataclass
class Totals:
    """What the turns of a step that are behind came to.

    Attributes:
        turns: How many there were.
        loss: Their sum.
        computed: Tokens that went through the model.
        kept: Tensors on the CPU that the parts fill in, by name; zero where no part has been.
    """

    turns: int = 0
    loss: float = 0.0
    computed: int = 0
    kept: dict[str, torch.Tensor] = field(default_factory=dict)


class Meter(Protocol):
    """Goes along with a step's parts. It never changes what a part computes."""

    def begin(self, parts: int, sha256: str, totals: Totals) -> Sequence[Turn]:
        """The step begins.

        Args:
            parts: How many the step has.
            sha256: Of which rows are in which part (:func:`parts_hash`).
            totals: To be filled with what came before, where the step goes on in its middle.

        Returns:
            The turns to take, in order.
        """
        ...

    def after(self, totals: Totals) -> None:
        """A turn is behind: its gradient has been added to the parameters, and ``totals`` has it."""
        ...

    def end(self, totals: Totals) -> None:
        """All turns are behind. What belongs to the step has to lie in the parameters' gradients and in ``totals``."""
        ...


def parts_hash(parts: Iterable[Iterable[int]]) -> str:
    """SHA-256 over which rows are in which part, in order."""
    return content_hash([list(part) for part in parts])


def compute_parts(
    count: int,
    compute: Callable[[int, Totals], tuple[torch.Tensor, int]],
    *,
    rows: Callable[[], Iterable[Iterable[int]]],
    totals: Totals,
    meter: Meter | None = None,
) -> Totals:
    """Compute the parts of a step and add their gradients to the parameters.

    Args:
        count: Parts of the step.
        compute: Number of a part -> its loss with its graph, and the tokens that were computed for it. May write into
            ``totals.kept``.
        rows: The rows of each part; asked only for a meter.
        totals: Empty, with room in ``kept``.
        meter: Goes along; None computes all parts.

    Returns:
        ``totals``.
    """
    turns = [Turn(number) for number in range(count)]
    if meter is not None:
        turns = list(meter.begin(count, parts_hash(rows()), totals))
    for turn in turns:
        loss, computed = compute(turn.number, totals if turn.counts else deepcopy(totals))
        torch.autograd.backward(loss if turn.counts else loss * 0)
        totals.turns += 1
        if turn.counts:
            totals.loss += float(loss.detach())
            totals.computed += computed
        if meter is not None:
            meter.after(totals)
    if meter is not None:
        meter.end(totals)
    return totals
