from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.hub import HubHost

from reactor_core.errors import ConfigError, JournalClosed, NotAcknowledged, StorageFull
from reactor_core.integration import Draft, Event, EventBridge, EventType


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[EventBridge]:
    with EventBridge(workspace=tmp_path) as bridge:
        yield bridge


@pytest.fixture
def host(tmp_path: Path) -> Iterator[HubHost]:
    host = HubHost(tmp_path / "hub")
    yield host
    host.close()


def heard_by(bridge: EventBridge, *types) -> tuple[list[Event], threading.Semaphore]:
    heard: list[Event] = []
    more = threading.Semaphore(0)

    @bridge.on_event(*types)
    def handler(event: Event) -> None:
        heard.append(event)
        more.release()

    return heard, more


async def test_many_events_are_stored_in_their_order(bridge):
    events = await bridge.publish_many([("tick", {"n": number}) for number in range(1500)])
    assert [event.seq for event in events] == list(range(1, 1501))
    assert await bridge.get_events_by_type("tick") == events


def test_many_events_are_published_without_a_loop_with_all_that_one_can_have(bridge):
    first, second, third = bridge.publish_many_sync(
        [
            Draft("tick", {"n": 1}, 2, {"trace_id": "t"}),
            Draft("tick", {"n": 2}, dedup_key="k"),
            Draft("tick", {"n": 3}, dedup_key="k"),
        ]
    )
    assert (first.priority, first.metadata) == (2, {"trace_id": "t"})
    assert third == second
    assert len(bridge.get_events_by_type_sync("tick")) == 2


async def test_equal_readings_among_many_are_one_event(bridge):
    events = await bridge.publish_many([(EventType.COST_UPDATE, {"total": 1.5})] * 3)
    assert len({event.event_id for event in events}) == 1


async def test_one_of_many_that_cannot_be_used_keeps_all_from_being_stored(bridge):
    with pytest.raises(ConfigError):
        await bridge.publish_many([("tick", {}), ("tick", {"bad": object()})])
    with pytest.raises(ConfigError):
        bridge.publish_many_sync([("tick", {}), ("", {})])
    assert await bridge.get_events_by_type(None) == []


async def test_urgent_events_among_many_are_heard_once(bridge):
    heard, more = heard_by(bridge)
    await bridge.publish_many([("tick", {"n": 0}), (EventType.KILL_SWITCH_TRIGGERED, {"action": "x"}), ("tick", {})])
    for _ in range(3):
        assert await asyncio.to_thread(more.acquire, timeout=20)
    assert sorted(str(event.event_type) for event in heard) == ["kill_switch_triggered", "tick", "tick"]
    assert bridge.latch.state().tripped


async def test_nothing_published_is_nothing_stored(bridge):
    assert await bridge.publish_many([]) == []


@pytest.mark.parametrize("lane", [1, 3])
def test_without_acknowledgement_it_returns_at_once_and_is_stored_a_little_later(bridge, lane):
    heard, more = heard_by(bridge, "tick")
    event = bridge.publish_sync("tick", {"n": 1}, lane, ack="none")
    assert event.seq is None
    assert more.acquire(timeout=20)
    assert heard[0].event_id == event.event_id
    bridge.close()
    with EventBridge(workspace=bridge.workspace) as again:
        assert [stored.event_id for stored in again.get_events_by_type_sync("tick")] == [event.event_id]


async def test_without_acknowledgement_a_loop_does_not_wait(bridge):
    events = [await bridge.publish("tick", {"n": number}, ack="none") for number in range(50)]
    stored = await bridge.publish("tock", {})
    assert stored.seq == 51
    assert [event.event_id for event in await bridge.get_events_by_type("tick")] == [e.event_id for e in events]


