"""Rows that a run does not train on: how good it is, when it was best, and when it stopped getting better."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file

from reactor_core.data.records import Dataset
from reactor_core.errors import CheckpointInvalid, DatasetError, NonFiniteLoss
from reactor_core.training.checkpoint import Progress
from reactor_core.training.config import TrainingConfig
from reactor_core.training.curves import read_log
from reactor_core.training.hooks import EvalInfo
from reactor_core.training.objective import Objective
from reactor_core.training.tensors import write_tensors
from reactor_core.utils.files import atomic_dir, atomic_write, storage_errors

__all__ = ["HeldOut", "require_disjoint"]

WEIGHTS = "trained.safetensors"


def require_disjoint(trained: Dataset, held: Dataset) -> None:
    """Refuse held-out rows that are trained on: what is measured there says nothing.

    Raises:
        DatasetError: A row stands in both.
    """
    known = {(row.messages, row.prompt_text, row.completion_text): row.line for row in trained.rows}
    for row in held.rows:
        line = known.get((row.messages, row.prompt_text, row.completion_text))
        if line is not None:
            raise DatasetError(
                f"this row is trained on as well ({trained.path}:{line})",
                path=held.path,
                line=row.line,
                remedy="remove it from one of the two files",
            )


class HeldOut:
    """Measures a run on its held-out rows.

    Args:
        objective: Over the held-out rows.
        config: ``eval_steps``, ``early_stopping`` and ``keep_best`` of it.
        folder: The run's.
        parameters: Trained tensors by name.
        steps_per_epoch: Optimizer steps of a pass over the training rows.
        step: Of the last measurement that the checkpoint knows of from which the run goes on; what was measured later
            is measured again.
        settle: Called before weights are kept, to bring ``parameters`` up to date.
    """

    def __init__(
        self,
        objective: Objective,
        config: TrainingConfig,
        *,
        folder: Path,
        parameters: Mapping[str, torch.nn.Parameter],
        steps_per_epoch: int,
        step: int,
        settle: Callable[[], object] = lambda: None,
    ) -> None:
        self.objective, self._settle = objective, settle
        self.log = folder / "eval.jsonl"
        self._config, self._folder, self._parameters = config, folder, parameters
        self._every = config.eval_steps or steps_per_epoch
        kept = [line for line in read_log(self.log) if line["step"] <= step] if self.log.exists() else []
        atomic_write(self.log, "".join(json.dumps(line) + "\n" for line in kept))
        self._last = max((line["step"] for line in kept), default=0)

    def due(self, progress: Progress, *, ended: bool) -> bool:
        """Whether it is time to measure: at each interval, and once more at the end of the run."""
        return progress.step > self._last and (ended or progress.step % self._every == 0)

    def measure(self, progress: Progress) -> EvalInfo:
        """Measure the model as it stands. If it is the best so far, note that in ``progress`` and keep its weights.

        Raises:
            NonFiniteLoss: The loss is NaN or infinite.
            StorageFull: No space is left.
        """
        begun = time.perf_counter()
        outcome = self.objective.measure()
        if not torch.isfinite(torch.tensor(outcome.loss)):
            raise NonFiniteLoss(
                f"step {progress.step}: the loss on the held-out rows is {outcome.loss}",
                remedy="lower learning_rate; the last checkpoint is intact",
            )
        best = progress.best_loss is None or outcome.loss < progress.best_loss
        info = EvalInfo(progress.step, outcome.loss, best, time.perf_counter() - begun, outcome.metrics)
        if best:
            if self._config.keep_best:
                self._settle()
                self._keep(progress.step)
            progress.best_loss, progress.best_step, progress.measured_since_best = outcome.loss, progress.step, 0
        else:
            progress.measured_since_best += 1
        with storage_errors(self.log), self.log.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(info)) + "\n")
        self._last = progress.measured_step = progress.step
        return info

    def exhausted(self, progress: Progress) -> bool:
        """Whether it has not become better for as many measurements as the configuration allows."""
        patience = self._config.early_stopping
        return patience is not None and progress.measured_since_best >= patience

    def take_best(self, progress: Progress) -> bool:
        """Put the best weights into the model; False if it has them, or none are kept.

        Raises:
            CheckpointInvalid: They are gone or damaged.
        """
        if not self._config.keep_best or progress.best_step in (0, progress.step):
            return False
        place = self._place(progress.best_step)
        try:
            kept = load_file(str(place))
            with torch.no_grad():
                for name, parameter in self._parameters.items():
                    parameter.copy_(kept[name])
        except (OSError, KeyError, ValueError) as error:
            raise CheckpointInvalid(
                f"the best weights, of step {progress.best_step}, cannot be read: {place}",
                remedy="train with resume=False to start over",
            ) from error
        return True

    def sweep(self, progress: Progress) -> None:
        """Remove weights that are no longer the best. Call it after a checkpoint, which may speak of them."""
        for place in self._folder.glob("best-*"):
            if place != self._place(progress.best_step).parent:
                shutil.rmtree(place)

    def _place(self, step: int) -> Path:
        return self._folder / f"best-{step:08d}" / WEIGHTS

    def _keep(self, step: int) -> None:
        place = self._place(step)
        with atomic_dir(place.parent) as temporary:
            tensors = {name: value.detach().cpu().clone() for name, value in self._parameters.items()}
            write_tensors(tensors, temporary / WEIGHTS)
