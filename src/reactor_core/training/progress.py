"""A run's progress on whatever shows it."""

from __future__ import annotations

from reactor_core.training.hooks import CheckpointInfo, EvalInfo, RunInfo, StepInfo, TrainingHook
from reactor_core.utils.console import Advance

__all__ = ["ProgressHook"]


class ProgressHook(TrainingHook):
    """Shows step, loss and speed, and the last loss on the held-out rows if there are any.

    Args:
        advance: What :meth:`reactor_core.utils.console.Narrator.step` yields.
    """

    def __init__(self, advance: Advance) -> None:
        self._advance = advance
        self._tokens = 0
        self._seconds = 0.0
        self._steps = 0
        self._held_out = self._saved = ""

    def on_start(self, run: RunInfo) -> None:
        """Note how many steps there are."""
        self._steps = run.total_steps

    def on_step(self, step: StepInfo) -> None:
        """Show the step that is done."""
        self._tokens += step.tokens
        self._seconds += step.seconds
        speed = self._tokens / self._seconds if self._seconds else 0.0
        of = f" of {self._steps}" if self._steps else ""
        self._advance(
            f"step {step.step}{of}, loss {step.loss:.3f}{self._held_out}, {speed:,.0f} tokens/s{self._saved}",
            step.progress,
        )

    def on_eval(self, eval_info: EvalInfo) -> None:
        """Note the loss on the held-out rows."""
        self._held_out = f", held-out {eval_info.loss:.3f}" + (" (best)" if eval_info.best else "")

    def on_checkpoint(self, checkpoint: CheckpointInfo) -> None:
        """Note how often the run is saved, which follows from what it costs."""
        self._saved = f", saved every {checkpoint.interval_seconds:,.3g} s"
