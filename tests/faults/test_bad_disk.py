"""The power goes, an fsync fails, the disk is full: what was acknowledged is still there afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
from tests.faults.harness import judge
from tests.faults.harness.forks import Child, Forks
from tests.faults.harness.tally import Tally

from reactor_core.errors import JournalError


def start(forks: Forks, folder: Path, tally: Tally, life: int, *, count: int = 20_000, **disk: Any) -> Child:
    """A life of a publisher on a bad disk."""
    return forks.start(
        "appender",
        folder,
        f"publisher-{life}",
        journal=str(folder / "reactor.db"),
        source="reactor_core",
        life=life,
        window=tally.chance.choice((1, 8, 32)),
        count=count,
        disk={"seed": tally.chance.randrange(2**32), **disk},
    )


def judged(folder: Path, tally: Tally, process: Child, what: str) -> bool:
    """Judge one run; whether the process died of it."""
    died = process.join() < 0
    tally.run()
    tally.count(f"{what}: died" if died else f"{what}: lived")
    tally.count("acknowledged", len(process.log.records("acked")))
    tally.count("refused", len(process.log.records("refused")))
    assert judge.journal(folder, folder / "reactor.db") == []
    return died


def test_a_power_cut_takes_nothing_that_was_acknowledged(forks, tmp_path, tally):
    for life in tally.times(3):
        cut = tally.chance.randrange(40, 600)
        process = start(forks, tmp_path, tally, life, cut_at=cut)
        assert judged(tmp_path, tally, process, "power cut"), "the run ended before the power went"


def test_the_judges_see_what_a_disk_lost_that_lied_about_its_syncs(forks, tmp_path, tally):
    process = start(forks, tmp_path, tally, 0, lies=True, cut_at=400)
    assert process.join() < 0
    try:
        wrong = judge.journal(tmp_path, tmp_path / "reactor.db")
    except (apsw.Error, JournalError):  # not even the tables arrived
        return
    assert wrong


def test_after_a_failed_fsync_acknowledgements_hold_again_even_if_the_power_goes(forks, tmp_path, tally):
    refused = 0
    for life in tally.times(2):
        failing = tally.chance.randrange(5, 40)
        process = start(
            forks,
            tmp_path,
            tally,
            life,
            fail_syncs=list(range(failing, failing + tally.chance.choice((1, 1, 3)))),
            cut_at=tally.chance.randrange(1500, 3000),
        )
        assert judged(tmp_path, tally, process, "failed fsync, then power cut")
        # The failed one can be a checkpoint's, which no append waits for.
        answers = [record.kind for record in process.log.records("acked", "refused")]
        refused += answers.count("refused")
        assert answers[-1] == "acked", "no recovery"
    assert refused, "no failed fsync was noticed"


def test_on_a_full_disk_nothing_is_acknowledged_until_there_is_space(forks, tmp_path, tally):
    for life in tally.times(2):
        first = tally.chance.randrange(80, 160)
        full = (first, first + tally.chance.randrange(1, 8))
        process = start(forks, tmp_path, tally, life, count=500, full=full)
        assert not judged(tmp_path, tally, process, "full disk")
        answers = [record.kind for record in process.log.records("acked", "refused")]
        assert "refused" in answers, "the full disk was not noticed"
        assert answers[-1] == "acked", "no recovery"
