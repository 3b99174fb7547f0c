"""The run that most tests make: one workspace publishes, another one listens, something stands between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.faults.harness import history, judge
from tests.faults.harness.fleet import Member
from tests.faults.harness.tally import Tally


def pair(folder: Path, tally: Tally, **address: str) -> dict[str, Member]:
    """A subscriber and a publisher in workspaces of their own."""
    there, here = str(folder / "there"), str(folder / "here")
    tasks = tally.chance.choice((1, 8, 40))
    return {
        "subscriber": Member("subscriber", {"workspace": there, "source": "jarvis_agent", **address}),
        "publisher": Member("publisher", {"workspace": here, "source": "reactor_core", "tasks": tasks, **address}),
    }


def arrived(folder: Path) -> Callable[[], bool]:
    """Whether everything of the publisher's journal is stored, handled, confirmed and has its effect there."""

    def condition() -> bool:
        ids = {record.event_id for record in history.stored(folder / "here" / "reactor.db")}
        there = folder / "there" / "reactor.db"
        stored = {record.event_id for record in history.stored(there)}
        handled = {record.event_id for record in history.records(folder, "handled")}
        confirmed = not ids & history.unconfirmed(there)
        return ids <= stored and stored <= handled and stored <= set(history.effects(there)) and confirmed

    return condition


def judged(folder: Path, tally: Tally, *, gaps: bool = False) -> list[str]:
    tally.count("acknowledged", len(history.records(folder, "acked")))
    known = {record.event_id for record in history.stored(folder / "here" / "reactor.db")}
    there = history.stored(folder / "there" / "reactor.db")
    tally.count("urgent events that outlived their publisher", sum(record.event_id not in known for record in there))
    tally.count("effects", len(history.effects(folder / "there" / "reactor.db")))
    return judge.exchange(folder, folder / "here" / "reactor.db", folder / "there" / "reactor.db", gaps=gaps)


def slice_of(deaths: Sequence[object], *kept: str) -> list[object]:
    """All deaths, each a point or a name and a point; those at other points than these are for the long runs only."""

    def case(death: object) -> object:
        values = death if isinstance(death, tuple) else (death,)
        return pytest.param(*values, marks=() if values[-1] in kept else pytest.mark.slow)

    return [case(death) for death in deaths]
