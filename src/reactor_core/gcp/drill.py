"""A rehearsal of the end of a spot machine: a real run, a notice in the middle of a step, and a second machine."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reactor_core.errors import Interrupted, TrainingError
from reactor_core.gcp.checkpointer import SpotVMCheckpointer
from reactor_core.gcp.metadata_server import RehearsalMetadataServer
from reactor_core.training.config import TrainingConfig
from reactor_core.training.hooks import StepInfo, TrainingHook
from reactor_core.training.notices import NOTICES
from reactor_core.training.trainer import Trainer
from reactor_core.utils.settings import Settings

__all__ = ["Drill", "drill_preempt"]

_ROWS = 64
_PART_TOKENS = 64
_BATCH = 8
"""Rows of a step, as many as a run has without options."""
_STEPS_BEFORE = 2
"""Steps before the notice, so that how long one takes is known."""


@dataclass(frozen=True)
class Drill:
    """What a rehearsal found.

    Attributes:
        model: Name of the base model.
        store: Where the checkpoints went.
        step_seconds: Wall time of one optimizer step.
        into_step_seconds: When the notice came, after the beginning of a step.
        seconds_to_disk: From the notice until the state was durable on the machine.
        seconds_to_store: From the notice until another machine could have gone on; None if the store did not get it in
            time.
        step: Step that was saved.
        resumed_from: Step from which the second machine went on, which found nothing but the store. One more than
            ``step`` where the step that was going on ended in time as well.
        parts: Parts of the step that was going on which were saved with it.
    """

    model: str
    store: str
    step_seconds: float
    into_step_seconds: float
    seconds_to_disk: float
    seconds_to_store: float | None
    step: int
    resumed_from: int
    parts: int = 0

    @property
    def passed(self) -> bool:
        """Whether nothing was lost, in the thirty seconds that a spot machine has."""
        return self.resumed_from >= self.step and self.seconds_to_store is not None and self.seconds_to_store < 30

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {**asdict(self), "passed": self.passed}


class _NoticeWithinStep(TrainingHook):
    """Preempts when a third of the next step is over."""

    def __init__(self, preempt: Callable[[], None]) -> None:
        self._preempt = preempt
        self.step_seconds = self.delay = 0.0

    def on_step(self, step: StepInfo) -> None:
        if step.step == _STEPS_BEFORE:
            self.step_seconds, self.delay = step.seconds, step.seconds / 3
            timer = threading.Timer(self.delay, self._preempt)
            timer.daemon = True
            timer.start()


class _EndAtOnce(TrainingHook):
    """Ends the second machine's run after its first step, and notes where it had begun."""

    resumed_from = -1

    def on_step(self, step: StepInfo) -> None:
        if self.resumed_from < 0:
            self.resumed_from = step.step - 1

    def should_stop(self) -> str | None:
        return "end of the rehearsal" if self.resumed_from >= 0 else None


def drill_preempt(*, model: str, store: str | None, settings: Settings, batch_size: int = _BATCH) -> Drill:
    """Train a little, announce the end of the machine in the middle of a step, and go on in another workspace.

    Nothing of the workspace is touched; the runs live in a temporary folder. What it leaves in ``store`` is the
    finished run of the second machine.

    Args:
        model: Alias, hub id or folder of the model to train.
        store: ``gs://bucket/prefix``, a folder, or an address that fsspec opens; None takes a temporary folder, which
            says nothing about the network.
        settings: Cache of the models, project of the bucket.
        batch_size: Rows of a step. Fewer make shorter steps, and so an earlier end of the rehearsal.

    Raises:
        TrainingError: The run ended before the notice was heard.
        ReactorError: As :meth:`reactor_core.training.trainer.Trainer.train`.
    """
    with tempfile.TemporaryDirectory(prefix="reactor-drill-") as name, RehearsalMetadataServer() as metadata:
        folder = Path(name)
        rows = folder / "rows.jsonl"
        made = (
            {"prompt": f"Count to {n}.", "completion": " ".join(map(str, range(1, n + 1)))} for n in range(1, _ROWS + 1)
        )
        rows.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
        # Few tokens in a part, so that the notice comes when some parts of a step are done.
        config = TrainingConfig(
            model_name=model, num_epochs=1000, batch_size=batch_size, micro_batch_tokens=_PART_TOKENS
        )
        bucket = store or str(folder / "store")
        checkpointer = SpotVMCheckpointer(gcs_bucket=bucket, metadata_host=metadata.host)
        first, second = _NoticeWithinStep(metadata.preempt), _EndAtOnce()

        def machine(number: int, hook: TrainingHook) -> Trainer:
            here = settings.model_copy(update={"workspace": folder / f"machine-{number}"})
            return Trainer(config, hooks=[hook], settings=here, checkpointer=checkpointer)

        try:
            machine(1, first).train(rows, resume=False)
        except Interrupted:
            pass
        else:
            raise TrainingError("the run ended before the notice was heard", remedy="report this; nothing was lost")
        # The notice is written down by the thread that acted on it.
        (told,) = (folder / "machine-1").glob(f"runs/*/{NOTICES}")
        notice = json.loads(told.read_text(encoding="utf-8"))
        with RehearsalMetadataServer() as calm:
            checkpointer = SpotVMCheckpointer(gcs_bucket=bucket, metadata_host=calm.host)
            machine(2, second).train(rows)
    return Drill(
        model=model,
        store=store or "a temporary folder",
        step_seconds=first.step_seconds,
        into_step_seconds=first.delay,
        seconds_to_disk=notice["seconds_to_disk"],
        seconds_to_store=notice["seconds_to_store"],
        step=notice["step"],
        resumed_from=second.resumed_from,
        parts=notice["parts"],
    )
