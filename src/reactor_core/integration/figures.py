"""Figures about a bridge's handlers and its kill switch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reactor_core.events.latch import LatchState
from reactor_core.events.metrics import Sample
from reactor_core.utils.clock import SystemClock

if TYPE_CHECKING:
    from reactor_core.events.handlers import HandlerRun
    from reactor_core.events.inbox import InboxRun

__all__ = ["handler_samples", "latch_samples"]

_clock = SystemClock()


def handler_samples(runs: Sequence[HandlerRun | InboxRun]) -> list[Sample]:
    """What handlers did, and what waits for them. Handlers of one name are counted together."""
    totals: dict[tuple[str, str, str, str, str], float] = {}
    now = _clock.utc_now()

    def add(name: str, kind: str, text: str, value: float, run: HandlerRun | InboxRun, lane: int | str = "") -> None:
        key = name, kind, text, run.name, str(lane)
        older = name.endswith("_seconds")
        totals[key] = max(totals.get(key, 0.0), value) if older else totals.get(key, 0.0) + value

    for run in runs:
        add("reactor_handler_events", "counter", "Events that a handler was called for.", run.handled, run)
        add("reactor_handler_failures", "counter", "Calls of a handler that raised.", run.failed, run)
        oldest = 0.0
        for lane, (events, rows, since) in run.subscription.waiting().items():
            add(
                "reactor_handler_waiting_events",
                "gauge",
                "Events in memory that wait for a handler.",
                events,
                run,
                lane,
            )
            add(
                "reactor_handler_waiting_rows",
                "gauge",
                "Rows of the journal that a handler has yet to pass.",
                rows,
                run,
                lane,
            )
            if since is not None:
                oldest = max(oldest, (now - since).total_seconds())
        add("reactor_handler_oldest_seconds", "gauge", "Age of the oldest event in memory for a handler.", oldest, run)
    return [
        Sample(name, "counter" if kind == "counter" else "gauge", text, value, _labels(handler, lane))
        for (name, kind, text, handler, lane), value in totals.items()
    ]


def latch_samples(state: LatchState) -> list[Sample]:
    """How the kill switch stands."""
    return [
        Sample("reactor_latch_tripped", "gauge", "1 while the kill switch is tripped.", float(state.tripped)),
        Sample("reactor_latch_epoch", "gauge", "Number of the last trip of the kill switch.", state.tripped_epoch),
    ]


def _labels(handler: str, lane: str) -> dict[str, str]:
    return {"handler": handler, "lane": lane} if lane else {"handler": handler}
