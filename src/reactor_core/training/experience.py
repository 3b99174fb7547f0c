"""The dataset of ``train()`` without a path: the decisions in the workspace's journal."""

from __future__ import annotations

from pathlib import Path

from reactor_core.data.experience import write_dataset
from reactor_core.eval.verdicts import verdict_messages
from reactor_core.integration import EventBridge, EventSource, EventType
from reactor_core.utils.settings import Settings

__all__ = ["experience_dataset"]

_DECISIONS = (
    EventType.SAFETY_AUDIT,
    EventType.SAFETY_CONFIRMED,
    EventType.SAFETY_DENIED,
    EventType.SAFETY_BLOCKED,
)


def experience_dataset(settings: Settings) -> Path:
    """Write the workspace's decisions on actions as a dataset of verdicts.

    Raises:
        NothingToTrain: The journal holds no decision.
    """
    with EventBridge(source=EventSource.REACTOR_CORE, workspace=settings.workspace, settings=settings) as bridge:
        events = bridge.get_events_by_type_sync(list(_DECISIONS))
    return write_dataset(events, settings.workspace / "datasets" / "experience.jsonl", verdict_messages).path
