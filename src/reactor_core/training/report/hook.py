"""Starts the sinks of a run, and says in its card how they fared."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reactor_core.errors import Interrupted
from reactor_core.training.hooks import RunInfo, StepInfo, TrainingHook
from reactor_core.training.report.sink import SINKS, require_sinks
from reactor_core.training.report.worker import Status, read_status, status_file
from reactor_core.utils.ids import new_id
from reactor_core.utils.settings import Settings, process_environment

__all__ = ["ReportHook"]

_log = logging.getLogger(__name__)

_START = "import json, sys; o = json.loads(sys.stdin.readline()); sys.path[:] = o.pop('path'); "
_START += "from reactor_core.training.report.worker import main; main(o)"
_LOOK_SECONDS = 5.0
"""Seconds between two looks at the sinks while the run goes on."""
_STARTS = 3
"""How often a worker is started in a session if it dies."""


@dataclass
class _Child:
    """A worker.

    Attributes:
        session: Of this start of it.
        process: None if it could not be started.
        starts: How often it was.
        warned: Whether its trouble was told.
        late: Whether it was waited for in vain; it is not waited for again.
    """

    session: str
    process: subprocess.Popen[str] | None
    starts: int = 1
    warned: bool = False
    late: bool = False

    def send(self, message: dict[str, Any]) -> None:
        """Tell the worker something; one that is gone hears nothing. A message fits into the pipe: this never waits."""
        if self.process is not None and self.process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):
                self.process.stdin.write(json.dumps(message) + "\n")
                self.process.stdin.flush()

    def hang_up(self) -> None:
        """Close its input: the last message is sent."""
        if self.process is not None and self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        return self.process is None or self.process.poll() is not None


class ReportHook(TrainingHook):
    """One process per sink, which reads the run's log. The run waits for them only at its end, and not for long.

    Args:
        sinks: Names, as in ``TrainingConfig.report_to``.
        settings: Where workspace, project and the sinks' own places come from.
        patience: Seconds that the end of the run waits for sinks that are behind, all together, before the card is
            written, and again for them to close. A worker that takes longer goes on by itself for a minute at most.

    Raises:
        MissingExtra: A sink's library is not installed.
    """

    def __init__(self, sinks: Sequence[str], settings: Settings, *, patience: float = 20.0) -> None:
        require_sinks(sinks)
        self._sinks, self._settings, self._patience = tuple(sinks), settings, patience
        self._children: dict[str, _Child] = {}
        self._folder = Path()
        self._step = self._resumed_at = 0
        self._looked_at = 0.0

    def on_start(self, run: RunInfo) -> None:
        """Start the workers."""
        self._folder, self._step, self._resumed_at = run.run_dir, run.step, run.step
        self._looked_at = time.monotonic()
        self._children = {name: self._start(name) for name in self._sinks}

    def on_step(self, step: StepInfo) -> None:
        """Now and then look whether a worker is in trouble."""
        self._step = step.step
        if time.monotonic() - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        for name, child in self._children.items():
            if child.gone and child.starts < _STARTS:
                self._warn(name, "its process has ended; see " + str(self._file(name, "log")))
                child.hang_up()
                self._children[name] = replace(self._start(name), starts=child.starts + 1, warned=True)
            elif (status := read_status(self._folder, name)).session == child.session and status.error:
                self._warn(name, status.error)

    def card_facts(self) -> dict[str, Any]:
        """Let the sinks catch up, and say how each stands.

        Returns:
            ``{"report": {name: {"where", "step", "missing", "failures", "error"}}}``; ``missing`` steps were not told.
        """
        for child in self._children.values():
            child.send({"do": "settle"})
        self._wait(lambda name, child: child.gone or self._status(name).settled)
        told = {}
        for name, child in self._children.items():
            status = self._status(name)
            child.late = not status.settled
            missing = max(0, self._step - status.step)
            error = status.error or ("it took too long, or its process ended" if missing else "")
            if missing:
                self._warn(name, f"{missing} of {self._step} steps were not told: {error}")
            told[name] = {
                "where": status.where,
                "step": status.step,
                "missing": missing,
                "failures": status.failures,
                "error": error,
            }
        return {"report": told} if told else {}

    def on_end(self, result: Any) -> None:  # noqa: ARG002  the workers read the card
        """Let the sinks show the card, and wait a little."""
        self._end("finished")
        self._wait(lambda _, child: child.gone or child.late)
        for name, child in self._children.items():
            if child.gone and not self._status(name).closed:
                self._warn(name, self._status(name).error or "it was not closed")
        self._children = {}

    def on_error(self, error: BaseException) -> None:
        """Let the sinks know, and do not wait: a machine may be about to be taken away."""
        self._end("interrupted" if isinstance(error, Interrupted) else "failed", f"{type(error).__name__}: {error}")
        self._children = {}

    def _end(self, state: str, message: str = "") -> None:
        for child in self._children.values():
            child.send({"do": "end", "state": state, "message": message[:2000]})
            child.hang_up()

    def _status(self, name: str) -> Status:
        """Of this session; that of a sink that has not begun if it has said nothing yet."""
        status = read_status(self._folder, name)
        return status if status.session == self._children[name].session else Status()

    def _wait(self, done: Callable[[str, _Child], bool]) -> None:
        until = time.monotonic() + self._patience
        while not all(done(name, child) for name, child in self._children.items()) and time.monotonic() < until:
            time.sleep(0.05)

    def _file(self, name: str, kind: str) -> Path:
        return status_file(self._folder, name).with_suffix(f".{kind}")

    def _start(self, name: str) -> _Child:
        settings = self._settings
        workspace = settings.workspace.resolve()
        session = new_id()
        options = {
            "path": sys.path,
            "name": name,
            "session": session,
            "factory": SINKS[name].factory,
            "folder": str(self._folder.resolve()),
            "workspace": str(workspace),
            "project": settings.report_project,
            "place": {"wandb": settings.wandb_mode, "mlflow": settings.mlflow_tracking_uri}.get(name),
            "resumed_at": self._resumed_at,
        }
        trackio = str(settings.trackio_dir or workspace / "trackio")  # it reads this variable when it is imported
        try:
            self._file(name, "log").parent.mkdir(exist_ok=True)
            with self._file(name, "log").open("ab") as log:
                process = subprocess.Popen(  # noqa: S603  this interpreter, our own module
                    [sys.executable, "-c", _START, name, str(self._folder)],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    text=True,
                    env=process_environment() | {"TRACKIO_DIR": trackio},
                    start_new_session=True,  # Ctrl-C at the terminal is for the run
                )
        except OSError as error:
            child = _Child(session, None)
            self._warn(name, f"its process could not be started: {error}", child)
            return child
        threading.Thread(target=process.wait, daemon=True).start()  # so that it leaves no zombie, however late it ends
        child = _Child(session, process)
        child.send(options)
        return child

    def _warn(self, name: str, what: str, child: _Child | None = None) -> None:
        """Once for each sink."""
        child = child or self._children[name]
        if child.warned:
            return
        child.warned = True
        text = f"report_to={name!r}: {what}; the run is not affected"
        try:
            warnings.warn(text, stacklevel=2)
        except UserWarning:  # a program that turns warnings into errors must not lose its run to a sink
            _log.warning(text)
