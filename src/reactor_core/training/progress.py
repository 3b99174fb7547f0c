"""A run's progress on whatever shows it."""

from __future__ import annotations

from reactor_core.training.hooks import StepInfo, TrainingHook
from reactor_core.utils.console import Advance

__all__ = ["ProgressHook"]


class ProgressHook(TrainingHook):
    """Shows step, loss and speed.

    Args:
        advance: What :meth:`reactor_core.utils.console.Narrator.step` yields.
    """

    def __init__(self, advance: Advance) -> None:
        self._advance = advance
        self._tokens = 0
        self._seconds = 0.0

    def on_step(self, step: StepInfo) -> None:
        """Show the step that is done."""
        self._tokens += step.tokens
        self._seconds += step.seconds
        speed = self._tokens / self._seconds if self._seconds else 0.0
        self._advance(f"step {step.step}, loss {step.loss:.3f}, {speed:,.0f} tokens/s", step.progress)
