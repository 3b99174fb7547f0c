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
    tally.count("effects", len(history.effects(folder / "there" / "reactor.db")))
    return judge.exchange(folder, folder / "here" / "reactor.db", folder / "there" / "reactor.db", gaps=gaps)


def slice_of(deaths: Sequence[tuple[str, str | None]], *kept: str) -> list[object]:
    """All deaths; those at other points than these are for the long runs only."""
    return [pytest.param(*death, marks=() if death[1] in kept else pytest.mark.slow) for death in deaths]
