"""What the processes of a run do. Each gets the path of its log; each is killed at any moment."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
from pydantic import SecretStr
from tests.faults.harness.disk import Disk
from tests.faults.harness.history import EFFECTS, PROBE, Log, Record
from tests.faults.harness.waiting import wait_until

from reactor_core.errors import JournalError, StorageFull
from reactor_core.events import Journal, new_event
from reactor_core.integration import Event, EventBridge
from reactor_core.utils.settings import load_settings

_LANES = (1, 2, 3, 3, 3, 4)


def _numbers(life: int, lanes: Sequence[int] = _LANES) -> Iterator[tuple[int, int]]:
    """Lanes, and a number that counts within each."""
    chance = random.Random(life)
    counters = {lane: itertools.count() for lane in set(lanes)}
    while True:
        lane = chance.choice(lanes)
        yield lane, next(counters[lane])


def appender(
    *, log: str, journal: str, source: str, life: int, window: int, count: int, disk: dict[str, Any] | None = None
) -> None:
    """Append to a journal, with so many appends waiting for their answers at a time.

    On a bad disk an append can fail; the next ones are tried nevertheless.
    """
    out = Log(Path(log))
    waiting: deque[tuple[Record, Future]] = deque()
    bad = None if disk is None else Disk(**disk)

    def settle() -> None:
        record, future = waiting.popleft()
        try:
            stored = future.result().event
        except (JournalError, StorageFull):
            assert bad is not None
            out.write(replace(record, kind="refused"))
        else:
            out.write(replace(record, kind="acked", seq=stored.seq))

    with Journal(Path(journal), vfs=None if bad is None else bad.vfs_name) as opened:
        for lane, number in itertools.islice(_numbers(life), count):
            event, payload = new_event(source, PROBE, {"life": life, "number": number}, priority=lane)
            record = Record("tried", event.event_id, source, lane, life, number)
            out.write(record)
            try:
                waiting.append((record, opened.append(event, payload=payload)))
            except (JournalError, StorageFull):
                assert bad is not None
                out.write(replace(record, kind="refused"))
                time.sleep(0.001)
            if len(waiting) >= window:
                settle()
        while waiting:
            settle()


def publisher(
    *,
    log: str,
    workspace: str,
    source: str,
    life: int,
    tasks: int,
    ws_url: str | None = None,
    redis_url: str | None = None,
    store_url: str | None = None,
    ack: str = "durable",
    lanes: Sequence[int] = _LANES,
) -> None:
    """Publish through a bridge from so many tasks until asked to finish; then stay, so that relays deliver."""
    out = Log(Path(log))
    asked = _asked_to_end()
    finished = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: finished.set())
    numbers = _numbers(life, lanes)
    settings = load_settings()
    if store_url is not None:
        settings = settings.model_copy(update={"event_store_url": SecretStr(store_url)})

    async def task(bridge: EventBridge) -> None:
        while not finished.is_set() and not asked.is_set():
            lane, number = next(numbers)
            tried = Record("tried", "", source, lane, life, number)
            out.write(tried)
            event = await bridge.publish(PROBE, {"life": life, "number": number}, lane, ack=ack)
            out.write(replace(tried, kind="acked", event_id=event.event_id, seq=event.seq))

    async def main() -> None:
        async with EventBridge(
            source, ws_url, False, redis_url, workspace=Path(workspace), settings=settings
        ) as bridge:
            out.write(Record("ready", "", source, 0, life, 0))
            await asyncio.gather(*(task(bridge) for _ in range(tasks)))
            out.write(Record("finished", "", source, 0, life, 0))
            await asyncio.to_thread(asked.wait)

    asyncio.run(main())


def subscriber(
    *,
    log: str,
    workspace: str,
    source: str,
    life: int,
    ws_url: str | None = None,
    redis_url: str | None = None,
) -> None:
    """Handle each probe at least once, and store an effect for each exactly once, until asked to end."""
    out = Log(Path(log))
    asked = _asked_to_end()
    with EventBridge(source, ws_url, False, redis_url, workspace=Path(workspace)) as bridge:
        make = f"CREATE TABLE IF NOT EXISTS {EFFECTS} (event_id TEXT)"
        bridge.journal.work(lambda db: db.execute(make) and None).result()

        @bridge.on_event(PROBE, durable="probes")
        async def handle(event: Event) -> None:
            data = event.data
            made = (event.event_id, str(event.source), event.priority, data["life"], data["number"])
            out.write(Record("handled", *made, event.seq))

        @bridge.consume("ledger", PROBE)
        def effect(event: Event, db: apsw.Connection) -> None:
            db.execute(f"INSERT INTO {EFFECTS} VALUES (?)", (event.event_id,))

        # A transport that is new to a workspace begins with what is published from then on.
        wait_until(lambda: life > 0 or all(relay.state == "connected" for relay in bridge.relays()), "a connection")
        out.write(Record("ready", "", source, 0, life, 0))
        asked.wait()


def _asked_to_end() -> threading.Event:
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    return asked


def hub(*, log: str, workspace: str, port: int, life: int) -> None:
    """``reactor hub``."""
    from reactor_core.integration.hub_service import run_hub

    out = Log(Path(log))
    settings = load_settings().model_copy(update={"workspace": Path(workspace)})
    ready = Record("ready", "", "system", 0, life, 0)
    run_hub(settings, host="127.0.0.1", port=port, echo=lambda _: out.write(ready))
