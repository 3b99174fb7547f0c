import json

import pytest

from reactor_core.data.preferences import preferences_of
from reactor_core.events.journal import Journal


@pytest.fixture
def told(a1):
    """Run a command with --json; returns what it printed."""

    def run(*words):
        status, out, err = a1(*words, "--json")
        assert status == 0, err
        return json.loads(out)

    return run


def words(copied, *more):
    """The line that finds the takes of the copied workspace."""
    line = ("takes", copied.base.key, "--window", "4f", "00:00:00:08", "--first-seed", "0", "--prompt", "sharper")
    return (*line, "--seeds", "2", *more)


def test_takes_are_made_chosen_undone_and_become_a_preference(a1, takes_copied, told, tmp_path):
    parent = takes_copied.base.key
    made = told(*words(takes_copied))
    assert [take["clip_id"] for take in made["takes"]] == [clip.key for clip in takes_copied.takes[:2]]
    first, second = (take["clip_id"] for take in made["takes"])
    assert [take["windows"] for take in made["takes"]] == [[[4, 8]], [[4, 8]]]
    assert ([take["verdict"] for take in made["takes"]], made["kept"]) == ([None, None], None)

    assert told("keep", first, "--person", "ann")["branch_heads"] == {"main": first}
    told("reject", second, "--person", "ann")
    listed = {take["clip_id"]: take["verdict"] for take in told("takes", parent)["takes"]}
    assert [listed.pop(key)["verdict"] for key in (first, second)] == ["keep", "reject"]
    assert list(listed.values()) == [None]
    with Journal(tmp_path / "reactor" / "reactor.db") as journal:
        (pair,) = preferences_of(journal.read()).pairs
    assert first in pair.chosen
    assert second in pair.rejected

    assert told("undo", "--person", "ann")["undone"]["clip_id"] == second
    assert a1("undo", "--person", "ann")[0] == 0
    assert told("branch") == {"branches": {}}
    assert a1("undo", "--person", "ann")[0] == 4


def test_a_branch_is_a_name_for_its_head(a1, takes_copied, told):
    parent = takes_copied.base.key
    told("branch", "alt", parent)
    assert told("branch", "alt") == {"branches": {"alt": parent}}
    made = told("takes", "alt", "--window", "0.3", "0.4", "--seeds", "1")
    assert made["parent_id"] == parent
    assert a1("branch", "gone")[0] == 4


def test_the_best_is_kept_only_where_that_is_asked_for(a1, takes_copied, told):
    line = words(takes_copied, "--best-of", "seam")
    status, out, err = a1(*line)
    assert status == 0, err
    assert "best of 2 by seam" in err
    assert [line.split("\t")[3] for line in out.splitlines()].count("kept") == 1
    made = told(*line)
    assert all(take["reused"] for take in made["takes"])
    best = next(take for take in made["takes"] if take["clip_id"] == made["kept"])
    assert best["verdict"]["chooser"] == "metric:seam"
    assert best["metrics"]["seam"] == min(take["metrics"]["seam"] for take in made["takes"])


def test_two_takes_are_compared(a1, takes_copied, told):
    parent = takes_copied.base.key
    first, second, _ = (clip.key for clip in takes_copied.takes)
    assert told("prefer", second, first)["verdict"] is None
    assert a1("prefer", first, parent)[0] == 3


def test_a_choice_stands_where_the_journal_cannot_be_written(a1, takes_copied, tmp_path):
    parent = takes_copied.base.key
    (tmp_path / "reactor").write_text("a file where the folder should be")
    status, _, err = a1("keep", parent)
    assert status == 0
    assert "the choice stands" in err


def test_a_clip_without_takes_says_how_to_make_some(a1, takes_copied):
    parent = takes_copied.takes[0].key
    status, out, err = a1("takes", parent)
    assert (status, out) == (0, "")
    assert f"takes {parent} --window START END" in err
