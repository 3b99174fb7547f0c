from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reactor_core.events import Journal, new_event
from reactor_core.integration import Event, EventBridge, EventType, LatchState
from reactor_core.utils.settings import load_settings

KILL = EventType.KILL_SWITCH_TRIGGERED


@pytest.fixture
def bridge(tmp_path: Path):
    with EventBridge(workspace=tmp_path) as bridge:
        yield bridge


class Halted:
    def __init__(self) -> None:
        self.states: list[LatchState] = []
        self._more = threading.Condition()

    def __call__(self, state: LatchState) -> None:
        with self._more:
            self.states.append(state)
            self._more.notify_all()

    def wait(self, count: int) -> list[LatchState]:
        with self._more:
            assert self._more.wait_for(lambda: len(self.states) >= count, 20)
            return list(self.states)


def run_in_another_process(workspace: Path, code: str) -> None:
    program = (
        "import sys; from pathlib import Path; from reactor_core.integration import EventBridge\n"
        f"with EventBridge('scout', workspace=Path(sys.argv[1])) as bridge:\n    {code}"
    )
    subprocess.run([sys.executable, "-c", program, str(workspace)], check=True, timeout=60)


def test_a_kill_switch_trips_the_latch_and_stays_after_a_restart(bridge, tmp_path):
    event = bridge.publish_sync(KILL, {"action": "Sending 500 emails"})
    state = bridge.latch.state()
    assert (state.tripped, state.reason, state.event_id, state.by) == (
        True,
        "Sending 500 emails",
        event.event_id,
        "reactor_core",
    )
    kept = json.loads((tmp_path / "latch.json").read_text())
    assert kept["event_id"] == event.event_id  # on disk when publishing returns
    bridge.close()
    with EventBridge(workspace=tmp_path) as again:
        assert again.latch.state() == state


async def test_publishing_in_a_loop_waits_for_the_latchs_file_too(bridge, tmp_path):
    await bridge.emit_kill_switch_triggered("mouse_corner", "x", 1.0)
    assert json.loads((tmp_path / "latch.json").read_text())["tripped_epoch"] == 1


def test_the_latch_is_tripped_before_a_handler_runs(bridge):
    seen: list[bool] = []
    heard = threading.Event()

    @bridge.on_event(KILL)
    def handler(event: Event) -> None:
        seen.append(bridge.latch.state().tripped)
        heard.set()

    bridge.publish_sync(KILL, {"action": "x"})
    assert heard.wait(20)
    assert seen == [True]


def test_whoever_waits_for_a_halt_is_told_by_this_process_and_by_another(bridge, tmp_path):
    halted = Halted()
    assert bridge.on_halt(halted) is halted
    first = bridge.publish_sync(KILL, {"action": "here"})
    assert [state.event_id for state in halted.wait(1)] == [first.event_id]
    run_in_another_process(tmp_path, "bridge.publish_sync('kill_switch_triggered', {'action': 'there'})")
    assert [state.reason for state in halted.wait(2)] == ["here", "there"]


def test_whoever_comes_after_a_halt_is_told_at_once(bridge):
    bridge.publish_sync(KILL, {"action": "x"})
    halted = Halted()
    bridge.on_halt(halted)
    assert [state.tripped_epoch for state in halted.states] == [1]


def test_a_clearing_is_no_halt_and_the_next_trip_is(bridge):
    halted = Halted()
    bridge.on_halt(halted)
    bridge.publish_sync(KILL, {"action": "x"})
    bridge.latch.clear(1, by="user", evidence={"code": "checked"})
    bridge.publish_sync(KILL, {"action": "y"})
    assert [state.tripped_epoch for state in halted.wait(2)] == [1, 2]
    (cleared,) = bridge.get_events_by_type_sync(EventType.KILL_SWITCH_CLEARED)
    assert cleared.source == bridge.source


def test_a_kill_switch_that_only_the_journal_brings_trips_it_too(bridge, tmp_path):
    halted = Halted()
    bridge.on_halt(halted)
    assert bridge.bus is not None  # somebody listens
    with Journal(tmp_path / "reactor.db") as other:
        event, payload = new_event("scout", KILL, {"action": "written by hand"})
        other.append(event, payload=payload).result(30)
    assert halted.wait(1)[0].reason == "written by hand"


def test_a_kill_switch_is_urgent_whatever_was_asked_for(bridge):
    assert bridge.publish_sync(KILL, {"action": "x"}, priority=4).priority == 1
    assert (
        Event.from_dict(
            {"event_id": "ab12", "event_type": "kill_switch_triggered", "source": "x", "priority": 5, "payload": {}}
        ).priority
        == 1
    )


def test_a_halt_whose_latch_was_lost_holds_after_the_next_start(bridge, tmp_path):
    bridge.publish_sync(KILL, {"action": "x"})
    bridge.close()
    (tmp_path / "latch.json").unlink()
    with EventBridge(workspace=tmp_path) as again:
        assert again.latch.state().tripped
        again.latch.clear(1, by="user", evidence={})
    with EventBridge(workspace=tmp_path) as again:
        assert not again.latch.state().tripped


def disabled():
    return load_settings().model_copy(update={"kill_switch_enabled": False})


def test_a_disabled_kill_switch_trips_nothing_and_says_so(tmp_path, caplog):
    with caplog.at_level(logging.WARNING), EventBridge(workspace=tmp_path, settings=disabled()) as bridge:
        bridge.publish_sync(KILL, {"action": "x"})
        assert not bridge.latch.state().tripped
        (told,) = bridge.get_events_by_type_sync(EventType.CONFIG_CHANGED)
    assert told.data == {"setting": "kill_switch_enabled", "value": False}
    assert "KILL_SWITCH_ENABLED" in caplog.text


def test_disabling_the_kill_switch_clears_no_halt(bridge, tmp_path):
    bridge.publish_sync(KILL, {"action": "x"})
    bridge.close()
    with EventBridge(workspace=tmp_path, settings=disabled()) as again:
        assert again.latch.state().tripped


def test_a_halt_is_heard_although_every_loop_and_handler_is_blocked(bridge, tmp_path):
    gate, blocked, halted = threading.Event(), threading.Event(), Halted()
    bridge.on_halt(halted)

    @bridge.on_event("tick")
    async def blocks_the_loop(event: Event) -> None:
        blocked.set()
        gate.wait(20)

    bridge.publish_sync("tick", {})
    assert blocked.wait(20)
    try:
        run_in_another_process(tmp_path, "bridge.publish_sync('kill_switch_triggered', {'action': 'there'})")
        assert halted.wait(1)[0].reason == "there"
    finally:
        gate.set()
