from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import apsw
import pytest

from reactor_core.errors import ConfigError
from reactor_core.integration import Event, EventBridge, EventType


@pytest.fixture
def bridge(tmp_path: Path):
    with EventBridge(workspace=tmp_path) as bridge:
        yield bridge


class Heard:
    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._more = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._more:
            self.numbers.append(event.data["n"])
            self._more.notify_all()

    def wait(self, count: int) -> list[int]:
        with self._more:
            assert self._more.wait_for(lambda: len(self.numbers) >= count, 20), self.numbers
            return list(self.numbers)


def count(event: Event, db: apsw.Connection) -> None:
    db.execute("CREATE TABLE IF NOT EXISTS spent (usd REAL)")
    db.execute("INSERT INTO spent VALUES (?)", (event.data["amount"],))


def spent(bridge: EventBridge) -> float:
    return bridge.journal.work(lambda db: db.execute("SELECT sum(usd) FROM spent").get).result(20)


def test_a_durable_handler_hears_after_a_restart_what_was_published_meanwhile(tmp_path):
    heard = Heard()
    with EventBridge(workspace=tmp_path) as bridge:
        bridge.publish_sync("tick", {"n": -1})  # before the name was known
        bridge.on_event("tick", durable="reader")(heard)
        bridge.publish_sync("tick", {"n": 0})
        heard.wait(1)
    with EventBridge(workspace=tmp_path) as bridge:
        bridge.publish_many_sync([("tick", {"n": 1}), ("tock", {"n": 9}), ("tick", {"n": 2})])
    with EventBridge(workspace=tmp_path) as bridge:
        bridge.on_event("tick", durable="reader")(heard)
        bridge.publish_sync("tick", {"n": 3})
        assert heard.wait(4) == [0, 1, 2, 3]


def test_a_durable_handler_that_is_killed_hears_again_what_it_had_begun(tmp_path):
    program = (
        "import os, sys, threading; from pathlib import Path; from reactor_core.integration import EventBridge\n"
        "bridge = EventBridge(workspace=Path(sys.argv[1]))\n"
        "@bridge.on_event('tick', durable='reader')\n"
        "def handler(event):\n"
        "    if event.data['n'] == 5: os._exit(9)\n"
        "bridge.publish_many_sync([('tick', {'n': number}) for number in range(10)])\n"
        "threading.Event().wait(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, timeout=60)
    assert done.returncode == 9
    heard = Heard()
    with EventBridge(workspace=tmp_path) as bridge:
        bridge.on_event("tick", durable="reader")(heard)
        bridge.publish_sync("tick", {"n": 10})
    numbers = heard.wait(6)  # closing lets it finish
    assert numbers == list(range(numbers[0], 11))
    assert numbers[0] <= 5


def test_an_inbox_counts_each_charge_once(tmp_path):
    for amount in (1.0, 2.0, 4.0):
        with EventBridge(workspace=tmp_path) as bridge:
            bridge.consume("costs", EventType.COST_UPDATE)(count)
            bridge.publish_sync(EventType.COST_UPDATE, {"amount": amount})
            bridge.publish_sync("tick", {})
    with EventBridge(workspace=tmp_path) as bridge:
        assert spent(bridge) == 7.0


def test_an_inbox_that_gives_up_says_so_before_it_goes_on(bridge):
    errors = threading.Semaphore(0)
    bridge.on_event(EventType.ERROR)(lambda event: errors.release())

    @bridge.consume("costs", "charge", attempts=1)
    def broken(event: Event, db: apsw.Connection) -> None:
        if event.data["amount"] < 0:
            raise ValueError("negative")
        count(event, db)

    events = bridge.publish_many_sync([("charge", {"amount": amount}) for amount in (1, -1, 2)])
    assert errors.acquire(timeout=20)
    (error,) = bridge.get_events_by_type_sync(EventType.ERROR)
    assert error.data["failed_event_id"] == events[1].event_id
    assert [failure.event for failure in bridge.failures()] == [events[1]]
    bridge.close()
    with EventBridge(workspace=bridge.workspace) as again:
        assert spent(again) == 3


def test_a_name_is_used_once_in_a_bridge(bridge):
    bridge.on_event("tick", durable="a")(lambda event: None)
    bridge.consume("a", "tick")(count)  # another kind
    with pytest.raises(ConfigError, match="'a' is in use"):
        bridge.on_event("tick", durable="a")(lambda event: None)
    with pytest.raises(ConfigError, match="'a' is in use"):
        bridge.consume("a", "tick")(count)


def test_a_removed_inbox_applies_nothing_more(bridge):
    bridge.consume("costs", "charge")(count)
    bridge.remove_handler(count)
    bridge.publish_sync("charge", {"amount": 1})
    bridge.consume("costs", "charge")(count)  # goes on where it was
    bridge.publish_sync("charge", {"amount": 2})
    bridge.close()
    with EventBridge(workspace=bridge.workspace) as again:
        assert spent(again) == 3


def test_failures_are_kept_for_their_owner(bridge):
    done = threading.Event()

    @bridge.on_event("tick")
    def broken(event: Event) -> None:
        try:
            raise KeyError("x")
        finally:
            done.set()

    event = bridge.publish_sync("tick", {})
    assert done.wait(20)
    bridge.close()
    (failure,) = bridge.failures()
    assert (failure.event, type(failure.error)) == (event, KeyError)
    assert failure.handler.endswith("broken")


def test_listening_without_a_loop(bridge):
    bridge.subscribe_sync(["tick"])
    bridge.publish_many_sync([("tick", {"n": 0}), ("tock", {"n": 9}), ("tick", {"n": 1}), ("tick", {"n": 2})])
    numbers = []
    for event in bridge.listen_sync():
        numbers.append(event.data["n"])
        if len(numbers) == 2:
            break
    assert numbers == [0, 1]
    assert [event.data["n"] for event in bridge.listen_sync(timeout=0.2)] == [2]  # goes on, then ends as it is quiet


def test_a_listener_without_a_loop_ends_with_the_bridge(bridge):
    numbers: list[int] = []
    begun = threading.Event()

    def listen() -> None:
        for event in bridge.listen_sync("tick", after_seq=0):
            numbers.append(event.data["n"])
            begun.set()

    bridge.publish_sync("tick", {"n": 0})
    listening = threading.Thread(target=listen)
    listening.start()
    assert begun.wait(20)
    bridge.close()
    listening.join(20)
    assert not listening.is_alive()
    assert numbers == [0]


async def test_an_urgent_event_that_overtook_a_backlog_does_not_come_again_when_listening_goes_on(bridge):
    await bridge.subscribe(["tick", "urgent"])
    await bridge.publish_many([("tick", {"n": number}) for number in range(5)])
    await bridge.publish("urgent", {"n": 100}, 1)
    rounds = []
    for _ in range(2):
        numbers = []
        listening = bridge.listen()
        async for event in listening:
            numbers.append(event.data["n"])
            if len(numbers) == 3:
                break
        await listening.aclose()
        rounds.append(numbers)
    assert sorted(rounds[0] + rounds[1]) == [0, 1, 2, 3, 4, 100]
    assert rounds[0].count(100) == 1
