"""The published Python blocks, verbatim, in a namespace that holds what each block leaves open.

Each runs as the body of an async function in an empty folder of its own, which becomes its workspace. Afterwards the
journal is read back: a block is true when the events it speaks of are there.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from tests.servers.display import Display, needs

from reactor_core.integration import EventBridge, EventSource, EventType
from reactor_core.safety.kill import Station, corner, on_mouse_corner_trigger, watcher_standing

SECONDS = 60  # for a block that ends; an endless one is cancelled when it has said what it should

# What a block finds in its workspace because an earlier block of the same document ran there.
BEFORE = {
    "reactor-core/safety-audit-trail": ["reactor-core/safety-event-emission"],
    "reactor-core/3-training-from-safety-events": ["reactor-core/safety-event-emission"],
}

FIVE_SAFETY_EVENTS = [
    EventType.SAFETY_AUDIT,
    EventType.SAFETY_BLOCKED,
    EventType.SAFETY_CONFIRMED,
    EventType.KILL_SWITCH_TRIGGERED,
    EventType.VISUAL_CLICK_VETOED,
]

# The journal after the block, in order.
JOURNAL = {
    "reactor-core/automatic-deduplication": [EventType.COST_UPDATE],
    "reactor-core/safety-event-emission": FIVE_SAFETY_EVENTS,
    "reactor-core/safety-audit-trail": FIVE_SAFETY_EVENTS,
    "reactor-core/integration-with-jarvis-computer-use": [EventType.VISUAL_CLICK_VETOED],
    "reactor-core/1-real-time-safety-monitoring": [EventType.SAFETY_AUDIT],
    "reactor-core/2-multi-repository-cost-optimization": [EventType.COST_UPDATE, EventType.COST_UPDATE],
    "reactor-core/3-training-from-safety-events": FIVE_SAFETY_EVENTS,
    "reactor-core/4-emergency-kill-switch-integration": [EventType.KILL_SWITCH_TRIGGERED],
    "reactor-core/event-bridge-architecture": [EventType.TRAINING_PROGRESS, EventType.COST_UPDATE],
}


def make_config() -> Any:
    """A run of the tiny model that stands for "llama-2-7b"."""
    from reactor_core import TrainingConfig

    return TrainingConfig(model_name="llama-2-7b", batch_size=4)


def import_trainer() -> Any:
    from reactor_core import Trainer

    return Trainer


class Stage:
    """Runs blocks in one workspace and keeps what they print."""

    def __init__(self, make_trainer: Callable[[], Any]) -> None:
        self.printed: list[str] = []
        self.spoke = asyncio.Event()
        self.bridges: list[EventBridge] = []
        self.namespace: dict[str, Any] = {}
        self.open_names: dict[str, Callable[[], Any]] = {
            "EventBridge": lambda: EventBridge,
            "EventSource": lambda: EventSource,
            "EventType": lambda: EventType,
            "bridge": lambda: EventBridge(source=EventSource.REACTOR_CORE),
            "trainer": make_trainer,
            "config": make_config,
            "Trainer": import_trainer,
            "training_examples": list,
            "computer_tool": lambda: {"type": "computer_20250124", "name": "computer"},
            "current_action": lambda: "Sending 500 emails",
            "time_since_trigger": lambda: 147.3,
            "on_mouse_corner_trigger": lambda: on_mouse_corner_trigger,
            "print": lambda: self.print,
        }

    def print(self, *values: object) -> None:
        self.printed.append(" ".join(map(str, values)))
        self.spoke.set()

    async def run(self, source: str, name: str) -> None:
        used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        self.namespace = {n: make() for n, make in self.open_names.items() if n in used}
        try:
            body = eval(compile(source, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), self.namespace)
            if inspect.isawaitable(body):
                async with asyncio.timeout(SECONDS):
                    await body
        finally:
            self.bridges += [v for v in self.namespace.values() if isinstance(v, EventBridge)]

    async def journal(self) -> list[Any]:
        """Every event of the workspace, as a process that comes later sees it."""
        async with EventBridge(source=EventSource.USER) as reader:
            return await reader.get_events_by_type(list(EventType))

    async def close(self) -> None:
        for bridge in self.bridges:
            await bridge.aclose()


@pytest.fixture
async def stage(seed_workspace: Path, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.delenv("DISPLAY", raising=False)
    # A third party's client that a block imports; it would need a key and the network.
    anthropic = ModuleType("anthropic")
    anthropic.Anthropic = lambda: SimpleNamespace(messages=SimpleNamespace(create=lambda **_: SimpleNamespace()))
    monkeypatch.setitem(sys.modules, "anthropic", anthropic)

    def make_trainer() -> Any:
        return import_trainer()(make_config())

    stage = Stage(make_trainer)
    yield stage
    await stage.close()


async def speak_to_the_listener(stage: Stage) -> None:
    """Another participant of the workspace waits for the block's own event, then publishes one that it waits for."""
    async with EventBridge(source=EventSource.JARVIS_AGENT) as other, asyncio.timeout(SECONDS):
        async for _ in other.listen(EventType.TRAINING_PROGRESS, after_seq=0):
            break
        await other.publish(EventType.COST_UPDATE, {"total": 1.5})
        await stage.spoke.wait()


