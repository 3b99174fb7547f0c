"""How far a run is on its way, what that means for its learning rate, and when it has arrived."""

from __future__ import annotations

from dataclasses import dataclass

from reactor_core.data.loader import num_steps
from reactor_core.training.checkpoint import Progress
from reactor_core.training.config import TrainingConfig
from reactor_core.training.optim import learning_rate

__all__ = ["Course"]


@dataclass(frozen=True)
class Course:
    """The way of a run.

    Attributes:
        config: Limits and schedule of it.
        total_steps: Optimizer steps if no time limit ends it earlier.
    """

    config: TrainingConfig
    total_steps: int

    @classmethod
    def of(cls, config: TrainingConfig, rows: int) -> Course:
        """The way of a run over so many rows."""
        steps = config.num_epochs * num_steps(rows, config.batch_size)
        return cls(config, steps if config.max_steps is None else min(steps, config.max_steps))

    def share(self, progress: Progress) -> float:
        """What is behind, from 0 to 1, by steps or by time, whichever is further."""
        by_steps = progress.step / self.total_steps
        limit = self.config.max_seconds
        return by_steps if limit is None else max(by_steps, min(1.0, progress.elapsed / limit))

    def learning_rate(self, progress: Progress) -> float:
        """That the next step is taken with."""
        increment = 1 / self.total_steps
        if self.config.max_seconds is not None:
            increment = max(increment, progress.last_step_seconds / self.config.max_seconds)
        return learning_rate(self.config, self.share(progress), increment)

    def ended(self, progress: Progress) -> str | None:
        """Why there is no next step; None if there is one."""
        config = self.config
        if progress.step >= self.total_steps:
            return "max_steps" if config.max_steps is not None and progress.step == config.max_steps else "epochs"
        # A step that would probably end too late is not begun.
        expected = progress.elapsed + progress.last_step_seconds
        if config.max_seconds is not None and progress.step and expected > config.max_seconds:
            return "max_seconds"
        return None
