from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reactor_core.events.book import Book, flip, naive_root

from reactor_core.events import chain, tree
from reactor_core.events.walk import Base, Problem, RowWalk, Spans, Stop, erased_on_record


@pytest.fixture
def book(tmp_path):
    book = Book(tmp_path / "reactor.db")
    yield book
    book.close()


def walked(
    book: Book, *stops: Stop, erased: Spans | None = None, covered: int = 0, base: Base | None = None
) -> RowWalk:
    start = base or Base(0, [], chain.genesis(book.journal_id))
    walk = RowWalk(book.db, start, list(stops), erased=erased or Spans([]), covered=covered)
    walk.run()
    return walk


def stop_at(book: Book, leaves: list[bytes], size: int, what: str = "somebody") -> Stop:
    link = book.db.execute("SELECT chain FROM events WHERE seq = ?", (size,)).get
    return Stop(size, naive_root(leaves[:size]), link, what)


def test_rows_that_hold_make_the_tree_and_the_link(book):
    leaves = book.write(9000)
    walk = walked(book, stop_at(book, leaves, 4096), stop_at(book, leaves, 5000))
    assert (walk.size, walk.problems, walk.root()) == (9000, [], tree.root(tree.extend([], 0, leaves)))
    assert walk.link == book.db.execute("SELECT chain FROM events WHERE seq = 9000").get


def test_a_walk_can_start_from_a_checkpoint(book):
    leaves = book.write(100)
    link = book.db.execute("SELECT chain FROM events WHERE seq = 70").get
    base = Base(70, tree.extend([], 0, leaves[:70]), link)
    walk = walked(book, stop_at(book, leaves, 90), base=base)
    assert (walk.size, walk.problems, walk.root()) == (100, [], naive_root(leaves))


def test_a_statement_about_rows_that_are_not_there_is_a_missing_row(book):
    leaves = book.write(10)
    late = Stop(12, naive_root(leaves), b"", "the anchor x")
    assert walked(book, stop_at(book, leaves, 5), late).problems == [
        Problem(11, "row 11 is missing: the anchor x says that there were 12")
    ]


def test_a_statement_about_other_rows_names_the_first_that_may_be_another(book):
    leaves = book.write(30)
    wrong = Stop(20, b"r" * 32, stop_at(book, leaves, 20).link, "the anchor x")
    walk = walked(book, stop_at(book, leaves, 10), wrong, stop_at(book, leaves, 25))
    assert [problem.seq for problem in walk.problems] == [11]
    assert "rows 11 to 20" in walk.problems[0].text


def test_the_stored_nodes_narrow_a_rewritten_stretch_down(book):
    leaves = book.write(300, urgent=True)
    stop = stop_at(book, leaves, 300)
    rows = book.db.execute("SELECT * FROM events").fetchall()
    other = Book(book.path.parent / "other" / "reactor.db")
    other.db.execute("UPDATE meta SET value = ? WHERE key = 'journal_id'", (book.journal_id,))
    other.db.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows[:140])
    other = Book(other.path, seed=7)
    other.write(160)
    changed = other.db.execute("SELECT * FROM events WHERE seq > 140").fetchall()
    book.db.execute("DELETE FROM events WHERE seq > 140")
    book.db.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?)", changed)
    (problem,) = walked(book, stop, covered=300).problems
    assert problem.seq == 129  # the subtree of rows 129 to 192 is the first that differs
    other.close()


def test_a_damaged_node_over_rows_that_hold_is_named(book):
    leaves = book.write(300, urgent=True)
    flip(book.db, "tree_nodes", "level = 6 AND idx = 2", "hash", 17)
    (problem,) = walked(book, stop_at(book, leaves, 300), covered=300).problems
    assert (problem.seq, problem.text) == (None, "the stored node over the rows 129 to 192 is damaged")


def test_a_spoiled_payload_does_not_end_the_walk(book):
    book.write(10)
    flip(book.db, "events", "seq = 3", "payload", 9)
    book.db.execute("UPDATE events SET payload = NULL WHERE seq IN (5, 6)")
    walk = walked(book, erased=Spans([6]))
    assert [problem.seq for problem in walk.problems] == [3, 5]
    assert (walk.size, walk.erased) == (10, 1)


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("UPDATE events SET ts_us = 1 WHERE seq = 4", "row 4: the row does not match the chain"),
        ("UPDATE events SET priority = 999 WHERE seq = 4", "row 4: a value is none that a row can have"),
        ("DELETE FROM events WHERE seq = 4", "row 4: missing, the next row is 5"),
    ],
)
def test_the_row_at_which_the_chain_ends_is_named(book, statement, text):
    book.write(9)
    book.db.execute(statement)
    walk = walked(book)
    assert walk.problems == [Problem(4, text)]
    assert walk.size == 3


def test_memory_does_not_grow_with_the_rows(book):
    def peak() -> int:
        tracemalloc.start()
        walked(book)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    book.write(5000)
    small = peak()
    book.write(10_000)
    assert peak() < 1.2 * small


@given(st.lists(st.integers(1, 60)))
def test_spans_are_a_set(positions):
    spans = Spans(sorted(positions))
    assert [number in spans for number in range(62)] == [number in set(positions) for number in range(62)]


def test_only_readable_records_of_this_workspace_allow_an_erasure(book):
    book.write(event_type="payload_erased", data={"seqs": [5, 3], "reason": "x"}, origin="")
    book.write(event_type="payload_erased", data={"seqs": [7], "reason": "x"}, origin="hub")
    book.write(event_type="payload_erased", data={"seqs": "all"}, origin="")
    spans = erased_on_record(book.db)
    assert [number for number in range(10) if number in spans] == [3, 5]
