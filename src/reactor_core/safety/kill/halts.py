"""Carrying halts out: kill what is to be killed, ask the rest to end, measure, report."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping

from reactor_core.errors import ReactorError
from reactor_core.events.latch import LatchState
from reactor_core.events.query import event_filter
from reactor_core.events.vocabulary import EventType
from reactor_core.integration.event_bridge import EventBridge
from reactor_core.safety.kill import wire
from reactor_core.safety.kill.halting import REPORT_SECONDS, Halting
from reactor_core.safety.kill.leases import Lease, actions_of
from reactor_core.safety.kill.marks import abandoned_marks
from reactor_core.safety.kill.processes import Member, Stopped, alive, members, stop_members
from reactor_core.safety.kill.report import Reporter

__all__ = ["GRACE_SECONDS", "Halts"]

_log = logging.getLogger(__name__)

GRACE_SECONDS = 5.0
"""How long a process of category 1 may finish its atomic step before it is killed."""

SOFT_LOOK_SECONDS = 0.02
"""How often it is looked whether one has ended."""

_NEVER = float("inf")

Send = Callable[[int, wire.FromWatcher], None]


class Halts:
    """The halts of a workspace, as its watcher carries them out. Not for several threads.

    Args:
        bridge: The watcher's.
        reporter: Publishes what came of them.
        send: Says something to a station.
    """

    def __init__(self, bridge: EventBridge, reporter: Reporter, *, send: Send) -> None:
        self._workspace = bridge.workspace
        self._latch = bridge.latch
        self._journal = bridge.journal
        self._reporter = reporter
        self._send = send
        self._known = bridge.latch.state()
        self.open: list[Halting] = []
        self._answers: dict[str, list[int]] = {}

    def close(self) -> None:
        """Wait until everything is reported."""
        self._reporter.close()

    def trip(self, trip: wire.Trip, leases: Mapping[int, Lease], *, answer: int | None = None) -> None:
        """Halt everything, and tell a station what came of it."""
        if answer is not None:
            self._answers.setdefault(trip.event_id, []).append(answer)
        if (halting := next((each for each in self.open if each.event_id == trip.event_id), None)) is not None:
            # The latch was faster than the message.
            halting.own, halting.method, halting.began = True, trip.method, min(trip.at, halting.began)
            halting.action = trip.action or halting.action
            return
        self._latch.trip_here(reason=trip.reason, event_id=trip.event_id, by=trip.by)
        keeping = threading.Thread(target=self._keep, name="reactor-latch-keeper")
        keeping.start()  # a disk that is slow, or full, holds nothing up
        self._known = state = self._latch.state()
        what = "; ".join(actions_of(leases.values()))
        halting = Halting(
            state.tripped_epoch, trip.event_id, trip.method, trip.reason, trip.action or what, trip.at, True, trip.by
        )
        self._carry_out(halting, leases)

    def look(self, leases: Mapping[int, Lease]) -> None:
        """The latch may have changed: halt if somebody has tripped it."""
        state, known = self._latch.state(), self._known
        if known.tripped and not self._lawful(known, state):
            _log.error("the latch was set back without a record; halting again")
            with contextlib.suppress(ReactorError):
                self._latch.join(known)
            self._latch.trip_here(reason=f"the latch was set back; before: {known.reason}", by="watcher")
            self._keep()
            state = self._latch.state()
        self._known = state
        if state.tripped and state.tripped_epoch > known.tripped_epoch:
            what = "; ".join(actions_of(leases.values()))
            halting = Halting(
                state.tripped_epoch, state.event_id, "latch", state.reason, what, time.monotonic(), False, state.by
            )
            self._carry_out(halting, leases)

    def said(self, number: int, message: wire.Stepped) -> None:
        """A station has said how its steps stand."""
        for halting in self.open:
            halting.said(number, message)

    def gone(self, number: int) -> None:
        """A station has ended."""
        for halting in self.open:
            halting.gone(number)

    def end_actions(self, lease: Lease, cause: str) -> None:
        """Kill what acts on behalf of one station, and record it."""
        began = time.monotonic()
        roots = [*lease.roots(0), *lease.roots(1), *lease.seen.values()]
        what = "; ".join(actions_of([lease]))
        stopped = stop_members(roots, marks=[lease.mark])
        lease.actions.clear()
        self._say_stopped(cause, what, stopped, began)

    def sweep(self) -> None:
        """Kill what an earlier watcher left behind when it was killed together with who held the lease."""
        began = time.monotonic()
        marks = abandoned_marks(self._workspace)
        if marks:
            _log.warning("actions of %d leases that nobody holds are stopped", len(marks))
            stopped = stop_members([], marks=marks)
            self._say_stopped("who held the lease has ended, and the watcher with it", "", stopped, began)

    def _say_stopped(self, cause: str, what: str, stopped: Stopped, began: float) -> None:
        if not stopped.members and not stopped.survivors:
            return
        facts = {
            "response_time_ms": round(((stopped.last_dead or time.monotonic()) - began) * 1000, 3),
            "stopped": sorted(stopped.members),
            "survivors": sorted(stopped.survivors),
        }
        self._reporter.stopped(cause, what, facts)

    def deadline(self, now: float) -> float:
        """When :meth:`go_on` has something to do."""
        dues = [now + SOFT_LOOK_SECONDS for halting in self.open if halting.soft]
        dues += [halting.began + REPORT_SECONDS for halting in self.open if not halting.reported]
        return min(dues, default=_NEVER)

    def go_on(self, now: float, leases: Mapping[int, Lease]) -> None:
        """See who has ended since, kill who was too slow, report."""
        for halting in list(self.open):
            self._see_ends(halting, now)
            for number in set(halting.asked | halting.stepping.keys()) - leases.keys():
                halting.gone(number)
            late = halting.reported
            if halting.due(now):
                self._report(halting, now)
            if halting.complete:
                self.open.remove(halting)
                if late:
                    self._reporter.stopped(
                        "the atomic steps of a halt have ended", halting.action, halting.facts(now),
                        event_id=halting.event_id,
                    )  # fmt: skip

    def _carry_out(self, halting: Halting, leases: Mapping[int, Lease]) -> None:
        for number, lease in leases.items():
            halting.asked.add(number)
            self._send(number, wire.Halt(halting.epoch, halting.reason))
            halting.soft |= members(lease.roots(1)) if lease.roots(1) else {}
        # The stations stop themselves meanwhile.
        roots: list[Member] = []
        for lease in leases.values():
            roots += lease.roots(0)
            roots += [each for pid, each in lease.seen.items() if pid not in halting.soft]
        for member in halting.soft.values():
            _signal(member, signal.SIGTERM)
        marks = [lease.mark for lease in leases.values()]
        if roots or marks:
            halting.stopped.add(stop_members(roots, marks=marks, spare=halting.soft.keys()))
        for lease in leases.values():
            lease.actions = {pid: each for pid, each in lease.actions.items() if each.category == 1}
        self.open.append(halting)

    def _see_ends(self, halting: Halting, now: float) -> None:
        for pid, member in list(halting.soft.items()):
            if not alive(member):
                del halting.soft[pid]
                halting.stopped.members.add(pid)
                halting.stopped.last_dead = now
        if halting.soft and now > halting.began + GRACE_SECONDS:
            halting.stopped.add(stop_members(list(halting.soft.values())))
            halting.soft.clear()

    def _report(self, halting: Halting, now: float) -> None:
        halting.reported = True
        if halting.own:
            self._reporter.triggered(halting, now)
        elif halting.stopped.members or halting.stopped.survivors or halting.stepped is not None or halting.pending:
            self._reporter.stopped(
                "the kill switch was tripped", halting.action, halting.facts(now), event_id=halting.event_id
            )
        for number in self._answers.pop(halting.event_id, ()):
            self._send(number, halting.outcome(now))

    def _keep(self) -> None:
        try:
            self._latch.keep()
            self._latch.sync()
        except ReactorError as error:
            _log.error("this workspace is halted, but the halt could not be written: %s", error)

    def _lawful(self, known: LatchState, state: LatchState) -> bool:
        """Whether the latch may have come from one state to the other: further, or cleared with a record of it."""
        if state.tripped_epoch < known.tripped_epoch:
            return False
        if state.cleared_epoch < known.tripped_epoch:
            return True  # it holds
        try:
            clearings = self._journal.read(event_filter(EventType.KILL_SWITCH_CLEARED), limit=1, newest=True)
        except ReactorError as error:
            _log.error("whether the latch was cleared lawfully cannot be read: %s", error)
            return False
        return bool(clearings) and int(clearings[0].data.get("epoch", 0)) >= known.tripped_epoch


def _signal(member: Member, number: signal.Signals) -> None:
    try:
        descriptor = os.pidfd_open(member.pid)
    except OSError:
        return
    try:
        if alive(member):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(descriptor, number)
    finally:
        os.close(descriptor)
