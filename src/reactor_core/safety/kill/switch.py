"""Pulling the switch, from any process of the workspace."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from reactor_core.errors import ConfigError
from reactor_core.safety.kill import wire
from reactor_core.safety.kill.marks import carried_marks
from reactor_core.safety.kill.processes import Stopped, stop_members
from reactor_core.safety.kill.wire import StopReport
from reactor_core.utils.ids import new_id

if TYPE_CHECKING:
    from reactor_core.integration.event_bridge import EventBridge
    from reactor_core.utils.settings import Settings

__all__ = ["pull_switch", "watcher_standing"]

ANSWER_SECONDS = 10.0
"""How long the watcher's report is waited for; the halt does not wait."""


def pull_switch(
    settings: Settings,
    *,
    method: str,
    reason: str,
    action: str = "",
    by: str = "",
    bridge: EventBridge | None = None,
    event_id: str | None = None,
    began: float | None = None,
    alone: bool = False,
) -> StopReport:
    """Halt everything that joined the workspace, here and wherever its events go.

    The watcher stops, measures and publishes. Where there is none the latch is tripped from here, which halts
    every step, run and job that looks at it; what a watcher that was killed has left behind is ended.

    Args:
        settings: Name the workspace.
        method: How it was triggered: ``mouse_corner``, ``hotkey``, ``cli``, ``api``, ``budget``, ...
        reason: Why, in words.
        action: What was going on; empty: whatever the watcher knows of.
        by: Who does it.
        bridge: A connection to the workspace's events, if there is one; None opens one where it is needed.
        event_id: Id of the event that will say so; None makes one.
        began: When it was triggered, on the monotonic clock; None takes now.
        alone: Do not ask the watcher.

    Returns:
        What came of it, when everything stands or after a quarter of a second, whichever is first.

    Raises:
        ConfigError: The kill switch is disabled.
        JournalError: It could not be recorded; the halt holds.
        StorageError: It could not be written down; this process is halted.
    """
    began = time.monotonic() if began is None else began
    if not settings.kill_switch_enabled:
        raise ConfigError("the kill switch is disabled", remedy="unset KILL_SWITCH_ENABLED and start again")
    trip = wire.Trip(method, reason, action, began, event_id or new_id(), by or method)
    report = None if alone else _ask_watcher(settings.workspace, trip)
    if report is not None:
        return report
    if bridge is not None:
        return _trip_alone(bridge, trip)
    from reactor_core.integration.event_bridge import EventBridge  # an eighth of a second, where nobody watches

    with EventBridge("user", workspace=settings.workspace, settings=settings) as opened:
        return _trip_alone(opened, trip)


def watcher_standing(workspace: Path) -> wire.Standing | None:
    """What the workspace's watcher knows; None if there is none."""
    if not workspace.is_dir() or (connected := wire.connect(workspace)) is None:
        return None
    with connected, contextlib.suppress(wire.Lost, TimeoutError):
        connected.settimeout(ANSWER_SECONDS)
        wire.send(connected, wire.Ask())
        answer = wire.receive(connected, at="station")
        return answer if isinstance(answer, wire.Standing) else None
    return None


def _ask_watcher(workspace: Path, trip: wire.Trip) -> StopReport | None:
    if not workspace.is_dir() or (connected := wire.connect(workspace)) is None:
        return None
    with connected, contextlib.suppress(wire.Lost, TimeoutError):
        connected.settimeout(ANSWER_SECONDS)
        wire.send(connected, trip)
        answer = wire.receive(connected, at="station")
        if isinstance(answer, StopReport):
            return answer
        if isinstance(answer, wire.Refused):
            raise ConfigError(answer.reason, remedy="end what runs, unset KILL_SWITCH_ENABLED and start again")
    return None


def _trip_alone(bridge: EventBridge, trip: wire.Trip) -> StopReport:
    """Without a watcher: the latch first, then the event under the id that the latch knows."""
    from reactor_core.events.event import new_event
    from reactor_core.events.safety_events import kill_switch_triggered

    bridge.latch.trip_here(reason=trip.reason, event_id=trip.event_id, by=trip.by)
    # Stations stop their own when the watcher ends; one that hangs, or was killed with it, does not.
    marks = carried_marks(bridge.workspace)
    stopped = stop_members([], marks=marks) if marks else Stopped()
    state = bridge.latch.keep()
    taken = round((time.monotonic() - trip.at) * 1000, 3)
    action = trip.action or ("what was left of a watcher" if marks else "nothing that was started under the switch")
    event_type, data = kill_switch_triggered(trigger_method=trip.method, halted_action=action, response_time_ms=taken)
    ends = {"stopped": sorted(stopped.members), "survivors": sorted(stopped.survivors)}
    more = {"reason": trip.reason, "epoch": state.tripped_epoch, "by": trip.by, **ends}
    event, payload = new_event(bridge.source, event_type, {**more, **data})
    bridge.journal.append(msgspec.structs.replace(event, event_id=trip.event_id), payload=payload).result()
    bridge.latch.sync()
    return StopReport(state.tripped_epoch, trip.event_id, taken, len(stopped.members), tuple(ends["survivors"]), 0)
