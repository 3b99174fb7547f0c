"""A run's folder without a run: logs are written as a run writes them, and a real worker tells a real library."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reactor_core.training.hooks import RunInfo
from reactor_core.training.report.hook import ReportHook
from reactor_core.utils.settings import Settings

RUN_ID = "train-0001"
CARD = {"run_id": RUN_ID, "metrics": {"final_loss": 0.25, "adapter_dir": "/somewhere/adapter", "eval_loss": None}}


class PaperRun:
    """Sessions of one run.

    Args:
        settings: Of the workspace.
        sink: Where they are reported to.
    """

    def __init__(self, settings: Settings, sink: str) -> None:
        self.settings, self.sink = settings, sink
        self.folder = settings.workspace / "runs" / RUN_ID
        self.folder.mkdir(parents=True)
        facts = {"run_id": RUN_ID, "identity": {"base model": "abc"}, "config": {"lora_rank": 4, "model_name": "tiny"}}
        (self.folder / "run.json").write_text(json.dumps(facts))
        (self.folder / "loss.png").write_bytes(b"\x89PNG")
        self.steps: list[int] = []

    def start(self, *, at: int = 0, patience: float = 100.0) -> ReportHook:
        """Begin a session that goes on from a checkpoint after step ``at``."""
        self.steps = [step for step in self.steps if step <= at]
        (self.folder / "loss.jsonl").unlink(missing_ok=True)
        (self.folder / "eval.jsonl").unlink(missing_ok=True)
        self._write(self.steps)
        hook = ReportHook([self.sink], self.settings, patience=patience)
        hook.on_start(RunInfo(RUN_ID, self.folder, "tiny", 12, 8, at, None, "def"))
        return hook

    def train(self, *steps: int, loss: float = 8.0) -> None:
        """Log steps, the loss of step n being ``loss / n``, and a measurement after each fourth."""
        self.steps += steps
        self._write(steps, loss)

    def finish(self, hook: ReportHook) -> dict[str, Any]:
        """End the run; what its card says of the sink."""
        hook._step = self.steps[-1]
        told: dict[str, Any] = hook.card_facts()["report"][self.sink]
        (self.folder / "card.json").write_text(json.dumps(CARD))
        hook.on_end(None)
        return told

    def _write(self, steps: Any, loss: float = 8.0) -> None:
        for step in steps:
            row = {
                "step": step, "epoch": step / 4, "progress": step / 8, "loss": loss / step, "learning_rate": 1e-3,
                "grad_norm": 1.5, "tokens": 40, "tokens_computed": 30, "seconds": 0.5, "elapsed": 0.5 * step,
                "metrics": {"margin": 0.5},
            }  # fmt: skip
            self._append("loss.jsonl", row)
            if step % 4 == 0:
                self._append("eval.jsonl", {"step": step, "loss": 2.0, "best": True, "seconds": 0.1, "metrics": {}})

    def _append(self, name: str, row: dict[str, Any]) -> None:
        with (self.folder / name).open("a") as stream:
            stream.write(json.dumps(row) + "\n")


@pytest.fixture
def paper_run(settings: Settings, request: pytest.FixtureRequest) -> PaperRun:
    """A run that is reported to the sink that the test module names."""
    return PaperRun(settings, request.module.SINK)
