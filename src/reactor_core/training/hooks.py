"""What watches a run: it is told, it may ask to stop, and it never changes the numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from reactor_core.events.vocabulary import EventType
from reactor_core.utils.ids import new_id

__all__ = ["CheckpointInfo", "EvalInfo", "EventHook", "Hook", "Hooks", "RunInfo", "StepInfo", "TrainingHook"]


@dataclass(frozen=True)
class RunInfo:
    """A run that starts or goes on.

    Attributes:
        run_id: Its name.
        run_dir: Its folder.
        model: Name of the base model.
        rows: Rows in the dataset.
        total_steps: Optimizer steps if no time limit ends it earlier.
        step: Steps that are already behind (0 unless resumed).
        max_seconds: The time limit, or None.
        dataset_hash: SHA-256 of the dataset file.
        elapsed: Seconds of training that are already behind (0 unless resumed).
    """

    run_id: str
    run_dir: Path
    model: str
    rows: int
    total_steps: int
    step: int
    max_seconds: float | None
    dataset_hash: str
    elapsed: float = 0.0


@dataclass(frozen=True)
class StepInfo:
    """One optimizer step that is done.

    Attributes:
        step: 1-based, over the whole run.
        epoch: Passes over the data that are behind, as a fraction.
        progress: Share of the run that is behind, by steps or by time, whichever is further.
        loss: What was minimised: for ``sft`` the mean over the step's completion tokens in nats, for ``dpo`` the mean
            over its pairs.
        learning_rate: That this step was taken with.
        grad_norm: Before clipping.
        tokens: Tokens of the step's rows, shared beginnings counted for every row.
        tokens_computed: Tokens that went through the model.
        seconds: Wall time of this step.
        elapsed: Seconds of training so far, earlier sessions included.
        metrics: For ``dpo`` the means ``rewards_chosen``, ``rewards_rejected``, ``margin`` and ``accuracy``.
    """

    step: int
    epoch: float
    progress: float
    loss: float
    learning_rate: float
    grad_norm: float
    tokens: int
    tokens_computed: int
    seconds: float
    elapsed: float
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class EvalInfo:
    """A measurement on the held-out rows.

    Attributes:
        step: Optimizer steps that are behind.
        loss: In the unit of :attr:`StepInfo.loss`.
        best: Whether it is the lowest so far.
        seconds: Wall time of the measurement.
        metrics: As in :class:`StepInfo`.
    """

    step: int
    loss: float
    best: bool
    seconds: float
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckpointInfo:
    """A checkpoint that has been written; one on a notice is not told of.

    Attributes:
        step: Optimizer steps that are behind; the checkpoint's own or one more, as it is written beside the next step.
        seconds: How long training stood still for it.
        interval_seconds: Until the next one.
    """

    step: int
    seconds: float
    interval_seconds: float


class Hook(Protocol):
    """What a hook may have; the trainer calls what is there."""

    def on_start(self, run: RunInfo) -> None:
        """The run starts or goes on."""

    def on_step(self, step: StepInfo) -> None:
        """A step is done."""

    def on_eval(self, eval_info: EvalInfo) -> None:
        """The held-out rows were measured."""

    def on_checkpoint(self, checkpoint: CheckpointInfo) -> None:
        """The run was saved."""

    def on_pause(self, step: int) -> None:
        """The run stands still after this step."""

    def on_resume(self, step: int) -> None:
        """A paused run goes on."""

    def card_facts(self) -> dict[str, Any]:
        """What the run's card is to say besides; asked once, when the last step is done."""

    def on_end(self, result: Any) -> None:
        """The run ended with a ``TrainingResult``."""

    def on_error(self, error: BaseException) -> None:
        """The run ended with an error."""

    def should_stop(self) -> str | None:
        """A reason to stop after this step, or None."""


class TrainingHook:
    """A hook that does nothing; inherit and override what you need."""

    def on_start(self, run: RunInfo) -> None:
        """The run starts or goes on."""

    def on_step(self, step: StepInfo) -> None:
        """A step is done."""

    def on_eval(self, eval_info: EvalInfo) -> None:
        """The held-out rows were measured."""

    def on_checkpoint(self, checkpoint: CheckpointInfo) -> None:
        """The run was saved."""

    def on_pause(self, step: int) -> None:
        """The run stands still after this step."""

    def on_resume(self, step: int) -> None:
        """A paused run goes on."""

    def card_facts(self) -> dict[str, Any]:
        """What the run's card is to say besides; asked once, when the last step is done."""
        return {}

    def on_end(self, result: Any) -> None:
        """The run ended with a ``TrainingResult``."""

    def on_error(self, error: BaseException) -> None:
        """The run ended with an error."""

    def should_stop(self) -> str | None:
        """A reason to stop after this step, or None."""
        return None


