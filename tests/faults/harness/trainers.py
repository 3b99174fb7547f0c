"""What a process that trains does; it is killed at any moment."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.harness.history import Log, Record

from reactor_core.errors import Interrupted
from reactor_core.training import keeper
from reactor_core.training.checkpointer import Checkpointer
from reactor_core.training.config import TrainingConfig
from reactor_core.training.hooks import StepInfo, TrainingHook
from reactor_core.training.trainer import Trainer
from reactor_core.utils import failpoints
from reactor_core.utils.settings import Settings

PRELOAD = (
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "reactor_core.training.trainer",
    "tests.faults.harness.trainers",
    "transformers.models.llama.modeling_llama",
    "transformers.models.llama.tokenization_llama",
)


class Told(TrainingHook):
    """Writes one line a step."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def on_step(self, step: StepInfo) -> None:
        self._log.write(Record("step", "", "trainer", 0, 0, step.step))


def strike(nth: int, seconds: float, *, notice: bool) -> None:
    """When the nth part of a step is done: kill this process after so many seconds, with a notice before or without."""
    left = nth

    def end() -> None:
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGKILL)

    def reached(name: str) -> None:
        nonlocal left
        if name == "step.part":
            left -= 1
            if left == 0:
                if notice:
                    os.kill(os.getpid(), signal.SIGTERM)
                threading.Thread(target=end, daemon=True).start()

    failpoints.install(reached)


def trainer(
    *,
    log: str,
    workspace: str,
    cache: str,
    rows: str,
    options: dict[str, Any],
    store: str | None = None,
    struck: tuple[int, float, bool] | None = None,
    copies: bool = False,
) -> None:
    """Train until the end, or until a signal; the last line of the log says which, and the adapter's hash.

    Args:
        struck: See :func:`strike`: nth, seconds, notice.
        copies: Write every checkpoint from a copy of the state, however quick it is.
    """
    if copies:
        keeper.COPY_SECONDS = 0.0
    if struck is not None:
        strike(struck[0], struck[1], notice=struck[2])
    out = Log(Path(log))
    settings = Settings(workspace=Path(workspace), cache_dir=Path(cache))
    checkpointer = None if store is None else Checkpointer(store=store)
    made = Trainer(TrainingConfig(**options), hooks=[Told(out)], settings=settings, checkpointer=checkpointer)
    try:
        result = made.train(rows)
    except Interrupted:
        out.write(Record("interrupted", "", "trainer", 0, 0, 0))
        return
    adapter = hashlib.sha256((result.adapter_dir / "adapter_model.safetensors").read_bytes()).hexdigest()
    summary = {key: str(value) for key, value in asdict(result).items()}
    out.write(Record("done", adapter, summary["run_id"], 0, result.resumed_from, result.steps))
