"""What a run comes to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reactor_core.training.curves import read_log

__all__ = ["TrainingResult", "final_loss"]


@dataclass(frozen=True)
class TrainingResult:
    """Outcome of a run.

    Attributes:
        run_id: Its name.
        run_dir: Its folder.
        adapter_dir: Folder of the adapter in PEFT's format; the folder of the whole model without LoRA.
        steps: Optimizer steps.
        rows_trained: Rows, repeated ones counted each time.
        tokens_trained: Tokens of those rows, prompt and completion.
        tokens_computed: Tokens that went through the model: beginnings that rows of one part share are computed once.
        tokens_per_second: ``tokens_trained`` by ``seconds``.
        seconds: Wall time of the steps and checkpoints, all sessions of the run together; loading is not counted.
        peak_memory_bytes: Highest resident memory while training.
        first_loss: Of the first step, in nats a completion token.
        final_loss: Mean over the last tenth of the steps (at least one).
        dataset_hash: SHA-256 of the dataset file.
        card_path: The run's card.
        loss_path: Loss curve as JSON Lines.
        plot_path: Loss curve as PNG.
        stopped: ``epochs``, ``max_steps``, ``max_seconds``, or what a hook gave as its reason.
        eval_loss: Lowest loss on the held-out rows; None without such rows.
        best_step: Step at which that was, whose weights are the result if ``keep_best`` was set; None without.
        cost_nano_usd: Price of its machine time in nano-dollars, steps that were made again included; None if no price
            is stated for the machine.
        certified: Whether the equivalence certificate of the first step holds; None without one.
        resumed_from: Step at which this session took the run up; 0 for a run that was never interrupted.
    """

    run_id: str
    run_dir: Path
    adapter_dir: Path
    steps: int
    rows_trained: int
    tokens_trained: int
    tokens_computed: int
    tokens_per_second: float
    seconds: float
    peak_memory_bytes: int
    first_loss: float
    final_loss: float
    dataset_hash: str
    card_path: Path
    loss_path: Path
    plot_path: Path
    stopped: str
    resumed_from: int
    eval_loss: float | None = None
    best_step: int | None = None
    cost_nano_usd: int | None = None
    certified: bool | None = None

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any]) -> TrainingResult:
        """What :meth:`summary` came from."""
        paths = ("run_dir", "adapter_dir", "card_path", "loss_path", "plot_path")
        given: dict[str, Any] = {name: Path(value) if name in paths else value for name, value in summary.items()}
        return cls(**given)

    def summary(self) -> dict[str, Any]:
        """The same as a JSON object."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}


def final_loss(log: Path) -> float:
    """Mean over the last tenth of the steps (at least one) of a run's curve."""
    losses: list[float] = [row["loss"] for row in read_log(log)]
    tail = losses[-max(1, math.ceil(len(losses) / 10)) :]
    return sum(tail) / len(tail)
