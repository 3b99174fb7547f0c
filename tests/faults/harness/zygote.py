"""A process that has imported everything and forks the processes of the runs: a start costs milliseconds.

Reads one JSON command a line on stdin and answers with one line. It has no threads, so that a fork copies no lock that
somebody holds.

A role is a function of ``roles``, or ``module:function``. The arguments of this program are modules to import instead
of those that the roles about events need.

    {"start": role, "options": {...}, "stderr": path, "die_at": [point, nth, seconds] | null}  ->  {"pid": int}
    {"wait": pid}                                                                    ->  {"status": int}
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.faults.harness import roles

from reactor_core.utils import failpoints

# Imported on first use by the product; imported here once for all processes.
PRELOADED = (
    "reactor_core.events.hub.family",
    "reactor_core.events.hub.hub",
    "reactor_core.events.hub.server",
    "reactor_core.events.store.relay",
    "reactor_core.events.transports.group",
    "reactor_core.events.transports.redis_streams",
    "reactor_core.events.transports.websocket",
    "redis.asyncio.retry",
    "reactor_core.integration.hub_service",
    "websockets.asyncio.client",
    "websockets.asyncio.server",
)


def die_at(point: str, nth: int, seconds: float) -> None:
    """Kill this process when it passes a point for the nth time, after its other threads had some seconds more."""
    left = nth

    def action(name: str) -> None:
        nonlocal left
        if name == point:
            left -= 1
            if left == 0:
                time.sleep(seconds)
                os.kill(os.getpid(), signal.SIGKILL)

    failpoints.install(action)


def child(command: dict[str, Any]) -> None:
    """Play a role; never returns."""
    status = 1
    try:
        null = os.open(os.devnull, os.O_RDWR)
        errors = os.open(command["stderr"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for target, source in ((0, null), (1, errors), (2, errors)):
            os.dup2(source, target)
        if command["die_at"] is not None:
            die_at(*command["die_at"])
        module, _, role = command["start"].rpartition(":")
        getattr(importlib.import_module(module) if module else roles, role)(**command["options"])
        status = 0
    except BaseException:  # noqa: BLE001  the only place left to report it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    for name in sys.argv[1:] or PRELOADED:
        importlib.import_module(name)
    living: set[int] = set()
    print("ready", flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        if "wait" in command:
            _, status = os.waitpid(command["wait"], 0)
            living.discard(command["wait"])
            print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            child(command)
        living.add(pid)
        print(json.dumps({"pid": pid}), flush=True)
    for pid in living:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
