from __future__ import annotations

from dataclasses import replace

import pytest
from tests.reactor_core.events.book import Book, prune

from reactor_core.events import checkpoints
from reactor_core.events.keys import known_keys
from reactor_core.events.nodes import keep_before
from reactor_core.events.note import NoteError

HOUR = 3600


@pytest.fixture
def book(tmp_path):
    book = Book(tmp_path / "reactor.db")
    yield book
    book.close()


def test_checkpoints_are_found_by_size(book):
    for count in (2, 3, 4):
        book.write(count, urgent=True)
    assert [point.size for point in checkpoints.all_checkpoints(book.db)] == [2, 5, 9]
    assert [point.size for point in checkpoints.all_checkpoints(book.db, after=2)] == [5, 9]
    assert checkpoints.newest(book.db).size == 9
    below = [checkpoints.at_most(book.db, size) for size in (1, 2, 8)]
    assert [point and point.size for point in below] == [None, 2, 5]
    above = [checkpoints.at_least(book.db, size) for size in (1, 9, 10)]
    assert [point and point.size for point in above] == [2, 9, None]


@pytest.mark.parametrize(
    "change",
    [{"size": 6}, {"made_us": 1}, {"root": b"r" * 32}, {"link": b"l" * 32}, {"peaks": b"p" * 64}, {"note": ""}],
)
def test_every_column_is_checked(book, change):
    book.write(5, urgent=True)
    point, keys = checkpoints.newest(book.db), known_keys(book.db)
    checkpoints.check(point, book.journal_id, keys)
    with pytest.raises(NoteError):
        checkpoints.check(replace(point, **change), book.journal_id, keys)


def test_a_checkpoint_of_another_journal_is_refused(book, tmp_path):
    other = Book(tmp_path / "other" / "reactor.db")
    other.write(1, urgent=True)
    note = checkpoints.newest(other.db).note
    with pytest.raises(NoteError, match="another journal"):
        checkpoints.open_statement(note, book.journal_id, known_keys(other.db))
    other.close()


def test_old_checkpoints_are_thinned_to_one_an_hour(book, monkeypatch):
    monkeypatch.setattr(checkpoints, "KEEP", 4)
    for _ in range(30):
        book.clock.now += HOUR / 6
        book.write(1, urgent=True)
    checkpoints.thin(book.db)
    hours = {}
    for number in range(1, 31):
        hours[int((1000 + number * HOUR / 6) // HOUR)] = number
    assert book.sizes() == sorted({*hours.values(), 27, 28, 29, 30})


def test_the_table_does_not_grow_with_the_number_of_checkpoints(book):
    for _ in range(checkpoints.KEEP * 3):
        book.write(1, urgent=True)
    assert len(book.sizes()) <= 2 * checkpoints.KEEP


def test_where_the_rows_begin_is_kept(book, monkeypatch):
    for _ in range(10):
        book.write(2, urgent=True)
    monkeypatch.setattr(checkpoints, "KEEP", 2)
    prune(book, 12)
    checkpoints.thin(book.db)
    assert book.sizes() == [12, 18, 20]


def test_where_the_rows_will_begin_is_kept_while_they_are_still_there(book, monkeypatch):
    for _ in range(10):
        book.write(2, urgent=True)
    monkeypatch.setattr(checkpoints, "KEEP", 2)
    keep_before(book.db, 12)
    checkpoints.thin(book.db)  # the record of the cut can be sealed in the same transaction
    assert book.sizes() == [12, 18, 20]
