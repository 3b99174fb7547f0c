"""How a relay stands, as a record and as figures for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reactor_core.events.metrics import Histogram, Sample

__all__ = ["RelayStatus", "relay_samples"]


@dataclass(frozen=True, slots=True)
class RelayStatus:
    """How a relay stands.

    Args:
        name: Kind and address, without credentials.
        state: ``starting``, ``connected``, ``down`` (trying again), ``standby`` (another process of this workspace
            holds the connection) or ``stopped``.
        detail: Why, in words.
        sent: Events that the other side confirmed since the start.
        received: New events that came in since the start.
        rejected: Messages that were no events, or whose id was taken.
        duplicates: Events that came in again.
        gaps: Times that history was lost.
    """

    name: str
    state: str = "starting"
    detail: str = ""
    sent: int = 0
    received: int = 0
    rejected: int = 0
    duplicates: int = 0
    gaps: int = 0


def relay_samples(status: RelayStatus, *, lag: Mapping[int, int], ack_seconds: Histogram) -> list[Sample]:
    """Figures about one relay.

    Args:
        lag: By lane, events that wait for the other side.
        ack_seconds: Durations from handing a batch over to its confirmation.
    """
    here = {"relay": status.name}
    counters = (
        ("sent", "Events that the other side confirmed.", status.sent),
        ("received", "New events that came in.", status.received),
        ("duplicates", "Events that came in again.", status.duplicates),
        ("rejected", "Messages that were no events, or whose id was taken.", status.rejected),
        ("gaps", "Times that history was lost.", status.gaps),
    )
    waits, acks = "Events that wait for the other side.", "From handing a batch over to its confirmation."
    up = float(status.state == "connected")
    return [
        *(
            Sample("reactor_relay_lag_events", "gauge", waits, count, {**here, "lane": str(lane)})
            for lane, count in lag.items()
        ),
        *(Sample(f"reactor_relay_{name}", "counter", text, value, here) for name, text, value in counters),
        Sample("reactor_relay_connected", "gauge", "1 while this process holds the connection.", up, here),
        Sample("reactor_relay_ack_seconds", "histogram", acks, ack_seconds, here),
    ]
