"""A plugin with kinds of jobs for tests; the fixture ``kinds`` installs it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reactor_core.errors import ConfigError, Halted, ProviderError
from reactor_core.jobs.context import JobContext
from reactor_core.utils.files import atomic_write


class Plugin:
    name = "jobs_for_tests"
    version = "1"

    def demo_step(self, context: Any) -> dict[str, Any]:
        raise AssertionError("not asked for")

    def job_kinds(self) -> Mapping[str, str]:
        return {name: f"{__name__}:{name.partition('.')[2]}" for name in ("test.count", "test.breaks", "test.deaf")}


class Count:
    """Counts to ``to``, one file per number, and goes on where it was; ``seconds`` for each."""

    name = "test.count"
    max_attempts = 3

    def check(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        if "to" not in spec:
            raise ConfigError("to is missing")
        return {"seconds": 0.0, **spec}

    def run(self, context: JobContext) -> dict[str, Any]:
        spec = self.check(context.job.spec)
        did = 0
        for number in range(spec["to"]):
            path = context.folder / f"{number:04d}"
            context.progress("count", number / spec["to"])
            if path.exists():
                continue
            time.sleep(spec["seconds"])
            atomic_write(path, str(number))  # a worker that has lost the job may be writing it too
            did += 1
        total = sum(int(path.read_text()) for path in context.folder.glob("????"))
        return {"total": total, "in_last_attempt": did, "pid": os.getpid()}


class Breaks:
    """Ends as it is told: by an error, a signal or without a word."""

    name = "test.breaks"
    max_attempts = 2

    def check(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        return dict(spec)

    def run(self, context: JobContext) -> dict[str, Any]:
        how = context.job.spec["how"]
        if how == "kill":
            os.kill(os.getpid(), 9)
        if how == "exit":
            print("this is the end", file=sys.stderr, flush=True)
            os._exit(7)
        if how == "halted":
            raise Halted("somebody pulled it")
        raise {
            "bug": RuntimeError("a bug"),
            "busy": ProviderError("busy", retryable=True),
            "odd": ProviderError("odd"),
        }[how]


class Deaf:
    """Looks at nothing for a minute, and has started a process that would go on for ever."""

    name = "test.deaf"
    max_attempts = 2

    def check(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        return dict(spec)

    def run(self, context: JobContext) -> dict[str, Any]:
        other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
        Path(context.job.spec["note"]).write_text(str(other.pid))
        context.say("deaf from now on")
        if context.job.spec.get("stopped"):  # not even the heartbeat goes on
            os.kill(os.getpid(), 19)
        time.sleep(60)
        return {}


plugin = Plugin()
count, breaks, deaf = Count(), Breaks(), Deaf()
