"""The bridge as its users meet it: the blocks of the public documents, verbatim, and what they promise."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from reactor_core.integration import Event, EventBridge, EventSource, EventType


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / ".reactor"))
    monkeypatch.setenv("EVENT_BRIDGE_FALLBACK_FILE", str(tmp_path / "events.jsonl"))
    return tmp_path / ".reactor"


@pytest.fixture
async def bridge(workspace: Path):
    async with EventBridge(source=EventSource.JARVIS_AGENT) as bridge:
        yield bridge


async def first(bridge: EventBridge, *types: EventType) -> Event:
    async with asyncio.timeout(10):
        async for event in bridge.listen(*types):
            return event
    raise AssertionError("the bridge was closed")


async def test_publish_returns_the_stored_event(bridge):
    event = await bridge.publish(EventType.TRAINING_PROGRESS, {"epoch": 2, "loss": 0.123, "progress": 0.67}, priority=2)
    assert event.seq == 1
    assert event.priority == 2
    assert await bridge.get_events_by_type(EventType.TRAINING_PROGRESS) == [event]


async def test_equal_gauges_within_a_minute_are_one_event(bridge):
    await bridge.publish(EventType.COST_UPDATE, {"total": 15.43})
    await bridge.publish(EventType.COST_UPDATE, {"total": 15.43})  # Deduplicated
    assert len(await bridge.get_events_by_type(EventType.COST_UPDATE)) == 1


async def test_a_subscriber_hears_what_is_published_after_it_subscribed(bridge):
    await bridge.publish(EventType.TRAINING_START, {"run": "before"})
    await bridge.subscribe([EventType.INTERACTION_START, EventType.TRAINING_START, EventType.COST_UPDATE])
    await bridge.publish(EventType.FEEDBACK, {"text": "of another type"})
    await bridge.publish(EventType.TRAINING_START, {"run": "after"})
    assert (await first(bridge)).data == {"run": "after"}


async def test_a_handler_runs_while_the_program_blocks_its_own_thread(bridge):
    handled = threading.Event()

    @bridge.on_event(EventType.COST_ALERT)
    async def handle_cost_alert(event):
        handled.set()

    bridge.publish_sync(EventType.COST_ALERT, {"current": 96.0, "limit": 100.0, "percentage": 96.0})
    assert handled.wait(10)
