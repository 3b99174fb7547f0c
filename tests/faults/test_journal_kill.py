"""A process that appends is killed, again and again on one file: at random moments and at each named point."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.harness import judge
from tests.faults.harness.forks import Forks
from tests.faults.harness.tally import Tally

POINTS = ("journal.begin", "journal.inserted", "journal.committed", "journal.answered")


def run(forks: Forks, folder: Path, tally: Tally, *, life: int, point: str | None) -> bool:
    """One life of a publisher, and its end; whether it ended where it was to end."""
    chance = tally.chance
    window = chance.choice((1, 8, 64, 600))
    process = forks.start(
        "appender",
        folder,
        f"publisher-{life}",
        die_at=None if point is None else (point, chance.randrange(1, 12), 0.0),
        journal=str(folder / "reactor.db"),
        source="reactor_core",
        life=life,
        window=window,
        count=20_000,
    )
    if point is None:
        process.wait_for_lines(chance.randrange(1, 4 * window + 200))
        process.kill()
    died = process.join() < 0
    tally.run()
    tally.count(f"killed at {point or 'a random moment'}" if died else f"never at {point}")
    tally.count("acknowledged", len(process.log.records("acked")))
    return died


@pytest.mark.parametrize("point", [None, *POINTS])
def test_what_was_acknowledged_before_a_kill_is_stored_once_and_in_order(forks, tmp_path, tally, point):
    died = [run(forks, tmp_path, tally, life=life, point=point) for life in tally.times(4)]
    assert judge.journal(tmp_path, tmp_path / "reactor.db") == []
    assert all(died), f"the process never came to {point}"
