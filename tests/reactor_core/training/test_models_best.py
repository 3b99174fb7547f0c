"""Laws of early stopping and of the best weights, for any course that the held-out loss may take."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, cast

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.training.checkpoint import Progress
from reactor_core.training.config import TrainingConfig
from reactor_core.training.heldout import HeldOut
from reactor_core.training.objective import Outcome


class Course:
    """An objective whose loss takes a given course."""

    def __init__(self, losses: list[float]) -> None:
        self._left = iter(losses)

    def measure(self) -> Outcome:
        return Outcome(next(self._left), 1, 1)


def run(losses: list[float], folder: Path, **options: Any) -> tuple[int, Progress, float]:
    """Measure after each step while the run goes on; the weight at step n is n.

    Returns:
        Steps that were made, what is known of them, and the weight that the result has.
    """
    weight = torch.nn.Parameter(torch.zeros(1))
    config = TrainingConfig(eval_dataset="held.jsonl", eval_steps=1, **options)
    held = HeldOut(
        cast("Any", Course(losses)), config, folder=folder, parameters={"w": weight}, steps_per_epoch=1, step=0
    )
    progress = Progress()
    for step in range(1, len(losses) + 1):
        progress.step = step
        weight.data.fill_(step)
        held.measure(progress)
        held.sweep(progress)
        if held.exhausted(progress):
            break
    held.take_best(progress)
    return progress.step, progress, weight.item()


@settings(max_examples=25, deadline=None)
@given(
    losses=st.lists(st.sampled_from([0.5, 1.0, 1.5, 2.0, 2.5, 3.0]), min_size=1, max_size=12),
    patience=st.one_of(st.none(), st.integers(1, 4)),
    keep=st.booleans(),
)
def test_a_run_ends_with_its_patience_and_results_in_the_first_of_its_lowest_losses(
    losses: list[float], patience: int | None, keep: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        steps, progress, weight = run(losses, Path(folder), early_stopping=patience, keep_best=keep)
    seen = losses[:steps]
    best = seen.index(min(seen)) + 1
    assert (progress.best_loss, progress.best_step) == (min(seen), best)
    assert progress.measured_since_best == steps - best
    assert weight == (best if keep else steps)
    # It ended because patience ran out, and not before.
    without = [step - (losses[:step].index(min(losses[:step])) + 1) for step in range(1, len(losses) + 1)]
    expected = next((n for n, waited in enumerate(without, 1) if patience and waited >= patience), len(losses))
    assert steps == expected
