"""The bridge as its users meet it: the published blocks about events and safety, verbatim, and what they promise."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reactor_core.integration import Event, EventBridge, EventSource, EventType

# The blocks stand as they are published; only "bridge" may come from the fixture instead of their first lines.
# fmt: off
# ruff: noqa: PERF401


@pytest.fixture(autouse=True)
def fallback_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / ".reactor"))
    monkeypatch.setenv("EVENT_BRIDGE_FALLBACK_FILE", str(tmp_path / "events.jsonl"))
    return tmp_path / "events.jsonl"


@pytest.fixture
async def bridge() -> AsyncIterator[EventBridge]:
    async with EventBridge(source=EventSource.JARVIS_AGENT) as bridge:
        yield bridge


async def stored(bridge: EventBridge) -> list[Event]:
    return await bridge.get_events_by_type(None)


async def test_event_bridge_architecture(capsys):
    # Initialize event bridge
    bridge = EventBridge(
        source=EventSource.REACTOR_CORE,
        websocket_url="ws://localhost:8000/ws/events",
        fallback_to_file=True,
        redis_url="redis://localhost:6379"  # Optional
    )

    # Subscribe to events from other services
    await bridge.subscribe([
        EventType.INTERACTION_START,
        EventType.TRAINING_START,
        EventType.COST_UPDATE
    ])

    # Emit events to other services
    await bridge.publish(
        EventType.TRAINING_PROGRESS,
        {"epoch": 2, "loss": 0.123, "progress": 0.67},
        priority=2
    )

    async def block() -> None:
        # Listen for events
        async for event in bridge.listen():
            print(f"Received: {event.event_type} from {event.source}")

    listening = asyncio.create_task(block())
    async with EventBridge(source=EventSource.JARVIS_AGENT) as agent:  # a neighbour in the same workspace
        await agent.publish(EventType.INTERACTION_START, {"user": "x"})
    assert [event.priority for event in await bridge.get_events_by_type(EventType.TRAINING_PROGRESS)] == [2]
    await bridge.aclose()
    await listening
    assert capsys.readouterr().out == "Received: interaction_start from jarvis_agent\n"


async def test_automatic_deduplication(bridge):
    # Events are deduplicated based on content hash
    # Duplicate events within 60 seconds are automatically filtered
    await bridge.publish(EventType.COST_UPDATE, {"total": 15.43})
    await bridge.publish(EventType.COST_UPDATE, {"total": 15.43})  # Deduplicated

    assert [event.data for event in await stored(bridge)] == [{"total": 15.43}]


async def emit_all_safety_events(bridge: EventBridge) -> None:
    # Emit safety audit when plan is generated
    await bridge.emit_safety_audit(
        goal="Update production database schema",
        plan_steps=5,
        verdict="REQUIRES_CONFIRMATION",
        risk_level="HIGH",
        risky_steps=[
            {
                "step": 3,
                "action": "DROP TABLE users",
                "risk": "Data loss",
                "severity": "CRITICAL"
            }
        ],
        confirmation_required=True
    )

    # Emit when action is blocked
    await bridge.emit_safety_blocked(
        action="rm -rf /",
        reason="Destructive filesystem operation detected",
        safety_tier="TIER_1_CRITICAL",
        auto_blocked=True
    )

    # Emit user confirmation/denial
    await bridge.emit_safety_confirmation(
        action="Delete 1,000 files in ~/Downloads",
        risk_level="MEDIUM",
        confirmed=True,
        confirmation_method="voice",
        user_response="yes, proceed"
    )

    # Emit kill switch activation
    await bridge.emit_kill_switch_triggered(
        trigger_method="mouse_corner",
        halted_action="Sending 500 emails",
        response_time_ms=147.3
    )

    # Emit visual click preview/veto
    await bridge.emit_visual_click_event(
        x=450,
        y=320,
        button="left",
        vetoed=True,
        preview_duration_ms=2500,
        veto_reason="User moved mouse to kill corner"
    )


async def test_safety_event_emission(bridge):
    await emit_all_safety_events(bridge)
    events = await stored(bridge)
    assert [(event.event_type, event.priority, event.data["action"]) for event in events] == [
        (EventType.SAFETY_AUDIT, 2, "Update production database schema"),
        (EventType.SAFETY_BLOCKED, 1, "rm -rf /"),
        (EventType.SAFETY_CONFIRMED, 2, "Delete 1,000 files in ~/Downloads"),
        (EventType.KILL_SWITCH_TRIGGERED, 1, "Sending 500 emails"),
        (EventType.VISUAL_CLICK_VETOED, 2, "left click at (450, 320)"),
    ]
    assert events[0].data["risky_steps"][0]["action"] == "DROP TABLE users"
    assert events[2].data["user_response"] == "yes, proceed"
    assert events[3].data["response_time_ms"] == 147.3


async def test_safety_audit_trail(bridge, capsys):
    await emit_all_safety_events(bridge)

    # Query safety events from event history
    safety_events = await bridge.get_events_by_type([
        EventType.SAFETY_AUDIT,
        EventType.SAFETY_BLOCKED,
        EventType.KILL_SWITCH_TRIGGERED
    ], time_range="last_24h")

    # Analyze safety patterns
    for event in safety_events:
        print(f"{event.timestamp}: {event.event_type}")
        print(f"  Action: {event.data['action']}")
        print(f"  Risk: {event.data.get('risk_level', 'N/A')}")
        print(f"  Outcome: {event.data.get('verdict', 'N/A')}")

    printed = capsys.readouterr().out
    assert printed.count("Action: ") == 3
    assert "Outcome: REQUIRES_CONFIRMATION" in printed
    assert "Outcome: BLOCKED" in printed


async def test_real_time_safety_monitoring():
    heard = threading.Event()
    async with (
        EventBridge(source=EventSource.JARVIS_AGENT) as bridge,
        EventBridge(source=EventSource.REACTOR_CORE) as core,
    ):
        core.on_event(EventType.SAFETY_AUDIT)(lambda event: heard.set())

        # In JARVIS Agent
        await bridge.emit_safety_audit(
            goal="Update system configurations",
            plan_steps=8,
            verdict="SAFE_WITH_MONITORING",
            risk_level="MEDIUM",
            risky_steps=[],
            confirmation_required=False
        )

        # In Reactor Core (receives event automatically)
        # Event stored in database for analysis and training
        assert await asyncio.to_thread(heard.wait, 20)
        assert [event.source for event in await stored(core)] == [EventSource.JARVIS_AGENT]


async def test_training_from_safety_events(bridge):
    training_examples = []
    await emit_all_safety_events(bridge)
    await bridge.emit_safety_confirmation("Empty the bin", "LOW", False, "dialog")

    # Query safety events for training
    safety_data = await bridge.get_events_by_type([
        EventType.SAFETY_CONFIRMED,
        EventType.SAFETY_DENIED
    ], time_range="last_30_days")

    # Extract user preferences
    for event in safety_data:
        if event.data["confirmed"]:
            # User accepted this action - train as positive example
            training_examples.append({
                "action": event.data["action"],
                "risk_level": event.data["risk_level"],
                "user_decision": "approved"
            })

    assert len(safety_data) == 2
    assert training_examples == [
        {"action": "Delete 1,000 files in ~/Downloads", "risk_level": "MEDIUM", "user_decision": "approved"}
    ]


async def test_emergency_kill_switch_for_safety_reaches_all_services_of_the_workspace():
    async with (
        EventBridge(source=EventSource.JARVIS_AGENT) as bridge,
        EventBridge(source=EventSource.REACTOR_CORE) as core,
    ):
        halted = threading.Event()

        @core.on_event(EventType.KILL_SWITCH_TRIGGERED)
        def halt(event):
            halted.set()

        triggers = []
        on_mouse_corner_trigger = triggers.append
        current_action = "Sending 500 emails"
        time_since_trigger = 147.3

        # In JARVIS Agent computer use wrapper
        @on_mouse_corner_trigger
        async def emergency_halt():
            await bridge.emit_kill_switch_triggered(
                trigger_method="mouse_corner",
                halted_action=current_action,
                response_time_ms=time_since_trigger
            )

        await triggers[0]()
        assert await asyncio.to_thread(halted.wait, 20)


async def test_equal_safety_events_are_all_stored(bridge):
    for _ in range(3):
        await bridge.emit_safety_blocked(action="rm -rf /", reason="again", safety_tier="TIER_1_CRITICAL")
    assert len(await bridge.get_events_by_type(EventType.SAFETY_BLOCKED)) == 3


async def test_multi_repository_cost_optimization(bridge):
    # JARVIS Agent tracks inference costs
    await bridge.publish(EventType.COST_UPDATE, {
        "service": "claude-api",
        "amount": 0.47,
        "tokens": 1834
    })

    # JARVIS Prime tracks training costs
    await bridge.publish(EventType.COST_UPDATE, {
        "service": "gcp-compute",
        "amount": 2.15,
        "duration_minutes": 47
    })

    assert [event.data["amount"] for event in await stored(bridge)] == [0.47, 2.15]


async def test_a_cost_alert_handler_pauses_a_trainer_that_blocks_the_main_thread(bridge, capsys):
    class Trainer:
        paused = threading.Event()

        async def pause(self) -> None:
            self.paused.set()

    trainer = Trainer()

    # Budget alerts emitted automatically
    @bridge.on_event(EventType.COST_ALERT)
    async def handle_cost_alert(event):
        print(f"⚠️  Budget Alert: ${event.data['current']:.2f} / ${event.data['limit']:.2f}")
        print(f"Threshold: {event.data['percentage']:.1f}%")

        # Optionally pause training
        if event.data['percentage'] > 95:
            await trainer.pause()

    bridge.publish_sync(EventType.COST_ALERT, {"current": 96.0, "limit": 100.0, "percentage": 96.0})
    assert trainer.paused.wait(20)  # this thread blocks, as training does
    assert "Budget Alert: $96.00 / $100.00" in capsys.readouterr().out