async def run_endless(stage: Stage, source: str, name: str) -> None:
    listening = asyncio.ensure_future(stage.run(source, name))
    speaking = asyncio.ensure_future(speak_to_the_listener(stage))
    await asyncio.wait({listening, speaking}, return_when=asyncio.FIRST_COMPLETED)
    assert not listening.done(), listening.exception()
    await speaking
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening


async def test_published_block(
    python_block: Any, published: dict[str, Any], stage: Stage, seed_workspace: Path
) -> None:
    if python_block.id == "reactor-core/quick-start":
        rows = "".join(f'{{"prompt": "{n} + 1 = ", "completion": "{n + 1}"}}\n' for n in range(8))
        (seed_workspace / "data").mkdir()
        (seed_workspace / "data" / "train.jsonl").write_text(rows)
    for earlier in BEFORE.get(python_block.id, ()):
        await stage.run(published[earlier].source, earlier)

    if "bridge.listen()" in python_block.source:
        await run_endless(stage, python_block.source, python_block.id)
        assert stage.printed == ["Received: cost_update from jarvis_agent"]
    else:
        await stage.run(python_block.source, python_block.id)
    if "emergency_halt" in stage.namespace:  # a person's hand does this where there is a screen; see below
        await stage.namespace["emergency_halt"]()

    journal = await stage.journal()
    if python_block.id in JOURNAL:
        assert sorted(e.event_type for e in journal) == sorted(JOURNAL[python_block.id])
    match python_block.id:
        case "reactor-core/safety-audit-trail":
            actions = ["Update production database schema", "rm -rf /", "Sending 500 emails"]
            assert [p for p in stage.printed if "Action:" in p] == [f"  Action: {action}" for action in actions]
        case "reactor-core/3-training-from-safety-events":
            assert stage.namespace["training_examples"] == [
                {"action": "Delete 1,000 files in ~/Downloads", "risk_level": "MEDIUM", "user_decision": "approved"}
            ]
        case "reactor-core/quick-start":
            assert quick_start_left_its_adapter(seed_workspace, stage.namespace["config"])
        case "reactor-core/gcp-spot-vm-support":
            checkpointer = stage.namespace["trainer"].checkpointer
            assert (checkpointer.interval, checkpointer.store) == (500, "gs://my-training-checkpoints")
        case "reactor-core/automatic-budget-alerts":
            assert stage.namespace["bridge"]
            await stage.namespace["bridge"].publish(EventType.COST_UPDATE, {"service": "gcp-compute", "amount": 101.0})
            assert EventType.COST_ALERT in [e.event_type for e in await stage.journal()]


def move_pointer(display: Display, x: int, y: int) -> None:
    """As a person's hand would."""
    subprocess.run(["xdotool", "mousemove", f"{x}", f"{y}"], env={**os.environ, "DISPLAY": display.name}, check=True)


def begin_to_act(marks: dict[str, str]) -> subprocess.Popen[bytes]:
    """A process that goes on until somebody ends it."""
    return subprocess.Popen(["sleep", "600"], start_new_session=True, env={**os.environ, **marks})


@pytest.mark.system
async def test_a_hand_in_the_corner_runs_the_emergency_block_and_ends_what_acts(
    published: dict[str, Any], stage: Stage, display: Display, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watcher of this workspace sees no screen: it is the block's own function that halts everything."""
    needs("xdotool")
    monkeypatch.setattr(corner, "_handlers", [])
    monkeypatch.setattr(corner, "_screen", None)
    move_pointer(display, 640, 400)
    with EventBridge(source=EventSource.JARVIS_AGENT) as bridge, Station(bridge) as station:
        standing = watcher_standing(bridge.workspace)
        assert standing is not None
        acting = begin_to_act(station.marks)
        try:
            station.enlist(acting.pid, action="Sending 500 emails")
            monkeypatch.setenv("DISPLAY", display.name)
            await stage.run(published["reactor-core/4-emergency-kill-switch-integration"].source, "emergency")
            assert corner._screen is not None
            move_pointer(display, 0, 0)
            assert await asyncio.to_thread(acting.wait, SECONDS) == -signal.SIGKILL
            for thread in [t for t in threading.enumerate() if t.name == "reactor-corner"]:
                await asyncio.to_thread(thread.join, SECONDS)  # it halts first and writes the event afterwards
        finally:
            if corner._screen is not None:
                corner._screen.close()
            acting.kill()
            acting.wait()
            os.kill(standing.pid, signal.SIGTERM)
    (told,) = [event for event in await stage.journal() if event.event_type == EventType.KILL_SWITCH_TRIGGERED]
    assert (told.data["trigger_method"], told.data["halted_action"]) == ("mouse_corner", "Sending 500 emails")


def quick_start_left_its_adapter(workspace: Path, config: Any) -> bool:
    """One run with an adapter, and as many steps in its log as eight rows make."""
    adapters = found(workspace, ".reactor/runs/*/adapter/adapter_model.safetensors")
    (log,) = found(workspace, ".reactor/runs/*/loss.jsonl")
    return len(adapters) == 1 and len(log.read_text().splitlines()) == config.num_epochs * 8 // config.batch_size


def found(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))
