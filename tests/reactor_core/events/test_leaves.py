from __future__ import annotations

import hashlib

import pytest
from tests.reactor_core.events.book import Book

from reactor_core.errors import ChainBroken
from reactor_core.events import chain
from reactor_core.events.leaves import entry_of, read_leaves


@pytest.fixture
def book(tmp_path):
    book = Book(tmp_path / "reactor.db")
    yield book
    book.close()


def test_leaves_are_read_back_as_they_were_written(book):
    leaves = book.write(9)
    assert [leaf.hash for leaf in read_leaves(book.db, 1, 9)] == leaves
    assert [leaf.seq for leaf in read_leaves(book.db, 4, 6)] == [4, 5, 6]
    assert list(read_leaves(book.db, 5, 4)) == []


def test_the_entry_is_what_the_leaf_is_the_hash_of(book):
    leaves = book.write(2)
    assert hashlib.sha256(b"\x00" + entry_of(book.db, 2)).digest() == leaves[1]
    assert entry_of(book.db, 3) is None


def test_an_erased_payload_leaves_the_leaf_as_it_was(book):
    leaves = book.write(2)
    book.db.execute("UPDATE events SET payload = NULL WHERE seq = 2")
    assert [leaf.hash for leaf in read_leaves(book.db, 1, 2, after=chain.genesis(book.journal_id))] == leaves


@pytest.mark.parametrize(("first", "last", "missing"), [(1, 5, 3), (3, 4, 3), (4, 6, 6)])
def test_a_missing_row_is_named(book, first, last, missing):
    book.write(5)
    book.db.execute("DELETE FROM events WHERE seq = 3")
    with pytest.raises(ChainBroken, match=f"row {missing} is missing"):
        list(read_leaves(book.db, first, last))


def test_a_row_that_does_not_follow_is_named(book):
    book.write(5)
    book.db.execute("UPDATE events SET priority = 4 WHERE seq = 3")
    with pytest.raises(ChainBroken) as caught:
        list(read_leaves(book.db, 1, 5, after=chain.genesis(book.journal_id)))
    assert caught.value.seq == 3


def test_a_number_out_of_range_is_named(book):
    book.write(2)
    book.db.execute("UPDATE events SET priority = 300 WHERE seq = 2")
    with pytest.raises(ChainBroken, match="row 2: a number is out of range"):
        list(read_leaves(book.db, 1, 2))
