from __future__ import annotations

from pathlib import Path

import pytest

from reactor_core.errors import ConfigError
from reactor_core.events import Journal, new_event
from reactor_core.events.progress import (
    Progress,
    parse_positions,
    read_positions,
    spell_positions,
    write_positions,
)

PLACES = {1: 5, 2: 4, 3: 3, 4: 2}


def put(journal: Journal, count: int) -> None:
    for number in range(count):
        event, payload = new_event("user", "tick", {"n": number})
        journal.append(event, payload=payload).result(30)


def test_a_new_name_begins_behind_what_is_stored_or_where_it_is_told(journal):
    put(journal, 3)
    assert Progress(journal, "handler", "a").positions == dict.fromkeys((1, 2, 3, 4), 3)
    assert Progress(journal, "handler", "b", after_seq=1).positions == dict.fromkeys((1, 2, 3, 4), 1)


def test_the_beginning_is_kept_at_once(tmp_path: Path):
    with Journal(tmp_path / "reactor.db") as journal:
        Progress(journal, "handler", "a")
    with Journal(tmp_path / "reactor.db") as journal:
        put(journal, 3)
        assert Progress(journal, "handler", "a", after_seq=2).positions == dict.fromkeys((1, 2, 3, 4), 0)


def test_a_known_name_goes_on_where_it_was(journal):
    Progress(journal, "handler", "a").finish(PLACES)
    assert Progress(journal, "handler", "a").positions == PLACES
    assert Progress(journal, "inbox", "a").positions == dict.fromkeys((1, 2, 3, 4), 0)


def test_a_busy_reader_notes_only_now_and_then(journal, monkeypatch: pytest.MonkeyPatch):
    now = [100.0]
    monkeypatch.setattr("reactor_core.events.progress.time.monotonic", lambda: now[0])
    progress = Progress(journal, "handler", "a")
    assert progress.due()
    progress.note(PLACES)
    assert not progress.due()
    now[0] += 0.11
    assert progress.due()


def test_positions_are_read_and_written_inside_a_transaction(journal):
    progress = Progress(journal, "inbox", "a")

    def work(db):
        before = read_positions(db, progress.key)
        write_positions(db, progress.key, PLACES)
        return before, read_positions(db, progress.key)

    assert journal.work(work).result(30) == (dict.fromkeys((1, 2, 3, 4), 0), PLACES)
    assert journal.cursor("inbox:a") == spell_positions(PLACES)


def test_the_spelling_is_that_of_relays_so_that_pruning_honours_it():
    assert spell_positions(PLACES) == '{"1":5,"2":4,"3":3,"4":2}'
    assert parse_positions(spell_positions(PLACES)) == PLACES


@pytest.mark.parametrize("name", ["", "a b", "a#b", "a:b", "x" * 101, "ü"])
def test_a_name_that_could_be_taken_for_another_is_refused(journal, name):
    with pytest.raises(ConfigError, match="name="):
        Progress(journal, "handler", name)
