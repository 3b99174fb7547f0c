"""Two processes of one workspace: one publishes, one handles and keeps effects in its inbox; either is killed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.harness import history, judge
from tests.faults.harness.fleet import Fleet, Member
from tests.faults.harness.runs import slice_of
from tests.faults.harness.tally import Tally

PUBLISHER_POINTS = (None, "journal.begin", "journal.inserted", "journal.committed", "journal.answered")
SUBSCRIBER_POINTS = (None, "inbox.applied", "inbox.committed")
DEATHS = [("publisher", point) for point in PUBLISHER_POINTS] + [("subscriber", point) for point in SUBSCRIBER_POINTS]


def members(folder: Path, tally: Tally) -> dict[str, Member]:
    workspace = str(folder / "workspace")
    tasks = tally.chance.choice((1, 8, 40))
    return {
        "subscriber": Member("subscriber", {"workspace": workspace, "source": "jarvis_agent"}),
        "publisher": Member("publisher", {"workspace": workspace, "source": "reactor_core", "tasks": tasks}),
    }


@pytest.mark.parametrize(("name", "point"), slice_of(DEATHS, "journal.committed", "inbox.committed"))
def test_a_kill_costs_no_event_and_repeats_no_effect(forks, tmp_path, tally, name, point):
    journal = tmp_path / "workspace" / "reactor.db"
    fleet = Fleet(forks, tmp_path, tally, members(tmp_path, tally))
    fleet.start_all()
    for _ in tally.times(1):
        fleet.die(name, point)

    def settled() -> bool:
        ids = {record.event_id for record in history.stored(journal)}
        handled = {record.event_id for record in history.records(tmp_path, "handled")}
        return ids <= handled and ids <= set(history.effects(journal))

    fleet.settle("publisher", settled, "every stored event is handled and has its effect")
    effects = history.effects(journal)
    assert judge.journal(tmp_path, journal) == []
    assert history.repeated(effects, "the inbox") == []
    assert set(effects) == {record.event_id for record in history.stored(journal)}
    for path in sorted(tmp_path.glob("subscriber-*.log")):
        assert history.disordered(history.Log(path).records("handled"), path.stem) == []
    tally.count("acknowledged", len(history.records(tmp_path, "acked")))
    tally.count("effects", len(effects))
