"""The verdict over a whole run: all judges of :mod:`history` together, and the proofs of the journals."""

from __future__ import annotations

from pathlib import Path

from tests.faults.harness import history

from reactor_core.events import Journal


def journal(folder: Path, path: Path) -> list[str]:
    """What is wrong with one journal that processes of this folder published to."""
    there = history.stored(path)
    return [
        *history.lost(history.records(folder, "acked"), there, "the journal"),
        *history.repeated((record.event_id for record in there), "the journal"),
        *history.disordered(there, "the journal"),
        *history.unknown(there, history.records(folder, "tried"), "the journal"),
        *proofs(path),
    ]


def proofs(path: Path) -> list[str]:
    """What is wrong with the chain of a journal."""
    with Journal(path) as opened:
        report = opened.verify()
    return [] if report.ok else [report.detail]
