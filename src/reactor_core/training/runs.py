"""The folder of a run: made, found again, finished.

``run.json`` is written first and says what the run is; ``card.json`` is written last. A folder with the first and
without the second is a run to go on with.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from reactor_core.errors import CheckpointInvalid, ConfigError, TrainingError
from reactor_core.training.card import CARD
from reactor_core.utils.files import atomic_write
from reactor_core.utils.ids import new_run_id

__all__ = ["RUN", "Resume", "Run", "open_run"]

Resume = bool | Literal["auto"]

RUN = "run.json"
"""File that says what a run is."""


@dataclass(frozen=True)
class Run:
    """A run's folder.

    Attributes:
        run_id: Its name.
        path: The folder.
        resumed: Whether it existed before.
    """

    run_id: str
    path: Path
    resumed: bool

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"


def _read(folder: Path) -> dict[str, Any] | None:
    file = folder / RUN
    if not file.is_file():
        return None
    run: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return run


def _unfinished(runs: Path, identity: dict[str, str]) -> Iterator[Path]:
    """Unfinished runs of the same identity, newest first (run ids sort by time)."""
    for folder in sorted(runs.glob("train-*"), reverse=True):
        run = _read(folder)
        if run is not None and run["identity"] == identity and not (folder / CARD).exists():
            yield folder


def _existing(folder: Path, identity: dict[str, str]) -> Run | None:
    """The run in a folder that was asked for by name, or None where there is none to go on with."""
    run = _read(folder)
    if run is None:
        if folder.is_dir() and any(entry.name != ".lock" for entry in folder.iterdir()):
            raise ConfigError(f"output_dir={str(folder)!r} holds files that are no run", remedy="choose another folder")
        return None
    if (folder / CARD).exists():
        raise ConfigError(
            f"output_dir={str(folder)!r} holds a finished run",
            remedy="choose another folder, or train with resume=False to replace it",
        )
    changed = [name for name, value in identity.items() if run["identity"].get(name) != value]
    if changed:
        raise CheckpointInvalid(
            f"the unfinished run in {folder} has another {' and '.join(changed)}",
            remedy="restore what it was, or train with resume=False to start over",
        )
    return Run(run["run_id"], folder, resumed=True)


def _acquire(folder: Path) -> FileLock | None:
    """The run's lock, or None where another process holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock


def _new(folder: Path, identity: dict[str, str], facts: dict[str, Any], run_id: str) -> Run:
    payload = {"run_id": run_id, "identity": identity, **facts}
    atomic_write(folder / RUN, json.dumps(payload, indent=2, sort_keys=True) + "\n")
    return Run(run_id, folder, resumed=False)


@contextmanager
def open_run(
    folder: Path | None,
    runs: Path,
    *,
    identity: dict[str, str],
    facts: dict[str, Any],
    resume: Resume,
    run_id: str | None = None,
) -> Iterator[Run]:
    """Find the run to go on with, or make a new one, and keep other processes out of it.

    Args:
        folder: The folder that was asked for, or None.
        runs: Where runs without such a folder live.
        identity: Hashes that an unfinished run must share.
        facts: Written into ``run.json`` of a new run.
        resume: ``"auto"`` goes on with an unfinished run if there is one; True insists on one; False starts over.
        run_id: Name of a new run, which began on another machine; None gives it one.

    Raises:
        ConfigError: The folder holds something else, or ``resume=True`` and there is nothing to go on with.
        CheckpointInvalid: The folder holds an unfinished run of another identity.
        TrainingError: Another process is training there.
    """
    if folder is None:
        run, lock = _pick(runs, identity, resume)
    else:
        lock = _acquire(folder)
        if lock is None:
            error = TrainingError(f"another process is training in {folder}", remedy="wait for it or stop it")
            error.retryable = True
            raise error
        run = None
    try:
        if folder is not None:
            if resume is False:
                _clear(folder)
            run = _existing(folder, identity)
        if run is None:
            if resume is True:
                raise ConfigError("resume=True: there is no unfinished run to go on with", remedy="use resume='auto'")
            run_id = run_id or new_run_id("train")
            place = folder or runs / run_id
            lock = lock or _acquire(place)
            run = _new(place, identity, facts, run_id)
        yield run
    finally:
        if lock is not None:
            lock.release()


def _pick(runs: Path, identity: dict[str, str], resume: Resume) -> tuple[Run | None, FileLock | None]:
    """The newest unfinished run that nobody is working on, with its lock."""
    for candidate in _unfinished(runs, identity) if resume is not False else ():
        lock = _acquire(candidate)
        if lock is not None:
            return Run(candidate.name, candidate, resumed=True), lock
    return None, None


def _clear(folder: Path) -> None:
    """Empty the folder of an earlier run; files that are no run are never touched."""
    if (folder / RUN).is_file():
        for entry in folder.iterdir():
            if entry.name == ".lock":
                continue
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
