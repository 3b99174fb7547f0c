"""Proof that a step computed what it says: its rows once more, the plain way.

The trained path packs documents without padding, holds equal beginnings once, skips what carries no loss and writes its
own backward passes. Each of those is exact on paper. The certificate checks it for the model, the rows and the machine
at hand, before the first step moves a weight: each document alone, from its first token, through the model's own
forward pass with its own attention, all logits, plain autograd; the adapter as ``base(x) + s (x A^T) B^T``; for a
preference the two answers apart, each with its prompt, and the reference asked anew.

An adapter starts with B = 0, where the gradient of A is zero however it is computed. So the same rows are compared at a
second point too, with seeded noise in place of B, which is then taken out again.

Not covered: rows whose tokens or mask are wrong to begin with (both sides read the same documents), the optimizer, and
later steps. With dropout both sides run without it.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from reactor_core.data.packing import Document
from reactor_core.data.pairs import Pair
from reactor_core.errors import CertificateFailed
from reactor_core.training.config import TrainingConfig
from reactor_core.training.lora import lora_modules
from reactor_core.training.naive import naive_loss, naive_references, own_attention
from reactor_core.training.objective import Objective, evaluating
from reactor_core.utils.files import atomic_write

__all__ = ["TOLERANCE", "Certificate", "Certifier", "Point", "certify"]

TOLERANCE = 1e-3
"""Largest relative difference that passes. float32 sums in another order differ by 1e-6 to 1e-4; a wrong mask or a
leak between documents differs by 1e-2 and more."""

_FILE = "certificate.json"
_PROBE_STD = 0.02
_FLOOR = 1e-3


@dataclass(frozen=True)
class Point:
    """One comparison.

    Attributes:
        weights: ``start``, the weights that the step starts from, or ``probe``, with noise in place of an adapter's
            zero half.
        loss: As the trained path has it.
        naive_loss: As the plain way has it.
        loss_error: Their difference, relative to the latter (to 1 nat where that is smaller).
        gradient_error: Largest over the trained tensors of ``|g - g'| / max(|g'|, |G'| / 1000)`` with Euclidean norms,
            g' the plain gradient of the tensor and G' that of all tensors together. The floor keeps a tensor that
            hardly takes part from turning rounding into a fault.
        worst: The tensor that has it.
    """

    weights: str
    loss: float
    naive_loss: float
    loss_error: float
    gradient_error: float
    worst: str


@dataclass(frozen=True)
class Certificate:
    """What the comparison of one step came to.

    Attributes:
        step: 1-based.
        rows: Rows of the step.
        documents: Documents that were recomputed; two for each row of a preference.
        tokens: Tokens of those documents.
        points: The comparisons.
        tolerance: Largest error that passes.
        attention: Which of the model's own attentions the plain way took.
        dtype: Of its weights.
        dropout: True if the model drops at random while training, which both sides left out.
        seconds: What it took.
    """

    step: int
    rows: int
    documents: int
    tokens: int
    points: tuple[Point, ...]
    tolerance: float
    attention: str
    dtype: str
    dropout: bool
    seconds: float

    @property
    def loss_error(self) -> float:
        """The largest of all points."""
        return max(point.loss_error for point in self.points)

    @property
    def gradient_error(self) -> float:
        """The largest of all points."""
        return max(point.gradient_error for point in self.points)

    @property
    def holds(self) -> bool:
        """Whether no error is above the tolerance; an error that is no number is."""
        errors = [error for point in self.points for error in (point.loss_error, point.gradient_error)]
        return all(error <= self.tolerance for error in errors)

    def as_dict(self) -> dict[str, Any]:
        """JSON values, the verdict and the largest errors beside the fields."""
        verdict = {"holds": self.holds, "loss_error": self.loss_error, "gradient_error": self.gradient_error}
        return {**verdict, **asdict(self), "points": [asdict(point) for point in self.points]}


class Certifier:
    """A run's certificate: made at its first step, kept in its folder, found there by those who go on with the run.

    Args:
        model: With its additions.
        objective: What computes the steps.
        examples: Every document or pair of the dataset, by row.
        config: Of the run.
        parameters: Trained tensors by name.
        folder: The run's.
        drops: Whether the model drops anything at random while training.
    """

    def __init__(
        self,
        model: Any,
        objective: Objective,
        examples: Sequence[Document] | Sequence[Pair],
        *,
        config: TrainingConfig,
        parameters: Mapping[str, torch.nn.Parameter],
        folder: Path,
        drops: bool,
    ) -> None:
        self._model, self._objective, self._examples = model, objective, examples
        self._config, self._parameters, self._drops = config, parameters, drops
        self._file = folder / _FILE
        self.facts: dict[str, Any] | None = None
        """For the card; None where the run does without, or has not begun."""
        if config.certificate and self._file.exists():
            self.facts = json.loads(self._file.read_text(encoding="utf-8"))

    def check(self, rows: Sequence[int], *, loss: float, step: int, seed: int) -> float:
        """Certify the run's first step, whose gradients are computed and not yet applied; nothing on later ones.

        Args:
            rows: Of the step.
            loss: Of the step. One that is not finite is left to the check of gradients, which says so.
            step: 1-based.
            seed: That the step was computed with.

        Returns:
            The seconds it took.

        Raises:
            CertificateFailed: As :func:`certify`.
        """
        if self.facts is not None or not self._config.certificate or not math.isfinite(loss):
            return 0.0
        begun = time.perf_counter()
        from_nothing = self._config.use_lora and self._config.adapter is None
        if step > 1 and self._config.method == "dpo" and not from_nothing:
            reason = f"asked for at step {step}, when the weights of the reference were gone"
            self.facts = {"holds": None, "reason": reason}
        else:
            made = certify(
                self._model,
                self._objective,
                self._examples,
                rows,
                config=self._config,
                parameters=self._parameters,
                loss=loss,
                step=step,
                seed=seed,
                drops=self._drops,
            )
            self.facts = made.as_dict()
        atomic_write(self._file, json.dumps(self.facts, indent=2, sort_keys=True) + "\n")
        return time.perf_counter() - begun


def certify(
    model: Any,
    objective: Objective,
    examples: Sequence[Document] | Sequence[Pair],
    rows: Sequence[int],
    *,
    config: TrainingConfig,
    parameters: Mapping[str, torch.nn.Parameter],
    loss: float,
    step: int,
    seed: int,
    drops: bool = False,
    tolerance: float = TOLERANCE,
) -> Certificate:
    """Recompute a step whose gradients lie in ``parameters``; they, and the weights, are left as they were.

    Args:
        model: With the weights that the step starts from.
        objective: What computed the step.
        examples: Every document or pair of the dataset, by row.
        rows: Of the step.
        config: Of the run.
        parameters: Trained tensors by name.
        loss: Of the step, as ``objective`` gave it.
        step: 1-based.
        seed: That the step was computed with; also of the noise.
        drops: Whether the model drops anything at random while training. Then the step is computed once more without.
        tolerance: Largest error that passes.

    Raises:
        CertificateFailed: An error is above the tolerance. The optimizer has not moved.
    """
    begun = time.perf_counter()
    mine = [examples[row] for row in rows]
    tensors = dict(parameters)
    kept = {name: value.grad for name, value in tensors.items()}
    documents = [d for one in mine for d in (one.documents if isinstance(one, Pair) else (one,))]
    points = []
    try:
        with evaluating(model):
            if drops:
                loss = _compute(objective, rows, tensors, seed)
            references = naive_references(model, [one for one in mine if isinstance(one, Pair)], config)
            points.append(_compare("start", loss, model, mine, config, tensors, references))
            with _noise_for_zeros(model, seed) as probed:
                if probed:
                    loss = _compute(objective, rows, tensors, seed)
                    points.append(_compare("probe", loss, model, mine, config, tensors, references))
    finally:
        for name, value in tensors.items():
            value.grad = kept[name]
    certificate = Certificate(
        step=step,
        rows=len(rows),
        documents=len(documents),
        tokens=sum(len(document.ids) for document in documents),
        points=tuple(points),
        tolerance=tolerance,
        attention=own_attention(model),
        dtype=str(next(iter(tensors.values())).dtype).removeprefix("torch."),
        dropout=drops,
        seconds=time.perf_counter() - begun,
    )
    if not certificate.holds:
        worst = max(points, key=lambda point: max(point.loss_error, point.gradient_error))
        raise CertificateFailed(
            f"step {step}: computed plainly, the loss differs by {certificate.loss_error:.1e} and a gradient by "
            f"{certificate.gradient_error:.1e} ({worst.worst}, weights: {worst.weights}); {tolerance:.0e} is allowed",
            remedy="the optimizer has not moved; report this with the model's config.json, or train with "
            "certificate=False if the model's own rounding explains it",
        )
    return certificate


def _compute(objective: Objective, rows: Sequence[int], tensors: Mapping[str, torch.nn.Parameter], seed: int) -> float:
    for value in tensors.values():
        value.grad = None
    return objective.accumulate(rows, seed=seed).loss


def _compare(
    weights: str,
    loss: float,
    model: Any,
    examples: Sequence[Document | Pair],
    config: TrainingConfig,
    tensors: Mapping[str, torch.nn.Parameter],
    references: Sequence[tuple[float, float]],
) -> Point:
    """Compare the gradients that lie in the tensors with plain ones, which replace them."""
    packed = {name: value.grad for name, value in tensors.items()}
    for value in tensors.values():
        value.grad = None
    plain = naive_loss(model, examples, config, references)
    norms, apart = {}, {}
    for name, value in tensors.items():
        mine, other = packed[name], value.grad
        norms[name] = 0.0 if other is None else float(other.norm())
        if mine is None or other is None:
            one = mine if other is None else other
            apart[name] = 0.0 if one is None else float(one.norm())
        else:
            apart[name] = float((mine.to(other.device) - other).norm())
    whole = sum(norm**2 for norm in norms.values()) ** 0.5
    errors = {name: _share(apart[name], max(norms[name], _FLOOR * whole)) for name in tensors}
    worst = max(errors, key=lambda name: _rank(errors[name]))
    return Point(weights, loss, plain, abs(loss - plain) / max(abs(plain), 1.0), errors[worst], worst)


def _share(part: float, whole: float) -> float:
    if whole:
        return part / whole
    return float("inf") if part else 0.0  # 0.0: nothing to learn, and both sides say so


def _rank(error: float) -> float:
    return float("inf") if error != error else error


@contextmanager
def _noise_for_zeros(model: Any, seed: int) -> Iterator[bool]:
    """Inside the block every B that is all zero holds noise; False, and nothing changes, where there is none."""
    zero = [module.lora_B for _, module in lora_modules(model) if not module.lora_B.any()]
    generator = torch.Generator().manual_seed(seed % 2**63)
    with torch.no_grad():
        for tensor in zero:
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * _PROBE_STD)
    try:
        yield bool(zero)
    finally:
        with torch.no_grad():
            for tensor in zero:
                tensor.zero_()
