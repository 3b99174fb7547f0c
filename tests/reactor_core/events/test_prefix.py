from __future__ import annotations

import pytest
from tests.reactor_core.events.book import Book, flip, prune

from reactor_core.events import checkpoints
from reactor_core.events.prefix import boundary_recorded, node_count_problems, prefix_problems


@pytest.fixture
def book(tmp_path):
    book = Book(tmp_path / "reactor.db")
    for count in (70, 130, 5, 50):
        book.write(count, urgent=True)
    prune(book, 205)
    book.tail()
    yield book
    book.close()


def boundary(book: Book) -> checkpoints.Checkpoint:
    found = checkpoints.at_most(book.db, 205)
    assert found is not None
    assert found.size == 205
    return found


def older(book: Book) -> list[checkpoints.Checkpoint]:
    return [each for each in checkpoints.all_checkpoints(book.db) if each.size < 205]


def test_what_retention_left_holds(book):
    assert boundary_recorded(book.db, boundary(book))
    assert list(prefix_problems(book.db, boundary(book), older(book))) == []
    assert node_count_problems(book.db, book.sizes()[-1], 205, older(book)) == []


@pytest.mark.parametrize("column", ["until", "root", "link"])
def test_a_record_of_another_cut_does_not_count(book, column):
    book.db.execute(
        f"UPDATE events SET payload = json_set(payload, '$.data.{column}', 'x') WHERE event_type = 'journal_compacted'"
    )
    assert not boundary_recorded(book.db, boundary(book))


def test_a_record_that_a_peer_sent_does_not_count(book):
    book.db.execute("UPDATE events SET origin = 'hub' WHERE event_type = 'journal_compacted'")
    assert not boundary_recorded(book.db, boundary(book))


def test_every_stored_node_of_the_pruned_rows_is_tied_to_the_boundary(book):
    nodes = book.db.execute("SELECT level, idx FROM tree_nodes WHERE ((idx + 1) << level) <= 205").fetchall()
    assert {level for level, _ in nodes} >= {1, 2, 3, 6, 7}
    for level, index in nodes:
        key = f"level = {level} AND idx = {index}"
        flip(book.db, "tree_nodes", key, "hash", 100)
        assert list(prefix_problems(book.db, boundary(book), older(book))), key
        flip(book.db, "tree_nodes", key, "hash", 100)
    assert list(prefix_problems(book.db, boundary(book), older(book))) == []


def test_a_missing_node_is_found(book):
    book.db.execute("DELETE FROM tree_nodes WHERE level = 6 AND idx = 1")
    assert list(prefix_problems(book.db, boundary(book), older(book)))
    assert node_count_problems(book.db, book.sizes()[-1], 205, older(book))
