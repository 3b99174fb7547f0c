"""The verdict over a whole run: all judges of :mod:`history` together, and the proofs of the journals."""

from __future__ import annotations

from pathlib import Path

from tests.faults.harness import history

from reactor_core.events import Journal
from reactor_core.events.audit import verify_workspace


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
    """What the audit objects to: chain, tree, signed checkpoints, anchors."""
    report = verify_workspace(path.parent)
    return [f"audit of {path}: {problem}" for problem in report.problems]


def exchange(folder: Path, here: Path, there: Path, *, gaps: bool = False) -> list[str]:
    """What is wrong between the journal that was published to and the one at the other side of a transport.

    Everything that is stored here has arrived there, acknowledged or not. What is there and not here was urgent: it was
    sent before its publisher had it on disk, and the publisher died.

    Args:
        gaps: The transport lost history, so a GAP event is right; otherwise it is a false alarm.
    """
    sent, arrived = history.stored(here), history.stored(there)
    known = {record.event_id for record in sent}
    orphans = [record for record in arrived if record.event_id not in known]
    return [
        *journal(folder, here),
        *history.lost(sent, arrived, "the other side"),
        *history.repeated((record.event_id for record in arrived), "the other side"),
        *history.disordered(arrived, "the other side"),
        *history.unknown(arrived, history.records(folder, "tried"), "the other side"),
        *(f"the other side has {record.spelled()}, which is not urgent" for record in orphans if record.lane != 1),
        *unconfirmed(there, orphans),
        *(
            f"{path} reports a gap, but nothing was lost"
            for path in (here, there)
            if not gaps and history.types(path)["gap"]
        ),
        *proofs(there),
        *inbox(there),
        *handled(folder, there),
    ]


def has_gap(path: Path) -> bool:
    return history.types(path)["gap"] > 0


def inbox(path: Path) -> list[str]:
    """What is wrong with the effects in a journal: each stored event has exactly one."""
    effects = history.effects(path)
    stored = {record.event_id for record in history.stored(path)}
    return [
        *history.repeated(effects, "the inbox"),
        *(f"the inbox has no effect of {event_id}" for event_id in sorted(stored - set(effects))),
        *(f"the inbox has an effect of {event_id}, which is not stored" for event_id in set(effects) - stored),
    ]


def handled(folder: Path, path: Path) -> list[str]:
    """What is wrong with what handlers saw: all that is stored, in order in each life, and nothing that is not."""
    seen = history.records(folder, "handled")
    stored = history.stored(path)
    return [
        *history.lost(stored, seen, "the handler"),
        *history.lost(seen, stored, "after a handler acted on it, the journal"),
        *(
            sentence
            for log in sorted(folder.glob("subscriber-*.log"))
            for sentence in history.disordered(history.Log(log).records("handled"), log.stem)
        ),
    ]


def unconfirmed(path: Path, orphans: list[history.Record]) -> list[str]:
    """Whether the journal lists exactly the events that their publisher never stored."""
    with Journal(path) as opened:
        listed = {event.event_id for event in opened.unconfirmed()}
    known = {record.event_id for record in orphans}
    return [
        *(f"{path} does not list {event_id}, which its source never stored" for event_id in sorted(known - listed)),
        *(f"{path} lists {event_id}, which its source has stored" for event_id in sorted(listed - known)),
    ]
