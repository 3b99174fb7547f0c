"""How halts are carried out, without sockets and processes of others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from subprocess import Popen

import pytest
from tests.reactor_core.safety.kill.conftest import gone, until
from tests.reactor_core.safety.kill.test_station import events

from reactor_core.integration import EventBridge
from reactor_core.safety.kill import halts as halts_module
from reactor_core.safety.kill import wire
from reactor_core.safety.kill.halts import Halts
from reactor_core.safety.kill.leases import Action, Lease
from reactor_core.safety.kill.processes import find_member
from reactor_core.safety.kill.report import Reporter
from reactor_core.utils.ids import new_id

Start = Callable[..., Popen[bytes]]


class Desk:
    """Halts with a reporter, and what they said to stations."""

    def __init__(self, bridge: EventBridge) -> None:
        self.said: list[tuple[int, wire.FromWatcher]] = []
        self.halts = Halts(bridge, Reporter(bridge), send=lambda number, message: self.said.append((number, message)))
        self.leases = {1: Lease(100, "agent", "no-such-mark", 1.0, time.monotonic())}

    def trip(self, answer: int | None = None) -> wire.Trip:
        trip = wire.Trip("cli", "enough", "", time.monotonic(), new_id(), "me")
        self.halts.trip(trip, self.leases, answer=answer)
        return trip

    def act(self, process: Popen[bytes], category: int = 0) -> None:
        member = find_member(process.pid)
        assert member is not None
        self.leases[1].actions[process.pid] = Action(member, category, "dig")

    def go_on(self) -> None:
        self.halts.go_on(time.monotonic(), self.leases)


@pytest.fixture
def desk(bridge: EventBridge) -> Iterator[Desk]:
    made = Desk(bridge)
    yield made
    made.halts.close()


def test_stations_are_told_and_the_answer_waits_for_them(desk: Desk) -> None:
    trip = desk.trip(answer=9)
    assert desk.said == [(1, wire.Halt(1, "enough"))]
    desk.go_on()
    assert len(desk.said) == 1
    desk.halts.said(1, wire.Stepped(1, 0, 0.0))
    desk.go_on()
    number, report = desk.said[-1]
    assert number == 9
    assert isinstance(report, wire.StopReport)
    assert (report.epoch, report.event_id, report.steps_pending) == (1, trip.event_id, 0)
    assert desk.halts.open == []


def test_a_process_that_does_not_heed_sigterm_is_killed_after_the_grace(
    desk: Desk, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halts_module, "GRACE_SECONDS", 0.1)
    process = start("sh", "-c", "trap '' TERM; echo; while :; do sleep 0.05; done")
    assert process.stdout is not None
    process.stdout.readline()
    desk.act(process, category=1)
    desk.trip()
    desk.halts.said(1, wire.Stepped(1, 0, 0.0))
    assert not gone(process.pid)

    def over() -> bool:
        desk.go_on()
        return not desk.halts.open

    until(over)
    assert gone(process.pid)


def test_the_same_trip_by_message_and_by_latch_is_one(desk: Desk, bridge: EventBridge) -> None:
    event_id = new_id()
    bridge.latch.trip(reason="enough", event_id=event_id)
    desk.halts.look(desk.leases)
    desk.halts.trip(wire.Trip("api", "enough", "", time.monotonic(), event_id, "me"), desk.leases, answer=9)
    desk.halts.said(1, wire.Stepped(1, 0, 0.0))
    desk.go_on()
    assert bridge.latch.state().tripped_epoch == 1
    assert isinstance(desk.said[-1][1], wire.StopReport)
    told = until(lambda: events(bridge, "kill_switch_triggered"))
    assert [each["trigger_method"] for each in told] == ["api"]


def test_a_full_disk_stops_nothing_from_stopping(
    desk: Desk, bridge: EventBridge, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The latch cannot be written: what acts dies nevertheless, and this process counts as halted."""
    bridge.latch.path.mkdir()  # a file cannot take this place
    process = start("sleep", "600")
    desk.act(process)
    desk.trip()
    assert gone(process.pid)
    assert bridge.latch.state().tripped
    bridge.latch.path.rmdir()


def test_the_end_of_a_station_is_recorded_only_if_something_acted(
    desk: Desk, bridge: EventBridge, start: Start
) -> None:
    desk.halts.end_actions(desk.leases[1], "agent 100 has ended")
    process = start("sleep", "600")
    desk.act(process)
    desk.halts.end_actions(desk.leases[1], "agent 100 has ended")
    told = until(lambda: events(bridge, "actions_stopped"))
    assert [each["stopped"] for each in told] == [[process.pid]]


def test_the_time_of_the_next_look_is_known(desk: Desk) -> None:
    assert desk.halts.deadline(5.0) == float("inf")
    desk.trip()
    assert desk.halts.deadline(time.monotonic()) < time.monotonic() + 1.0
    desk.halts.said(1, wire.Stepped(1, 0, 0.0))
    desk.go_on()
    assert desk.halts.deadline(5.0) == float("inf")
