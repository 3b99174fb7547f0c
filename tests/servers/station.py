"""A workspace with one connection to a hub: what a bridge is made of, without the bridge."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from pathlib import Path
from typing import Any

from reactor_core.events import new_event
from reactor_core.events.bus import Bus
from reactor_core.events.drafts import Draft
from reactor_core.events.event import Event
from reactor_core.events.journal import Journal
from reactor_core.events.latch import Latch
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.transports import RelayGroup, WebSocketRelay


class Station:
    """Publishes to its journal, exchanges with a hub, and can be waited for.

    Args:
        options: For the relay.
    """

    def __init__(self, workspace: Path, url: str, source: str = "scout", **options: Any) -> None:
        self.source = source
        self.journal = Journal(workspace / "reactor.db")
        self.thread = LoopThread(source)
        self.thread.start()
        self.bus = Bus(self.journal, self.thread, target=source)
        self.latch = Latch(workspace, journal=self.journal)
        self.relay = WebSocketRelay(
            url,
            journal=self.journal,
            bus=self.bus,
            source=source,
            workspace=workspace,
            **{"latch": self.latch, "backoff": lambda: itertools.repeat(0.05), **options},
        )
        self.group = RelayGroup([self.relay], self.thread)

    def publish(self, *numbers: int, lane: int = 3, kind: str = "tick", **data: Any) -> list[str]:
        """Store one event for each number; returns their ids."""
        drafts = [Draft(*new_event(self.source, kind, {"n": number, **data}, priority=lane)) for number in numbers]
        if lane == 1:
            for draft in drafts:
                self.bus.hand_out_early(draft.event)
        return [outcome.event.event_id for outcome in self.journal.append_many(drafts).result(60)]

    def until(self, condition, *, seconds: float = 60) -> None:
        """Wait until a condition holds; it is asked after each commit, each change of the relay, and now and then."""

        async def wait() -> None:
            bell = asyncio.Event()
            self.bus.add_bell(bell)
            try:
                async with asyncio.timeout(seconds):
                    while not condition():
                        bell.clear()
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(bell.wait(), 0.05)
            finally:
                self.bus.remove_bell(bell)

        self.thread.submit(wait()).result(seconds + 10)

    def connected(self) -> None:
        """Wait until the hub has welcomed us."""
        self.until(lambda: self.relay.status.state == "connected")

    def received(self, count: int) -> list[Event]:
        """Wait until so many events came from the hub; returns all that did, in the journal's order."""
        self.until(lambda: self.relay.status.received >= count)
        return [event for event in self.journal.read() if event.origin]

    def delivered(self) -> None:
        """Wait until the hub has confirmed everything that is stored here now."""
        head = self.journal.head().seq
        self.until(lambda: min(self.relay.cursors.values()) >= head)

    def close(self, seconds: float = 5) -> None:
        self.thread.submit(self.group.close(seconds)).result(30)
        self.thread.submit(self.bus.close()).result(30)
        self.thread.stop()
        self.latch.close()
        self.journal.close()
