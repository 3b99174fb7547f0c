from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from reactor_core.errors import ConfigError
from reactor_core.events import Journal, new_event
from reactor_core.events.bus import Bus
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.transports import Relay, RelayGroup, open_relays


@pytest.fixture
def common(tmp_path: Path):
    journal = Journal(tmp_path / "reactor.db")
    thread = LoopThread("group")
    thread.start()
    bus = Bus(journal, thread, target="user")
    yield {"journal": journal, "bus": bus, "source": "user", "workspace": tmp_path}, thread
    thread.submit(bus.close()).result(30)
    thread.stop()
    journal.close()


def test_each_address_gets_a_relay_and_the_file_follows(common, tmp_path):
    options, thread = common
    group = open_relays(
        websocket_url="ws://127.0.0.1:9/ws/events",
        redis_url="redis://127.0.0.1:9",
        fallback=tmp_path / "shared.jsonl",
        events_dir=tmp_path / "events",
        store_url="postgresql://me:secret-word@127.0.0.1:9/events",
        thread=thread,
        **options,
    )
    names = [status.name for status in group.status()]
    assert names[:4] == [
        "ws://127.0.0.1:9/ws/events",
        "redis://127.0.0.1:9",
        f"file://{tmp_path / 'shared.jsonl'}",
        f"folder://{tmp_path / 'events'}",
    ]
    assert len(names) == 5
    assert "secret-word" not in names[4]
    assert {sample.labels["relay"] for sample in group.metrics()} >= set(names)
    thread.submit(group.close(1)).result(20)
    assert [status.state for status in group.status()] == ["stopped"] * 5


def test_only_a_hub_confirms_for_the_hub(common):
    options, thread = common
    group = open_relays(websocket_url=None, redis_url="redis://127.0.0.1:9", fallback=None, thread=thread, **options)
    assert not group.has_hub
    with pytest.raises(ConfigError, match="no hub"):
        thread.submit(group.confirmed(1, 1)).result(20)
    thread.submit(group.close(1)).result(20)


class Prompt(Relay):
    """Its other side has everything at once."""

    async def session(self) -> None:
        self.connected()
        while True:
            await self.confirm(await self.outgoing())


def test_a_confirmation_of_the_hub_is_the_groups(common):
    options, thread = common
    hub = Prompt("hub://", **options)
    group = RelayGroup([hub], thread, hub=hub)
    event, payload = new_event("user", "tick", {})
    stored = options["journal"].append(event, payload=payload).result(30).event
    thread.submit(group.confirmed(stored.priority, stored.seq)).result(20)
    assert hub.status.sent == 1
    thread.submit(group.close(1)).result(20)


def test_a_bad_address_starts_nothing(common):
    options, thread = common
    with pytest.raises(ConfigError, match="websocket_url"):
        open_relays(websocket_url="nonsense", redis_url=None, fallback=None, thread=thread, **options)


class Faulty(Relay):
    """A relay with a fault of its own."""

    async def session(self) -> None:
        raise ZeroDivisionError("a fault")


def test_a_fault_of_a_relay_is_logged_and_closing_still_works(common, caplog):
    options, thread = common
    caplog.set_level(logging.ERROR)
    group = RelayGroup([Faulty("faulty://", **options)], thread)
    thread.submit(group.close(1)).result(20)
    assert "faulty:// ended by a fault of its own" in caplog.text


class Stubborn(Relay):
    """Its client library turns a cancellation into a broken connection, once."""

    swallowed = False

    async def session(self) -> None:
        self.connected()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if self.swallowed:
                raise
            self.swallowed = True
            raise ConnectionResetError("cancelled") from None


def test_a_cancellation_that_a_library_swallows_still_ends_the_relay(common):
    options, thread = common
    relay = Stubborn("stubborn://", **options)
    group = RelayGroup([relay], thread)
    thread.submit(group.close(0.05)).result(20)
    assert relay.status.state == "stopped"
