"""A step that is half computed, kept so that another thread can save it at any moment.

The gradients of the parts that are done are taken from the parameters after each part, and the next part computes into
new ones. So what is done lies still while the next backward pass writes, and can be saved without waiting for it.
Adding the two afterwards is the addition that autograd would have done, in the same order: the bits are the same, and
so is the work. The price is memory for a second set of gradients in a step of several parts.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import torch

from reactor_core.errors import CheckpointInvalid
from reactor_core.training.meter import Totals, Turn
from reactor_core.utils.clock import Clock
from reactor_core.utils.failpoints import reach

__all__ = ["Accumulator", "Partial"]


@dataclass(frozen=True)
class Partial:
    """What the parts of a step that are done came to.

    Attributes:
        sha256: Of which rows are in which part of the step.
        parts: Parts of the step.
        turns: Parts that are done.
        loss: Their sum.
        computed: Tokens that went through the model for them.
        seconds: What they took.
        gradients: Their sum, by the name of the trained tensor.
        kept: What the objective keeps of them, by name.
    """

    sha256: str
    parts: int
    turns: int
    loss: float
    computed: int
    seconds: float
    gradients: Mapping[str, torch.Tensor]
    kept: Mapping[str, torch.Tensor]

    def facts(self) -> dict[str, Any]:
        """All but the tensors, as JSON values."""
        return {name: getattr(self, name) for name in ("sha256", "parts", "turns", "loss", "computed", "seconds")}

    def tensors(self) -> dict[str, torch.Tensor]:
        """All tensors, as they lie: those of the gradients change with the next part."""
        named = {f"gradient.{name}": value.detach() for name, value in self.gradients.items()}
        return named | {f"kept.{name}": value.detach() for name, value in self.kept.items()}

    @classmethod
    def read(
        cls, facts: Mapping[str, Any], tensors: Mapping[str, torch.Tensor], parameters: Mapping[str, torch.Tensor]
    ) -> Partial:
        """From what :meth:`facts` and :meth:`tensors` gave.

        Raises:
            CheckpointInvalid: The gradients do not fit the trained tensors.
        """
        gradients = {name.removeprefix("gradient."): t for name, t in tensors.items() if name.startswith("gradient.")}
        kept = {name.removeprefix("kept."): t for name, t in tensors.items() if name.startswith("kept.")}
        for name, gradient in gradients.items():
            if name not in parameters or parameters[name].shape != gradient.shape:
                raise CheckpointInvalid(f"a half step holds a gradient of {name}, which this model does not train so")
        return cls(**facts, gradients=gradients, kept=kept)


class Accumulator:
    """Keeps the gradients of the parts that are done (a :class:`~reactor_core.training.meter.Meter`).

    Args:
        parameters: Trained tensors by name.
        still: Inside what it gives, no other thread reads the state.
        clock: Source of time.
        then: Called after each part of a step that has more of them; may raise to end the step there.
    """

    def __init__(
        self,
        parameters: Mapping[str, torch.nn.Parameter],
        *,
        still: Callable[[], AbstractContextManager[Any]],
        clock: Clock,
        then: Callable[[], object] = lambda: None,
    ) -> None:
        self._parameters, self._still, self._clock, self._then = parameters, still, clock, then
        self._gradients: dict[str, torch.Tensor] = {}
        self._totals = Totals()
        self._sha256, self._parts, self._begun = "", 0, 0.0
        self._before: Partial | None = None
        self.earlier = 0.0
        """Seconds that the step's first parts took in another process."""

    def go_on_from(self, partial: Partial) -> None:
        """Let the next step begin after these parts of it."""
        self._before = partial

    def begin(self, parts: int, sha256: str, totals: Totals) -> Sequence[Turn]:
        """See :class:`~reactor_core.training.meter.Meter`. Parts that are not those of before are a warning, and the
        step is computed from its beginning."""
        before, self._before = self._before, None
        if before is not None and (before.sha256, before.parts) != (sha256, parts):
            warnings.warn(
                f"the checkpoint holds {before.turns} of {before.parts} parts of a step which is now cut into {parts} "
                "other ones: the step is computed from its beginning",
                stacklevel=2,
            )
            before = None
        with self._still():
            self._gradients = {}
            if before is not None:
                totals.turns, totals.loss, totals.computed = before.turns, before.loss, before.computed
                totals.kept |= before.kept
                self._gradients = {n: g.to(self._parameters[n].device) for n, g in before.gradients.items()}
            self._sha256, self._parts, self._begun = sha256, parts, self._clock.monotonic()
            self.earlier = 0.0 if before is None else before.seconds
            self._totals = _copied(totals)
        return [Turn(number) for number in range(totals.turns, parts)]

    def after(self, totals: Totals) -> None:
        """See :class:`~reactor_core.training.meter.Meter`."""
        with self._still(), torch.no_grad():
            for name, parameter in self._parameters.items():
                if parameter.grad is None:
                    continue
                if name in self._gradients:
                    self._gradients[name] += parameter.grad
                else:
                    self._gradients[name] = parameter.grad
                parameter.grad = None
            self._totals = _copied(totals)
        reach("step.part")
        if totals.turns < self._parts:
            self._then()

    def end(self, _totals: Totals) -> None:
        """See :class:`~reactor_core.training.meter.Meter`."""
        for name, gradient in self._gradients.items():
            self._parameters[name].grad = gradient

    def clear(self) -> None:
        """The optimizer has moved by these gradients; call it before the state may be read again."""
        self._gradients, self._totals = {}, Totals()

    def partial(self) -> Partial | None:
        """What is done of the step; None between steps and before a step's first part is done."""
        totals = self._totals
        if not totals.turns:
            return None
        seconds = self.earlier + self._clock.monotonic() - self._begun
        return Partial(
            sha256=self._sha256,
            parts=self._parts,
            turns=totals.turns,
            loss=totals.loss,
            computed=totals.computed,
            seconds=seconds,
            gradients=self._gradients,
            kept=totals.kept,
        )


def _copied(totals: Totals) -> Totals:
    """Not changed by the next part."""
    return replace(totals, kept={name: value.clone() for name, value in totals.kept.items()})
