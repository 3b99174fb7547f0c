"""The runs of a workspace, as their folders tell it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reactor_core.errors import NotFound
from reactor_core.training.card import CARD
from reactor_core.training.control import State, read_status
from reactor_core.training.runs import RUN

__all__ = ["LOSSES", "RunSummary", "find_run", "last_step", "list_runs"]

LOSSES = "loss.jsonl"
"""A run's curve: one object per step."""

_TAIL = 4096  # a line has about 300 bytes


@dataclass(frozen=True)
class RunSummary:
    """One run.

    Attributes:
        run_id: Its name.
        folder: Where it is.
        state: ``running`` or ``paused`` while a process works on it; then ``finished`` or ``unfinished``.
        step: Optimizer steps that are done.
        model: Name of the base model.
        dataset: File that it trains on.
        started: ISO 8601, in UTC.
    """

    run_id: str
    folder: Path
    state: str
    step: int
    model: str
    dataset: str
    started: str

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {**asdict(self), "folder": str(self.folder)}


def list_runs(workspace: Path) -> list[RunSummary]:
    """The runs below a workspace, the oldest first; folders that hold no run are left out."""
    folders = sorted((workspace / "runs").glob("train-*"))
    return [_summary(folder) for folder in folders if (folder / RUN).is_file()]


def find_run(workspace: Path, name: str) -> Path:
    """The folder of a run: by its name, by a beginning of it that no other run has, or as a folder.

    Raises:
        NotFound: There is none, or there are several.
    """
    if (Path(name) / RUN).is_file():
        return Path(name)
    found = [folder for folder in (workspace / "runs").glob(f"{name}*") if (folder / RUN).is_file()]
    if len(found) != 1:
        what = "no run" if not found else f"{len(found)} runs"
        raise NotFound(f"{what} called {name!r} in {workspace / 'runs'}", remedy="reactor runs list")
    return found[0]


def _summary(folder: Path) -> RunSummary:
    run = json.loads((folder / RUN).read_text(encoding="utf-8"))
    status = read_status(folder)
    finished = (folder / CARD).exists()
    live = status is not None and status.state is not State.IDLE and not finished
    return RunSummary(
        run_id=run["run_id"],
        folder=folder,
        state=str(status.state) if status is not None and live else "finished" if finished else "unfinished",
        step=last_step(folder),
        model=run["base"]["name"],
        dataset=run["dataset"]["path"],
        started=run["started"],
    )


def last_step(folder: Path) -> int:
    """The last step in the curve of a run's folder; 0 if there is none."""
    losses = folder / LOSSES
    try:
        with losses.open("rb") as stream:
            stream.seek(max(0, losses.stat().st_size - _TAIL))
            lines = stream.read().split(b"\n")[:-1]
    except FileNotFoundError:
        return 0
    return int(json.loads(lines[-1])["step"]) if lines else 0
