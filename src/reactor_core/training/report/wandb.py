"""Weights & Biases: offline in the workspace unless its own variable says otherwise."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reactor_core.training.report.points import Point
from reactor_core.training.report.sink import Ending, Target
from reactor_core.utils.extras import require

__all__ = ["WandbSink"]


class WandbSink:
    """One W&B run; each session of it is a folder below ``<workspace>/wandb`` that ``wandb sync`` uploads.

    W&B writes a session's data when it ends. A session whose process was killed too is therefore written anew, from the
    run's own log, unless it has been uploaded; steps that are trained again after a kill of the run alone keep their
    first values.

    Args:
        target: The run; its ``place`` is a mode of W&B, such as ``online``.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._wandb = require("wandb", feature="report_to='wandb'", extra="report")
        self._mode = target.place or "offline"
        self._run: Any = None
        self._state: dict[str, Any] = {}

    @property
    def where(self) -> str:
        """Address of the run, or the folder of this session."""
        return self._run.url or str(self._state["folder"])

    def open(self) -> int:
        """Begin a session under the run's id."""
        before, target = self._target.before, self._target
        step = int(before.get("step", 0))
        if before and not before["closed"]:
            torn = Path(before["folder"])
            if not list(torn.glob("*.wandb.synced")):
                shutil.rmtree(torn, ignore_errors=True)
                step = int(before["from"])
        target.workspace.mkdir(parents=True, exist_ok=True)
        self._run = self._wandb.init(
            project=target.project,
            id=target.run_id,
            name=target.run_id,
            dir=str(target.workspace.resolve()),
            mode=self._mode,
            resume="allow",
            config={**target.facts, "folder": str(target.folder)},
            # The run's log and card are what is told: no terminal output, source code, machine names or counters.
            settings=self._wandb.Settings(
                console="off", silent=True, disable_git=True, disable_code=True, save_code=False,
                x_disable_stats=True, x_disable_meta=True,
            ),
        )  # fmt: skip
        step = max(step, int(self._run.step) - 1)  # what the server has, where there is one
        folder = Path(self._run.dir).parent
        self._state = {"step": step, "from": step, "folder": str(folder), "closed": False}
        return step

    def write(self, points: Sequence[Point]) -> None:
        """Log each point at its step."""
        for point in points:
            self._run.log(point.values, step=point.step)
            self._state["step"] = point.step

    def flush(self) -> int:
        """W&B has a process of its own that writes; what it was handed counts as taken."""
        return int(self._state["step"])

    def finish(self, ending: Ending) -> None:
        """Put results into the summary, keep card and curves with the run, and close the session."""
        self._run.summary.update({f"result/{k}": v for k, v in ending.card.get("metrics", {}).items() if v is not None})
        for file in ending.files:
            self._run.save(str(file), base_path=str(file.parent), policy="now")
        self._run.finish(exit_code=1 if ending.state == "failed" else 0)
        self._state["closed"] = True

    def state(self) -> dict[str, Any]:
        """The session's folder, its first and last step, and whether it was closed."""
        return dict(self._state)
