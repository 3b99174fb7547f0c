"""Checkpoints on their way to another place, on a thread of their own: training goes on meanwhile."""

from __future__ import annotations

import os
import shutil
import threading
import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from reactor_core.errors import StorageError
from reactor_core.training.mark import NOTHING, Mark
from reactor_core.training.remote import RemoteRun, TakenOver
from reactor_core.utils.files import storage_errors
from reactor_core.utils.ids import new_id

__all__ = ["Uploads"]

APPENDED = ("loss.jsonl", "eval.jsonl", "checkpoints.jsonl", "redone.jsonl", "certificate.json")
"""Files of a run that grow or are made on the way: a checkpoint holds them as they were."""


@dataclass(frozen=True)
class _Waiting:
    mark: Mark
    folder: Path


class Uploads:
    """Sends checkpoints to a store, one at a time; one that waits is replaced by a newer one.

    A store that cannot be reached costs a warning and that copy; the next checkpoint tries again. The run is ended only
    by :class:`~reactor_core.training.remote.TakenOver`, which :meth:`check` raises in the training thread.

    Args:
        remote: The claimed run in the store.
        run_folder: Of this machine.
    """

    def __init__(self, remote: RemoteRun, run_folder: Path) -> None:
        self._remote, self._run_folder = remote, run_folder
        self._changed = threading.Condition()
        self._waiting: _Waiting | None = None
        self._busy = self._ended = False
        self._taken: TakenOver | None = None
        self._fault: str | None = None
        self.durable = NOTHING
        """The newest checkpoint that the store holds of this process."""
        self.durable_at: float | None = None
        """When it was there, by :func:`time.monotonic`."""
        self._thread = threading.Thread(target=self._run, name="reactor-uploads", daemon=True)

    def offer(self, checkpoint: Path) -> None:
        """Send a checkpoint and what belongs to it. Returns at once: files are linked, not copied.

        Raises:
            StorageError: The run's folder cannot be written.
        """
        folder = self._stage(checkpoint)
        with self._changed:
            replaced, self._waiting = self._waiting, _Waiting(Mark.of(checkpoint), folder)
            self._changed.notify_all()
        if replaced is not None:
            shutil.rmtree(replaced.folder, ignore_errors=True)

    def settle(self, seconds: float) -> bool:
        """Whether everything that was offered has been sent or given up, waiting for it at most so long."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while self._busy or self._waiting is not None:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def check(self) -> None:
        """Warn of what could not be sent since the last call, and raise what ends the run (training thread).

        Raises:
            TakenOver: Another machine has claimed the run.
        """
        if self._taken is not None:
            raise self._taken
        fault, self._fault = self._fault, None
        if fault is not None:
            warnings.warn(fault, stacklevel=2)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the thread: at once after an error, while what it is sending goes on, or else when all is sent."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if error is None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                while self._waiting is None and not self._ended:
                    self._changed.wait()
                if self._waiting is None:
                    return
                waiting, self._waiting, self._busy = self._waiting, None, True
            try:
                self._send(waiting)
            finally:
                shutil.rmtree(waiting.folder, ignore_errors=True)

    def _send(self, waiting: _Waiting) -> None:
        files = {path.relative_to(waiting.folder).as_posix(): path for path in _files(waiting.folder)}
        try:
            self._remote.save(waiting.mark, files)
        except TakenOver as error:
            self._taken = error
        except StorageError as error:
            self._fault = f"the checkpoint of {waiting.mark} is on this machine only: {error}"
        else:
            self.durable, self.durable_at = waiting.mark, time.monotonic()

    def _stage(self, checkpoint: Path) -> Path:
        """A folder with the files as they are now, which lasts until it is sent."""
        folder = self._run_folder / f".tmp-upload-{new_id()}"
        beside = [path for best in self._run_folder.glob("best-*") for path in _files(best)]
        with storage_errors(folder):
            for file in (*_files(checkpoint), *beside):
                place = folder / file.relative_to(self._run_folder)
                place.parent.mkdir(parents=True, exist_ok=True)
                _link(file, place)
            for name in APPENDED:
                if (self._run_folder / name).exists():
                    shutil.copyfile(self._run_folder / name, folder / name)
        return folder


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _link(file: Path, place: Path) -> None:
    try:
        os.link(file, place)
    except OSError:  # a file system without links
        shutil.copyfile(file, place)