def test_a_failure_without_acknowledgement_is_logged(bridge, caplog, monkeypatch):
    from concurrent.futures import Future

    answer: Future = Future()
    monkeypatch.setattr(bridge.journal, "append", lambda *_, **__: answer)
    bridge.publish_sync("tick", {}, ack="none")
    answer.set_exception(StorageFull("no space left"))
    assert "is not stored: no space left" in caplog.text


async def test_a_flood_without_acknowledgement_waits_for_a_disk_that_does_not_answer(bridge, monkeypatch):
    from concurrent.futures import Future

    from reactor_core.integration import publishing

    monkeypatch.setattr(publishing, "MOST_UNHEARD", 3)
    with monkeypatch.context() as disk:
        answers: list[Future] = []
        disk.setattr(bridge.journal, "append", lambda *_, **__: answers.append(Future()) or answers[-1])
        for number in range(3):
            bridge.publish_sync("tick", {"n": number}, ack="none")
        with pytest.raises(NotAcknowledged):
            bridge.publish_sync("tick", {"n": 3}, ack="none", timeout=0.05)
        assert bridge.publish_sync("stop", {}, 1, ack="none").seq is None  # lane 1 never waits
    for answer in answers:
        answer.set_exception(StorageFull("no space left"))
    assert (await bridge.publish("tick", {"n": 4}, ack="none")).seq is None


@pytest.mark.parametrize("ack", ["remote", "sometimes"])
async def test_an_acknowledgement_that_nobody_can_give_is_refused_before_anything_is_stored(bridge, ack):
    with pytest.raises(ConfigError, match="ack="):
        await bridge.publish("tick", {}, ack=ack)
    with pytest.raises(ConfigError, match="ack="):
        bridge.publish_sync("tick", {}, ack=ack)
    assert await bridge.get_events_by_type(None) == []


async def test_remote_means_that_the_hub_has_it_on_its_disk(tmp_path, host):
    async with EventBridge(workspace=tmp_path / "a", websocket_url=host.url, fallback_to_file=False) as bridge:
        first = await bridge.publish("tick", {"n": 1}, ack="remote", timeout=20)
        second = await asyncio.to_thread(bridge.publish_sync, "tick", {"n": 2}, ack="remote", timeout=20)
        stored = await asyncio.to_thread(host.journal.read)
    assert [event.event_id for event in stored] == [first.event_id, second.event_id]
    assert first.seq == 1


async def test_a_hub_that_is_away_is_told_after_the_timeout_and_the_event_is_stored_here(tmp_path):
    async with EventBridge(workspace=tmp_path, websocket_url="ws://127.0.0.1:9/ws/events", fallback_to_file=False) as b:
        with pytest.raises(NotAcknowledged, match="stored here at 1") as caught:
            await b.publish("tick", {}, ack="remote", timeout=0.1)
        assert isinstance(caught.value, TimeoutError)
        with pytest.raises(NotAcknowledged, match="stored here at 2"):
            await asyncio.to_thread(b.publish_sync, "tick", {}, ack="remote", timeout=0.1)
        assert len(await b.get_events_by_type("tick")) == 2


def test_a_disk_that_takes_too_long_is_told_after_the_timeout(bridge):
    gate, held = threading.Event(), threading.Event()

    def hold(db) -> None:
        held.set()
        gate.wait(20)

    waiting = bridge.journal.work(hold)
    assert held.wait(20)
    with pytest.raises(NotAcknowledged, match="may be stored yet"):
        bridge.publish_sync("tick", {}, timeout=0.05)
    with pytest.raises(NotAcknowledged, match="may be stored yet"):
        asyncio.run(bridge.publish("tick", {}, timeout=0.05))
    gate.set()
    waiting.result(20)


async def test_a_closed_bridge_says_so(tmp_path):
    bridge = EventBridge(workspace=tmp_path)
    await bridge.aclose()
    with pytest.raises(JournalClosed):
        bridge.publish_many_sync([("tick", {})])
    with pytest.raises(JournalClosed):
        await bridge.publish_many([("tick", {})])