class Hooks:
    """Several hooks as one, called in order."""

    def __init__(self, hooks: tuple[Any, ...]) -> None:
        self._hooks = hooks

    def _call(self, method: str, *args: Any) -> list[Any]:
        found = (getattr(hook, method, None) for hook in self._hooks)
        return [function(*args) for function in found if function is not None]

    def on_start(self, run: RunInfo) -> None:
        """Pass on to all."""
        self._call("on_start", run)

    def on_step(self, step: StepInfo) -> None:
        """Pass on to all."""
        self._call("on_step", step)

    def on_eval(self, eval_info: EvalInfo) -> None:
        """Pass on to all."""
        self._call("on_eval", eval_info)

    def on_checkpoint(self, checkpoint: CheckpointInfo) -> None:
        """Pass on to all."""
        self._call("on_checkpoint", checkpoint)

    def on_pause(self, step: int) -> None:
        """Pass on to all."""
        self._call("on_pause", step)

    def on_resume(self, step: int) -> None:
        """Pass on to all."""
        self._call("on_resume", step)

    def card_facts(self) -> dict[str, Any]:
        """What all of them add to the card."""
        return {name: value for facts in self._call("card_facts") for name, value in facts.items()}

    def on_end(self, result: Any) -> None:
        """Pass on to all."""
        self._call("on_end", result)

    def on_error(self, error: BaseException) -> None:
        """Pass on to all."""
        self._call("on_error", error)

    def should_stop(self) -> str | None:
        """The first reason that any of them gives."""
        return next((reason for reason in self._call("should_stop") if reason), None)


class EventHook(TrainingHook):
    """Publishes TRAINING_START, TRAINING_PROGRESS, TRAINING_COMPLETE and TRAINING_FAILED.

    Args:
        bridge: An ``EventBridge``, or anything with its ``publish_sync``.
        every: Steps between progress events.
    """

    def __init__(self, bridge: Any, *, every: int = 10) -> None:
        self._bridge, self._every, self._run_id = bridge, every, ""

    def _publish(self, event_type: EventType, data: dict[str, Any]) -> None:
        self._bridge.publish_sync(event_type, {"run_id": self._run_id, **data})

    def _tell_state(self, state: str, step: int) -> None:
        # A key of its own: pausing twice after one step is not one reading repeated.
        data = {"run_id": self._run_id, "state": state, "step": step}
        self._bridge.publish_sync(EventType.TRAINING_PROGRESS, data, dedup_key=new_id())

    def on_start(self, run: RunInfo) -> None:
        """Publish TRAINING_START."""
        self._run_id = run.run_id
        facts = asdict(run)
        del facts["run_dir"], facts["run_id"]
        self._publish(EventType.TRAINING_START, facts)

    def on_step(self, step: StepInfo) -> None:
        """Publish TRAINING_PROGRESS every so many steps."""
        if step.step % self._every == 0:
            self._publish(EventType.TRAINING_PROGRESS, asdict(step))

    def on_eval(self, eval_info: EvalInfo) -> None:
        """Publish TRAINING_PROGRESS with ``eval_loss`` and what else was measured."""
        measured = {"step": eval_info.step, "eval_loss": eval_info.loss, "best": eval_info.best}
        self._publish(EventType.TRAINING_PROGRESS, measured | {f"eval_{k}": v for k, v in eval_info.metrics.items()})

    def on_pause(self, step: int) -> None:
        """Publish TRAINING_PROGRESS with the state ``paused``."""
        self._tell_state("paused", step)

    def on_resume(self, step: int) -> None:
        """Publish TRAINING_PROGRESS with the state ``running``."""
        self._tell_state("running", step)

    def on_end(self, result: Any) -> None:
        """Publish TRAINING_COMPLETE."""
        self._publish(EventType.TRAINING_COMPLETE, result.summary())

    def on_error(self, error: BaseException) -> None:
        """Publish TRAINING_FAILED."""
        self._publish(EventType.TRAINING_FAILED, {"error": type(error).__name__, "message": str(error)})
