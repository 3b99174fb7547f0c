"""What a run writes down of each notice that its machine will be taken away."""

from __future__ import annotations

import json
from pathlib import Path

from reactor_core.training.mark import Mark
from reactor_core.utils.files import storage_errors

__all__ = ["NOTICES", "note_notice"]

NOTICES = "notices.jsonl"
"""File in a run's folder: each notice that it got, and how long it took until the state was safe."""


def note_notice(
    folder: Path, *, at: str, reason: str | None, mark: Mark, seconds_to_disk: float, seconds_to_store: float | None
) -> None:
    """Add a line to a run's notices.

    Args:
        folder: The run's.
        at: When that is, in ISO 8601.
        reason: What the notice said.
        mark: What was saved.
        seconds_to_disk: From the notice until the state was durable on this machine.
        seconds_to_store: From the notice until the store had it; None if it did not get it in time, or there is none.

    Raises:
        StorageError: The folder cannot be written.
    """
    notice = {
        "at": at,
        "reason": reason,
        "step": mark.step,
        "parts": mark.parts,
        "seconds_to_disk": seconds_to_disk,
        "seconds_to_store": None if seconds_to_store is None else max(0.0, seconds_to_store),
    }
    with storage_errors(folder), (folder / NOTICES).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(notice) + "\n")
