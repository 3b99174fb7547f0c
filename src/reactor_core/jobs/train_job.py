"""The kind of job that trains: ``train``.

A job that is paused, or whose worker ends, stops after the part of the step that is going on and a checkpoint, as a run
does on a signal, and leaves its place and its memory to others. It goes on in the same bytes as if it had never
stopped. The kill switch drops the step instead, and the job stands still until it is resumed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reactor_core.cloud.metadata import PREEMPTION
from reactor_core.errors import Interrupted
from reactor_core.jobs.context import JobContext, StopReason
from reactor_core.jobs.train_request import KIND, TrainRequest
from reactor_core.training.card import CARD
from reactor_core.training.control import REQUEST, Wish
from reactor_core.training.curves import read_log
from reactor_core.training.history import LOSSES
from reactor_core.training.hooks import CheckpointInfo, EvalInfo, RunInfo, StepInfo, TrainingHook

__all__ = ["PREEMPTED_SECONDS", "JobHook", "TrainJob", "train_job"]

PREEMPTED_SECONDS = 60.0
"""How long nobody takes the job of a machine that is told that it will be taken away; it has half of that left."""
_AGAIN_SECONDS = 0.5
"""How often a run is asked to stop: one whose model is being loaded does not listen yet."""
_WHOLE = 0.999
"""Share of the job at the last step; the rest is writing what it came to."""


class JobHook(TrainingHook):
    """Says in the table of jobs how the run stands.

    Args:
        context: Of the job.
    """

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._phase, self._share = "load", 0.0
        self._facts: dict[str, Any] = {}
        self._tokens, self._before, self._seconds = 0, 0, 0.0

    def on_start(self, run: RunInfo) -> None:
        """Name the run, so that a later attempt goes on with it."""
        self._facts = {"run_id": run.run_id, "run_dir": str(run.run_dir), "step": run.step, "steps": run.total_steps}
        self._tokens = self._before = sum(row["tokens"] for row in read_log(run.run_dir / LOSSES))
        self._tell("train")

    def on_step(self, step: StepInfo) -> None:
        """Tell step, loss, tokens and speed."""
        self._tokens += step.tokens
        self._seconds += step.seconds
        self._facts |= {
            "step": step.step,
            "loss": round(step.loss, 6),
            "learning_rate": step.learning_rate,
            "tokens": self._tokens,
            "tokens_per_second": round((self._tokens - self._before) / max(self._seconds, 1e-9), 1),
        }
        self._share = min(step.progress, _WHOLE)
        self._tell("train")

    def on_eval(self, eval_info: EvalInfo) -> None:
        """Tell the loss on the held-out rows."""
        self._facts |= {"eval_loss": round(eval_info.loss, 6), "eval_step": eval_info.step}
        self._tell(self._phase)

    def on_checkpoint(self, checkpoint: CheckpointInfo) -> None:
        """Tell what a crash would leave."""
        self._facts |= {"saved_step": checkpoint.step, "saved_every_seconds": round(checkpoint.interval_seconds, 3)}
        self._tell(self._phase)

    def on_pause(self, step: int) -> None:  # noqa: ARG002  the facts have it
        """The run was asked, past the table, to stand still."""
        self._tell("stand still")

    def on_resume(self, step: int) -> None:  # noqa: ARG002
        """It goes on."""
        self._tell("train")

    def on_end(self, result: Any) -> None:  # noqa: ARG002  the job's result has it
        """The last step's figures, whatever was told of it before."""
        self._share = _WHOLE
        self._tell("finish")

    def _tell(self, phase: str) -> None:
        self._phase = phase
        # A run that is to put itself down is left to do so: an exception here would lose what is not saved yet.
        if self._context.stopping() not in (StopReason.WISH, StopReason.DOWN):
            self._context.progress(phase, self._share, self._facts)


class TrainJob:
    """Runs the trainer for one request."""

    name = KIND
    max_attempts = 10

    def check(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """The request as it is stored.

        Raises:
            ConfigError: It cannot be used.
        """
        return TrainRequest.parse(spec).to_json()

    def run(self, context: JobContext) -> dict[str, Any]:
        """Train; returns what :meth:`reactor_core.training.result.TrainingResult.summary` does.

        Raises:
            ReactorError: As :meth:`reactor_core.training.trainer.Trainer.train`.
        """
        request = TrainRequest.parse(context.job.spec)
        config, resume, run = request.config, request.resume, _run_of(context)
        if run is not None:
            if (ended := _result_in(run)) is not None:
                return ended  # the attempt before came to its end, and could not say so
            config, resume = config.model_copy(update={"output_dir": str(run)}), True
        context.progress("load", 0.0)

        # Here, because it imports torch, which takes seconds: who only submits a job does not wait for that.
        from reactor_core.training.command import open_trainer
        from reactor_core.utils.console import Terminal

        opened = open_trainer(
            config,
            settings=context.settings,
            narrator=Terminal(no_color=True),
            store=request.store,
            hooks=(JobHook(context),),
        )
        with opened as trainer, _stops_passed_on(context, lambda: trainer.control.ask(Wish.STOP)):
            try:
                return trainer.train(request.dataset, resume="auto" if resume else False).summary()
            except Interrupted as error:
                _put_down(context, error)
                raise


def _run_of(context: JobContext) -> Path | None:
    """Folder of the run that an earlier attempt began, if it is still there."""
    told = context.job.facts.get("run_dir")
    return Path(told) if told is not None and Path(told).is_dir() else None


def _result_in(run: Path) -> dict[str, Any] | None:
    """What a finished run came to; None of one that has not ended."""
    try:
        card = json.loads((run / CARD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    metrics: dict[str, Any] = card["metrics"]
    return metrics


def _put_down(context: JobContext, error: Interrupted) -> None:
    """Stop the job as its run was stopped. Returns where nothing is known but that it was."""
    context.check()
    if error.by == PREEMPTION:
        context.leave(StopReason.DOWN, wait_seconds=PREEMPTED_SECONDS)
    context.leave(StopReason.ASIDE if error.by == REQUEST else StopReason.DOWN)


@contextmanager
def _stops_passed_on(context: JobContext, stop: Callable[[], object]) -> Iterator[None]:
    """Ask the run to stop, on a thread, when the job is to be put down. A tripped kill switch it sees for itself, and
    after a lost lease it is to write nothing more: its next word to the table ends it."""
    ended = threading.Event()

    def listen() -> None:
        while not ended.is_set():
            if context.stopping(_AGAIN_SECONDS) in (StopReason.WISH, StopReason.DOWN):
                stop()
                ended.wait(_AGAIN_SECONDS)

    thread = threading.Thread(target=listen, name="reactor-train-stop", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


train_job = TrainJob()
