"""Meeting the workspace's watcher, and starting it where there is none."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

from reactor_core.errors import EnvironmentMissing
from reactor_core.integration.event_bridge import EventBridge
from reactor_core.safety.kill import wire
from reactor_core.safety.kill.processes import MARK
from reactor_core.utils.settings import process_environment

__all__ = ["meet_watcher"]

START_SECONDS = 60.0
"""How long a watcher may take to start; it takes a second on an idle machine."""

TRIES = 3
"""How often one is started that ends at once."""

GREET_SECONDS = 5.0
"""How long a watcher that is there may take to answer. One that hangs is not replaced: nothing runs."""

_WATCHER = "reactor_core.safety.kill.watcher"


def meet_watcher(bridge: EventBridge, hello: wire.Hello) -> tuple[socket.socket, wire.Echo]:
    """Greet the watcher of the bridge's workspace, and start it first if there is none.

    Raises:
        EnvironmentMissing: It does not start, or does not answer.
    """
    deadline = time.monotonic() + START_SECONDS
    starts = 0
    while time.monotonic() < deadline:
        connected = wire.connect(bridge.workspace)
        if connected is None:
            if starts == TRIES:
                break
            _start(bridge, deadline)
            starts += 1
            continue
        try:
            connected.settimeout(GREET_SECONDS)
            wire.send(connected, hello)
            answer = wire.receive(connected, at="station")
            if isinstance(answer, wire.Echo):
                connected.setblocking(True)
                return connected, answer
        except wire.Lost:
            pass  # it was just ending: the next one will not
        except TimeoutError:
            deadline = 0.0
        connected.close()
    raise EnvironmentMissing(
        f"the watcher of {bridge.workspace} does not answer",
        remedy="see watcher.log in the workspace",
    )


def _start(bridge: EventBridge, deadline: float) -> None:
    """Run the watcher; returns when it can be met. Two at once are one."""
    settings = bridge.settings
    environment = {
        **process_environment(),
        "REACTOR_STATE_DIR": str(settings.state_dir),
        "KILL_SWITCH_ENABLED": str(settings.kill_switch_enabled),
        "KILL_SWITCH_CORNER": settings.kill_switch_corner,
        "KILL_SWITCH_HOTKEY": settings.kill_switch_hotkey,
    }
    environment.pop(MARK, None)  # it is nobody's action
    # -P: the folder that this process happens to be in is no place to take modules from.
    command = [sys.executable, "-P", "-m", _WATCHER, os.fspath(bridge.workspace.resolve())]
    try:
        done = subprocess.run(  # noqa: S603  our own module
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=max(deadline - time.monotonic(), 0.001),
            cwd="/",
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentMissing(f"the watcher cannot be started: {error}") from error
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise EnvironmentMissing(f"the watcher cannot be started: {' '.join(last) or done.returncode}")
