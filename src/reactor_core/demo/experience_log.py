"""The shipped experience log: found, published into the journal, and not published twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from reactor_core.data.experience import ExperienceRow
from reactor_core.errors import NotFound
from reactor_core.events import EventType
from reactor_core.integration import EventBridge
from reactor_core.utils.canonical import content_hash

__all__ = ["DECISION_TYPES", "TIME_RANGE", "find_log", "publish_log"]

DECISION_TYPES = (
    EventType.SAFETY_AUDIT,
    EventType.SAFETY_CONFIRMED,
    EventType.SAFETY_DENIED,
    EventType.SAFETY_BLOCKED,
)
"""Events that carry a person's or a rule's decision on an action."""
TIME_RANGE = "last_30_days"
_BATCH = 512
"""Events in flight at once: one group commit of the journal."""


def find_log(name: str) -> Path:
    """The shipped file ``pool.jsonl`` or ``heldout.jsonl``: inside the package, or in a checkout's ``examples/``.

    Raises:
        NotFound: Neither place has it.
    """
    package = Path(__file__).parent / "log" / name
    checkout = Path(__file__).parents[3] / "examples" / "experience" / name
    for candidate in (package, checkout):
        if candidate.is_file():
            return candidate
    raise NotFound(f"the experience log {name} is neither at {package} nor at {checkout}", remedy="reinstall")


async def publish_log(
    bridge: EventBridge, rows: list[ExperienceRow], progress: Callable[[int, int], None]
) -> tuple[int, int]:
    """Publish every row that the journal does not hold yet, so that an interrupted load goes on where it stopped.

    Returns:
        How many rows were published, and how many were there already.
    """
    known = {
        event.metadata.get("row")
        for event in await bridge.get_events_by_type(list(DECISION_TYPES), time_range=TIME_RANGE)
    }
    fresh = [row for row in rows if row_id(row) not in known]
    for start in range(0, len(fresh), _BATCH):
        await asyncio.gather(*(_publish(bridge, row) for row in fresh[start : start + _BATCH]))
        progress(min(start + _BATCH, len(fresh)), len(fresh))
    return len(fresh), len(rows) - len(fresh)


def row_id(row: ExperienceRow) -> str:
    """A row's identity: what was done, of which kind, and what was decided."""
    return content_hash([row.kind, row.action, row.label])


async def _publish(bridge: EventBridge, row: ExperienceRow) -> None:
    metadata = {"kind": row.kind, "rule": row.rule, "template": row.template, "row": row_id(row)}
    if row.label == "allow":
        await bridge.emit_safety_audit(
            goal=row.action,
            plan_steps=1,
            verdict="SAFE",
            risk_level="LOW",
            risky_steps=[],
            confirmation_required=False,
            metadata=metadata,
        )
    elif row.label == "confirm":
        await bridge.emit_safety_confirmation(
            action=row.action,
            risk_level="MEDIUM",
            confirmed=bool(row.approved),
            confirmation_method="terminal",
            user_response="yes" if row.approved else "no",
            metadata=metadata,
        )
    else:
        await bridge.emit_safety_blocked(
            action=row.action,
            reason=row.why or f"rule {row.rule}",
            safety_tier="TIER_1_CRITICAL",
            auto_blocked=True,
            metadata=metadata,
        )
