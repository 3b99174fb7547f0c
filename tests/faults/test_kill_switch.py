"""What holds a lease, or watches it, is ended at a random moment: whatever acted is dead within the lease."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.faults.harness.tally import Tally
from tests.faults.harness.waiting import wait_until

from reactor_core.integration import EventBridge
from reactor_core.safety.kill import Station, watcher_standing
from reactor_core.utils.settings import Settings

LEASE_MS = 1000

# Has ever more programs enlisted. None begins before the watcher knows it; each then says so in a file.
HOLDER = """
import os, subprocess, sys
from pathlib import Path
from reactor_core.errors import ReactorError
from reactor_core.integration import EventBridge
from reactor_core.safety.kill import Station
from reactor_core.utils.settings import Settings

folder = Path(sys.argv[1])
settings = Settings(
    workspace=folder / "workspace", state_dir=folder / "state", kill_switch_lease_ms=int(sys.argv[2])
)
bridge = EventBridge("jarvis_agent", settings=settings)
station = Station(bridge)
station.open()
print("ready", flush=True)
started = []
while len(started) < 300:
    command = ["sh", "-c", f"read go && echo $$ >> {folder}/begun && exec sleep 600"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, start_new_session=True, env={**os.environ, **station.marks}
    )
    started.append(process)
    try:
        station.enlist(process.pid, action="sleep")
        process.stdin.write(b"go\\n")
        process.stdin.flush()
    except (ReactorError, OSError):
        break
sys.stdin.read()
"""


def living(folder: Path) -> list[int]:
    """Programs that have begun and are not dead."""
    begun = folder / "begun"
    pids = [int(line) for line in begun.read_text().split()] if begun.exists() else []
    found = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
        except FileNotFoundError:
            continue
        if state not in (b"Z", b"X"):
            found.append(pid)
    return found


@pytest.mark.parametrize("victim", ["holder", "watcher"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hangs"])
def test_nothing_acts_on(tmp_path: Path, tally: Tally, victim: str, number: signal.Signals) -> None:
    for run in tally.times(1):
        folder = tmp_path / f"{run}"
        settings = Settings(workspace=folder / "workspace", state_dir=folder / "state")
        with EventBridge("user", settings=settings) as bridge:
            holder = subprocess.Popen(
                [sys.executable, "-c", HOLDER, str(folder), str(LEASE_MS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            assert holder.stdin is not None
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"ready\n"
            standing = watcher_standing(settings.workspace)
            assert standing is not None
            target = holder.pid if victim == "holder" else standing.pid
            wait_until(lambda folder=folder: (folder / "begun").exists(), "the first action has begun")
            time.sleep(tally.chance.uniform(0.05, 0.3))
            begun = time.monotonic()
            os.kill(target, number)
            try:
                # A machine that other programs use needs its time as well; the benchmark measures how much.
                wait_until(lambda folder=folder: not living(folder), "every action is dead")
                tally.count("actions", len((folder / "begun").read_text().split()))
                if (victim, number) != ("holder", signal.SIGKILL):
                    wait_until(lambda bridge=bridge: bridge.latch.state().tripped, "everything is halted")
                assert time.monotonic() - begun < 30
                time.sleep(0.2)
                assert living(folder) == []
            finally:
                for pid in (standing.pid, holder.pid, *living(folder)):
                    if pid != target or number == signal.SIGSTOP:
                        os.kill(pid, signal.SIGKILL)
                holder.wait()
                holder.stdin.close()
                holder.stdout.close()
        tally.run()


# Enlists a program that leaves a grandchild in a session of its own, whose parents have ended.
PARENT = """
import os, subprocess, sys, time
from pathlib import Path
from reactor_core.integration import EventBridge
from reactor_core.safety.kill import Station
from reactor_core.utils.settings import Settings

folder = Path(sys.argv[1])
settings = Settings(workspace=folder / "workspace", state_dir=folder / "state")
bridge = EventBridge("jarvis_agent", settings=settings)
station = Station(bridge)
command = ["sh", "-c", f"read go; (setsid sh -c 'echo $$ >> {folder}/begun; exec sleep 600' &) ; exec sleep 600"]
process = subprocess.Popen(
    command, stdin=subprocess.PIPE, start_new_session=True, env={**os.environ, **station.marks}
)
station.enlist(process.pid, action="leave somebody behind")
process.stdin.write(f"go\\n".encode())
process.stdin.flush()
with (folder / "begun").open("a") as file:
    file.write(f"{process.pid}\\n")
print("ready", flush=True)
sys.stdin.read()
"""


def test_what_outlives_holder_and_watcher_is_ended_by_the_next_watcher(tmp_path: Path, tally: Tally) -> None:
    for run in tally.times(1):
        folder = tmp_path / f"{run}"
        settings = Settings(workspace=folder / "workspace", state_dir=folder / "state")
        with EventBridge("user", settings=settings) as bridge:
            holder = subprocess.Popen(
                [sys.executable, "-c", PARENT, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            assert holder.stdin is not None
            assert holder.stdout is not None
            standing = None
            try:
                assert holder.stdout.readline() == b"ready\n"
                wait_until(lambda folder=folder: len(living(folder)) == 2, "the grandchild has begun")
                standing = watcher_standing(settings.workspace)
                assert standing is not None
                time.sleep(tally.chance.uniform(0.0, 0.1))
                os.kill(standing.pid, signal.SIGSTOP)  # so that neither notices the end of the other
                os.kill(holder.pid, signal.SIGKILL)
                os.kill(standing.pid, signal.SIGKILL)
                holder.wait()
                wait_until(lambda settings=settings: watcher_standing(settings.workspace) is None, "nobody watches")
                assert len(living(folder)) == 2
                tally.count("orphans", 2)
                with Station(bridge):
                    wait_until(lambda folder=folder: not living(folder), "every action is dead")
                assert not bridge.latch.state().tripped
            finally:
                for pid in (holder.pid, *living(folder)):
                    if pid != holder.pid or holder.returncode is None:
                        os.kill(pid, signal.SIGKILL)
                holder.wait()
                holder.stdin.close()
                holder.stdout.close()
                end_watcher(settings)
        tally.run()


def end_watcher(settings: Settings) -> None:
    """Tell the watcher to go, if there is one."""
    standing = watcher_standing(settings.workspace)
    if standing is not None:
        os.kill(standing.pid, signal.SIGKILL)
