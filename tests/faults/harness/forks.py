"""The test's side of the zygote: start a process, wait for what it writes, kill it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.faults.harness.history import Log
from tests.faults.harness.waiting import PATIENCE, wait_until


class Child:
    """One process of a run."""

    def __init__(self, forks: Forks, pid: int, log: Log, errors: Path) -> None:
        self.pid = pid
        self.log = log
        self.errors = errors
        self._forks = forks
        self.status: int | None = None

    def wait_for_lines(self, count: int) -> None:
        """Until its log has so many lines, or it has ended."""
        wait_until(lambda: self.log.lines() >= count or self.ended(), f"{count} lines in {self.log.path}")

    def ended(self) -> bool:
        """Whether it is no longer running (it may wait to be collected)."""
        if self.status is not None:
            return True
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[0] in "ZX"

    def kill(self) -> None:
        """``kill -9``, and collect it."""
        self._signal(signal.SIGKILL)
        self.join()

    def stop(self) -> int:
        """Ask it to end, and wait until it has; its exit status."""
        self._signal(signal.SIGTERM)
        return self.join()

    def finish(self) -> None:
        """Ask a publisher to publish no more, and to stay."""
        self._signal(signal.SIGUSR1)

    def join(self, seconds: float = PATIENCE) -> int:
        """Wait until it has ended, at most so long; a negative status is the signal that ended it.

        Raises:
            AssertionError: It failed by itself; its traceback is in the message.
        """
        if self.status is None:
            wait_until(self.ended, f"the end of {self.log.path.stem}", seconds=seconds)
            self.status = self._forks.collect(self.pid)
        if self.status > 0:
            raise AssertionError(f"{self.log.path.stem} failed:\n{self.errors.read_text(encoding='utf-8')[-4000:]}")
        return self.status

    def _signal(self, number: int) -> None:
        if self.status is None:
            os.kill(self.pid, number)  # a zombie takes it without harm


class Forks:
    """Makes processes by forking one that has imported everything.

    Args:
        preload: Modules to import before; none: those that the roles about events need.
    """

    def __init__(self, *preload: str) -> None:
        self._zygote = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py")), *preload],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._answer() == "ready"

    def start(
        self, role: str, folder: Path, name: str, *, die_at: tuple[str, int, float] | None = None, **options: Any
    ) -> Child:
        """Start a role of :mod:`tests.faults.harness.roles`, or ``module:function``.

        Args:
            folder: The run's folder; logs go there.
            name: Of the process; its log is called after it.
            die_at: A failpoint, how often it is passed before the process kills itself there, and for how many seconds
                its other threads go on meanwhile.
        """
        log = Log(folder / f"{name}.log")
        errors = folder / f"{name}.stderr"
        command = {
            "start": role,
            "options": {"log": str(log.path), **options},
            "stderr": str(errors),
            "die_at": die_at,
        }
        return Child(self, self._ask(command)["pid"], log, errors)

    def collect(self, pid: int) -> int:
        """The exit status of a process that has ended."""
        return int(self._ask({"wait": pid})["status"])

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        assert self._zygote.stdin is not None
        self._zygote.stdin.write(json.dumps(command) + "\n")
        self._zygote.stdin.flush()
        value = json.loads(self._answer())
        assert isinstance(value, dict)
        return value

    def _answer(self) -> str:
        assert self._zygote.stdout is not None
        return self._zygote.stdout.readline().strip()

    def close(self) -> None:
        """End the zygote and whatever it still has."""
        self._zygote.communicate(timeout=PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
