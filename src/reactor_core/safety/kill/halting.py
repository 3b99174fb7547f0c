"""One halt while it is carried out: who has yet to stand still, and how long that took. No clock, no sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reactor_core.safety.kill.processes import Member, Stopped
from reactor_core.safety.kill.wire import Stepped, StopReport

__all__ = ["REPORT_SECONDS", "Halting"]

REPORT_SECONDS = 0.25
"""How long the report waits for atomic steps: other hosts hear of the halt with it at the latest."""


@dataclass(slots=True)
class Halting:
    """A halt that is being carried out.

    Args:
        epoch: Number of the trip.
        event_id: Event that says so.
        method: How it was triggered.
        reason: Why.
        action: What was going on.
        began: When it was triggered, or when the watcher heard of it; on the monotonic clock.
        own: Whether the watcher publishes that event; otherwise somebody else has.
        by: Who triggered it.
        stopped: Processes that were ended.
        asked: Stations that have not said yet whether steps go on there.
        stepping: Stations with steps that go on, and how many.
        soft: Processes that were asked to end.
        stepped: When the last step ended; None if there was none.
    """

    epoch: int
    event_id: str
    method: str
    reason: str
    action: str
    began: float
    own: bool
    by: str = ""
    stopped: Stopped = field(default_factory=Stopped)
    asked: set[int] = field(default_factory=set)
    stepping: dict[int, int] = field(default_factory=dict)
    soft: dict[int, Member] = field(default_factory=dict)
    stepped: float | None = None
    reported: bool = False
    last_event_id: str = ""

    def said(self, station: int, message: Stepped) -> None:
        """A station has said how its steps stand."""
        self.asked.discard(station)
        self.stopped.members |= set(message.stopped)
        if message.running:
            self.stepping[station] = message.running
            return
        if station in self.stepping or message.at > self.began:
            self.stepped = max(self.stepped or 0.0, message.at)
        self.stepping.pop(station, None)

    def gone(self, station: int) -> None:
        """A station has ended: so have its steps."""
        self.asked.discard(station)
        self.stepping.pop(station, None)

    @property
    def complete(self) -> bool:
        """Whether everything stands."""
        return not (self.asked or self.stepping or self.soft)

    def due(self, now: float) -> bool:
        """Whether the report is to be made now."""
        return not self.reported and (self.complete or now >= self.began + REPORT_SECONDS)

    @property
    def pending(self) -> int:
        """Steps and processes that are being finished."""
        return sum(self.stepping.values()) + len(self.soft)

    def response_time_ms(self, now: float) -> float:
        """From the trigger to the last side effect, as far as it is known; to now while something goes on."""
        if not self.complete:
            return round((now - self.began) * 1000, 3)
        ends = [each for each in (self.stopped.last_dead, self.stepped) if each is not None]
        return round(max(max(ends, default=now) - self.began, 0.0) * 1000, 3)

    def outcome(self, now: float) -> StopReport:
        """For who triggered it."""
        return StopReport(
            self.epoch,
            self.event_id,
            self.response_time_ms(now),
            len(self.stopped.members),
            tuple(sorted(self.stopped.survivors)),
            self.pending,
        )

    def facts(self, now: float) -> dict[str, Any]:
        """What an event says about it."""
        return {
            "reason": self.reason,
            "epoch": self.epoch,
            "by": self.by,
            "response_time_ms": self.response_time_ms(now),
            "stopped": sorted(self.stopped.members),
            "survivors": sorted(self.stopped.survivors),
            "steps_pending": self.pending,
        }
