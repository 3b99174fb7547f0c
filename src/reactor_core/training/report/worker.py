"""The process that tells one sink about one run.

It reads the run's log, which the training process writes anyway. The two share no memory, no lock and no queue: lines
of JSON on the worker's standard input say when the run ends, and the end of that input says that the training process
is gone. A sink that fails is dropped and opened anew after a pause, and gets what it missed from the log.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from filelock import FileLock

from reactor_core.errors import StorageError
from reactor_core.training.report.points import RunLog
from reactor_core.training.report.sink import Ending, Sink, Target, load_factory
from reactor_core.utils.files import atomic_write

__all__ = ["Status", "Worker", "main", "pauses", "read_status", "status_file"]

_TICK = 1.0
"""Seconds between two looks at the log."""
_GRACE = 60.0
"""Seconds after the end of the run, or of the training process, after which the worker ends whatever the sink does."""
_STATUS_SECONDS = 2.0

Hear = Callable[[float], dict[str, Any] | None]
"""Waits so many seconds for a message; None if none came."""


def pauses() -> Iterator[float]:
    """Seconds before each new try: 1, 2, 4, ... 60, 60, ..."""
    pause = 1.0
    while True:
        yield pause
        pause = min(60.0, 2 * pause)


@dataclass(frozen=True)
class Status:
    """How a sink stands, for the training process and for the next session.

    Attributes:
        session: Which start of a worker wrote it.
        where: Where a person finds the run; "" until it is open.
        step: Last step that the sink has taken.
        settled: Whether everything was told that will be before the run's card is written, or was tried in vain.
        closed: Whether the session has ended.
        failures: Exceptions that the sink has raised in all sessions.
        error: The last of them, or "".
        sink: Its own :meth:`~reactor_core.training.report.sink.Sink.state`.
    """

    session: str = ""
    where: str = ""
    step: int = 0
    settled: bool = False
    closed: bool = False
    failures: int = 0
    error: str = ""
    sink: dict[str, Any] | None = None


def status_file(folder: Path, name: str) -> Path:
    """Where the worker of a sink writes its status."""
    return folder / "report" / f"{name}.json"


def read_status(folder: Path, name: str) -> Status:
    """The last status; that of a sink that has not begun if there is none that can be read."""
    try:
        found = json.loads(status_file(folder, name).read_text(encoding="utf-8"))
        return Status(**found)
    except (OSError, ValueError, TypeError):  # the sink itself then says what it has
        return Status()


class Worker:
    """Feeds one sink until the run ends.

    Args:
        factory: Makes the sink.
        target: The run.
        name: The sink's name.
        hear: Where messages come from: ``{"do": "settle"}`` asks for everything up to the last step, ``{"do": "end",
            "state": ..., "message": ...}`` ends the session.
        session: Stands in the status.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        factory: Callable[[Target], Sink],
        target: Target,
        *,
        name: str,
        hear: Hear,
        session: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._factory, self._target, self._name = factory, target, name
        self._hear, self._clock = hear, clock
        self._pauses = pauses()
        self._retry_at = 0.0
        self._sink: Sink | None = None
        self._log = RunLog(target.folder)
        self._held = 0
        before = read_status(target.folder, name)
        self._before = before.sink or {}
        self.status = Status(session=session, failures=before.failures, sink=before.sink)
        self._told_at = float("-inf")

    def run(self) -> None:
        """Work until the end is told."""
        settled = False
        while True:
            message = self._hear(_TICK)
            if message is not None and message["do"] == "end":
                # Nobody said how a killed run ended, so what is held back may still get its measurement.
                self._feed(ended=settled or message["state"] != "killed", at_once=True)
                self._end(message)
                return
            settled = settled or message is not None
            self._feed(ended=settled, at_once=settled)
            if message is not None:
                self._tell(settled=True)

    def _feed(self, *, ended: bool, at_once: bool) -> None:
        """Open the sink if it is time to, and give it what is new."""
        if self._sink is None and (at_once or self._clock() >= self._retry_at):
            with self._failures():
                sink = self._factory(replace(self._target, before=self._before))
                self._held = sink.open()
                self._log = RunLog(self._target.folder)  # from its beginning: what is held is left out below
                self._sink = sink
                self._tell(where=sink.where, sink=sink.state(), step=self._held)
        if self._sink is not None:
            with self._failures():
                points = [point for point in self._log.read(ended=ended) if point.step > self._held]
                if points:
                    self._sink.write(points)
                    self._tell(now=False, step=self._sink.flush(), sink=self._sink.state(), error="")
                    self._pauses = pauses()

    def _end(self, message: dict[str, Any]) -> None:
        sink = self._sink
        if sink is None:
            return
        with self._failures():
            sink.finish(_ending(self._target.folder, message["state"], message.get("message", "")))
            self._tell(closed=True, sink=sink.state())

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        """Note an exception of the sink, and drop it until its next try."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  libraries of others: whatever they raise, it is noted and retried
            if self._sink is not None:
                self._before = self._sink.state()
            self._sink = None
            self._retry_at = self._clock() + next(self._pauses)
            first_line = (str(error).splitlines() or [""])[0]
            self._tell(failures=self.status.failures + 1, error=f"{type(error).__name__}: {first_line}"[:500])

    def _tell(self, *, now: bool = True, **changes: Any) -> None:
        self.status = replace(self.status, **changes)
        if now or self._clock() - self._told_at >= _STATUS_SECONDS:
            self._told_at = self._clock()
            try:
                atomic_write(status_file(self._target.folder, self._name), json.dumps(vars(self.status)) + "\n")
            except StorageError as error:  # the sink may be on another disk, and goes on
                sys.stderr.write(f"{error}\n")


def _ending(folder: Path, state: Any, message: str) -> Ending:
    if state != "finished":
        return Ending(state, message)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    return Ending(state, message, card, tuple(p for p in (folder / "card.json", folder / "loss.png") if p.exists()))


def _listen(stream: TextIO, heard: queue.Queue[dict[str, Any]]) -> None:
    """Pass messages on; the end of the input is the message that the training process is gone."""
    for line in stream:
        message = json.loads(line)
        heard.put(message)
        if message["do"] == "end":
            break
    else:
        heard.put({"do": "end", "state": "killed"})
    watchdog = threading.Timer(_GRACE, os._exit, (1,))  # a sink that hangs must not leave a process behind
    watchdog.daemon = True
    watchdog.start()


def main(options: dict[str, Any]) -> None:
    """Work as the process that :class:`~reactor_core.training.report.hook.ReportHook` starts.

    Args:
        options: ``name``, ``factory``, ``session``, and the attributes of
            :class:`~reactor_core.training.report.sink.Target`.
    """
    if hasattr(os, "nice"):
        os.nice(5)  # training goes first
    heard: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin, heard), daemon=True).start()

    def hear(seconds: float) -> dict[str, Any] | None:
        try:
            return heard.get(timeout=seconds)
        except queue.Empty:
            return None

    folder = Path(options["folder"])
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    target = Target(
        folder=folder,
        run_id=facts["run_id"],
        workspace=Path(options["workspace"]),
        project=options["project"],
        place=options["place"],
        resumed_at=options["resumed_at"],
        facts=facts,
    )
    status = status_file(folder, options["name"])
    # The worker of an earlier session may still be telling how that one ended.
    with FileLock(status.with_suffix(".lock"), timeout=_GRACE):
        factory = load_factory(options["factory"])
        Worker(factory, target, name=options["name"], hear=hear, session=options["session"]).run()
    # Some libraries leave threads behind that would keep the process; everything of ours is written.
    sys.stdout.flush()
    os._exit(0)
