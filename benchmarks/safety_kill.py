"""From the trigger of the kill switch to the last side effect, behind a backlog of events.

    python benchmarks/safety_kill.py            # some minutes
    python benchmarks/safety_kill.py --quick    # under a minute, decides nothing

An action is a program that writes the time into a file again and again and does nothing else; the last time in the
file is its last side effect. An agent's process has it enlisted and is behind with so many events. The switch is pulled
in the agent's process, by another process that asks the watcher, by an event that another process of the workspace
publishes, by an event of another workspace over a WebSocket hub, and by stopping a process that holds a lease. All
processes read one clock. Beside it: how long an atomic step of category 1 goes on after the trigger, as a share of the
halt, when steps take 5 to 50 ms.

Not covered: several machines; a process of another user; a kernel that does not schedule the watcher.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from _events import DATA, environment
from _harness import emit

HERE = str(Path(__file__).resolve())
LIMIT_MS = 150.0
LEASE_MS = 500
BATCH = 500

# Writes the monotonic time in nanoseconds into a page that it shares with who looks, as fast as it can: a file system
# that is busy with the journal does not slow it down.
ACTION = (
    "import mmap,os,struct,sys,time\n"
    "fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\n"
    "os.truncate(fd, 8); page = mmap.mmap(fd, 8)\n"
    "while True: page[:] = struct.pack('q', time.monotonic_ns())\n"
)


def last_effect(file: Path) -> int:
    """When the action wrote last, in nanoseconds."""
    return int(struct.unpack("q", file.read_bytes())[0])


@contextlib.contextmanager
def action(file: Path, marks: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """An action that has begun to write."""
    file.unlink(missing_ok=True)
    command = [sys.executable, "-I", "-S", "-c", ACTION, str(file)]
    with subprocess.Popen(command, start_new_session=True, env={**os.environ, **marks}) as process:
        while not file.exists() or file.stat().st_size < 8 or not last_effect(file):
            if process.poll() is not None:
                raise RuntimeError("the action was stopped before it began")
            time.sleep(0.001)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


class Child:
    """Another process of this script; it answers each line with a line."""

    def __init__(self, role: str, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, HERE, "--child", role, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(folder),
        )  # fmt: skip
        self.answer()

    def answer(self) -> Any:
        """What it says next."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("a measured process ended")
        return json.loads(line)

    def ask(self, word: str = "go") -> Any:
        """Tell it something, and wait for what it says."""
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Agent:
    """The process that is measured: this one, with a bridge, a station and a handler that is far behind."""

    def __init__(self, folder: Path, backlog: int, hub: str | None) -> None:
        from reactor_core.integration import Event, EventBridge, EventType
        from reactor_core.safety.kill import Station
        from reactor_core.utils.settings import load_settings

        settings = load_settings().model_copy(update={"kill_switch_lease_ms": 5000})
        self.bridge = EventBridge("jarvis_agent", settings=settings, websocket_url=hub, fallback_to_file=False)
        self.station = Station(self.bridge)
        self.station.open()
        self.file = folder / "effects"
        self.handled = 0

        @self.bridge.on_event(EventType.FEEDBACK)
        async def work(_: Event) -> None:
            self.handled += 1
            await asyncio.sleep(0.01)

        self.published = backlog * 13 // 10
        for _ in range(self.published // BATCH):
            self.bridge.publish_many_sync([(EventType.FEEDBACK, DATA)] * BATCH)

    def clear(self) -> None:
        """End the halt, as `reactor kill reset` does."""
        from reactor_core.safety.kill import watcher_standing

        while not self.bridge.latch.state().tripped:
            time.sleep(0.001)
        # The station has stopped its own at once; whatever the watcher is still about, it ends before the next trial.
        time.sleep(0.05)
        watcher_standing(self.bridge.workspace)
        state = self.bridge.latch.state()
        self.bridge.latch.clear(state.tripped_epoch, by="benchmark", evidence={})

    def trial(self, pull: Callable[[], int]) -> float:
        """Milliseconds from the trigger to the last write."""
        with action(self.file, self.station.marks) as process:
            self.station.enlist(process.pid, action="write")
            time.sleep(random.uniform(0.002, 0.02))
            if process.poll() is not None:
                raise RuntimeError("the action was stopped before the trigger")
            began = pull()
            process.wait()
        self.station.dismiss(process.pid)
        taken = (last_effect(self.file) - began) / 1e6
        self.clear()
        return max(taken, 0.001)  # it may have been writing while the trigger was noted

    def step_trial(self) -> tuple[float, float]:
        """Milliseconds from the trigger to the end of the step, and how long the whole step was."""
        begun, ended = threading.Event(), [0.0]
        seconds = random.uniform(0.005, 0.05)

        def act() -> None:
            with self.station.step("write a file"):
                begun.set()
                time.sleep(seconds)
                ended[0] = time.monotonic()

        thread = threading.Thread(target=act)
        thread.start()
        begun.wait()
        time.sleep(random.uniform(0, seconds))
        began = time.monotonic()
        self.station.trip("benchmark", method="benchmark")
        thread.join()
        self.clear()
        return max(ended[0] - began, 0.0) * 1e3, seconds * 1e3

    def check(self, backlog: int) -> None:
        """Raise RuntimeError if fewer events wait than is claimed."""
        behind = self.published - self.handled
        print(f"{behind:,} events wait", file=sys.stderr)
        if behind < backlog:
            raise RuntimeError(f"only {behind:,} events wait, not {backlog:,}")

    def close(self) -> None:
        """End."""
        self.station.close()
        self.bridge.close(timeout=0.1)


def here(agent: Agent) -> Callable[[], int]:
    """Pulled in the agent's own process."""

    def pull() -> int:
        began = time.monotonic_ns()
        agent.station.trip("benchmark", method="benchmark")
        return began

    return pull


def by(child: Child) -> Callable[[], int]:
    """Pulled by another process."""
    return lambda: int(child.ask())


def puller(role: str) -> None:
    """Another process: on each line pull the switch, and say when."""
    from reactor_core.integration import EventBridge, EventType
    from reactor_core.safety.kill import pull_switch
    from reactor_core.utils.settings import load_settings

    settings = load_settings()
    with EventBridge("user", settings=settings, fallback_to_file=False) as bridge:
        print("0", flush=True)
        for _ in sys.stdin:
            began = time.monotonic_ns()
            if role == "asks":
                pull_switch(settings, method="benchmark", reason="benchmark")
            else:
                bridge.publish_sync(EventType.KILL_SWITCH_TRIGGERED, {"action": "everything", "reason": "benchmark"})
            print(json.dumps(began), flush=True)


def holder(file: str) -> None:
    """Another process with a lease: on each line it has an action enlisted."""
    from reactor_core.integration import EventBridge
    from reactor_core.safety.kill import Station
    from reactor_core.utils.settings import load_settings

    settings = load_settings().model_copy(update={"kill_switch_lease_ms": LEASE_MS})
    with EventBridge("scout", settings=settings, fallback_to_file=False) as bridge, Station(bridge) as station:
        print("0", flush=True)
        for _ in sys.stdin:
            with action(Path(file), station.marks) as process:
                station.enlist(process.pid, action="write")
                print("0", flush=True)
                process.wait()
            station.dismiss(process.pid)
            print("0", flush=True)


def hub() -> None:
    """The meeting point of two workspaces."""
    from reactor_core.integration.hub_service import run_hub
    from reactor_core.utils.settings import load_settings

    run_hub(load_settings(), port=0, echo=lambda said: print(json.dumps(said.split()[2]), flush=True))


def silence(agent: Agent, folder: Path, trials: int) -> list[float]:
    """Milliseconds from stopping a process that holds a lease to the last write of its action."""
    file = folder / "held"
    child = Child("holder", folder, "--file", str(file))
    taken = []
    try:
        for _ in range(trials):
            child.ask()
            time.sleep(LEASE_MS / 1e3 * random.uniform(0.3, 0.6))
            began = time.monotonic_ns()
            os.kill(child.process.pid, signal.SIGSTOP)
            while not agent.bridge.latch.state().tripped:
                time.sleep(0.002)
            time.sleep(0.1)
            taken.append((last_effect(file) - began) / 1e6)
            agent.clear()
            os.kill(child.process.pid, signal.SIGCONT)
            child.answer()
    finally:
        child.close()
    return taken


def share(values: list[float], part: float) -> float:
    """A percentile."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(part * len(ranked)))]


def tell(claim: str, ours: float, *, goal: float | None, samples: int, quick: bool) -> None:
    """One line. There is no peer: no library that was found measures a stop to its last side effect."""
    emit(
        benchmark="safety_kill",
        claim=claim,
        unit="ms",
        ours=ours,
        peer=None,
        peer_name=None,
        better="lower",
        goal="reported" if goal is None else f"under {goal:.0f} ms",
        least_ratio=None,
        samples=samples,
        packages=("apsw", "websockets", "msgspec"),
        holds=None if quick or goal is None else ours < goal,
    )


def measure(trials: int, backlog: int, *, quick: bool) -> None:
    """All paths, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "other").mkdir()
        meeting = Child.__new__(Child)
        meeting.process = subprocess.Popen(
            [sys.executable, HERE, "--child", "hub"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment(folder / "hub"),
        )  # fmt: skip
        address = meeting.answer()
        os.environ.update(environment(folder))
        agent = Agent(folder, backlog, address)
        asks, publishes = Child("asks", folder), Child("publishes", folder)
        os.environ["EVENT_BRIDGE_WS_URL"] = address
        far = Child("publishes", folder / "other")
        os.environ.pop("EVENT_BRIDGE_WS_URL")
        paths = {
            "pulled in the agent's process": here(agent),
            "another process asks the watcher": by(asks),
            "an event that another process publishes": by(publishes),
            "an event of another workspace over WebSocket": by(far),
        }
        try:
            for path, pull in paths.items():
                taken = [agent.trial(pull) for _ in range(trials)]
                agent.check(backlog)
                for what, part in (("median", 0.5), ("p99", 0.99)):
                    claim = f"{what} of {trials} trials from trigger to last write, {path}, {backlog:,} events behind"
                    tell(claim, share(taken, part), goal=LIMIT_MS, samples=trials, quick=quick)
            steps = [agent.step_trial() for _ in range(trials)]
            claim = f"p99 of {trials} trials from trigger to the end of an atomic step of 5 to 50 ms (category 1)"
            tell(claim, share([taken for taken, _ in steps], 0.99), goal=None, samples=trials, quick=quick)
            silent = silence(agent, folder, trials)
            for what, part in (("median", 0.5), ("p99", 0.99)):
                claim = (
                    f"{what} of {trials} trials from stopping a holder to its action's last write, less the lease of "
                    f"{LEASE_MS} ms, which runs from its last beat, up to {LEASE_MS // 5} ms before"
                )
                over = [value - LEASE_MS for value in silent]
                tell(claim, share(over, part), goal=None, samples=trials, quick=quick)
        finally:
            for child in (asks, publishes, far, meeting):
                child.close()
            agent.close()


def main() -> int:
    """Measure, or be one measured process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute; holds is null")
    parser.add_argument("--trials", type=int, default=None, help="stops on each path")
    parser.add_argument("--backlog", type=int, default=None, help="events that wait at least")
    parser.add_argument("--child", choices=("asks", "publishes", "holder", "hub"), help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child is None:
        measure(
            args.trials or (10 if args.quick else 200),
            args.backlog or (10_000 if args.quick else 100_000),
            quick=args.quick,
        )
    elif args.child == "holder":
        holder(args.file)
    elif args.child == "hub":
        hub()
    else:
        puller(args.child)
    return 0


if __name__ == "__main__":
    sys.exit(main())
