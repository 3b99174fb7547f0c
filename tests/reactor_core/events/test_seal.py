from __future__ import annotations

import threading
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.reactor_core.events.book import Book, flip, naive_root

from reactor_core.events import checkpoints
from reactor_core.events.keys import KEY_NAME, known_keys
from reactor_core.events.rows import read_head
from reactor_core.events.seal import EVERY_ROWS, EVERY_SECONDS, RETRY_SECONDS


@pytest.fixture
def book(tmp_path):
    book = Book(tmp_path / "reactor.db")
    yield book
    book.close()


def newest(book: Book) -> checkpoints.Checkpoint:
    found = checkpoints.newest(book.db)
    assert found is not None
    checkpoints.check(found, book.journal_id, known_keys(book.db))
    return found


def test_a_checkpoint_comes_with_each_1024_rows(book):
    leaves = book.write(1000)
    assert book.sizes() == []
    leaves += book.write(30)
    assert book.sizes() == [1030]
    leaves += book.write(EVERY_ROWS - 1)
    assert book.sizes() == [1030]
    leaves += book.write(1)
    assert book.sizes() == [1030, 1030 + EVERY_ROWS]
    assert newest(book).root == naive_root(leaves)


def test_a_checkpoint_comes_with_each_row_of_lane_1(book):
    book.write(3)
    book.write(urgent=True)
    assert book.sizes() == [4]
    assert [(each.size, urgent) for each, urgent in book.offered] == [(4, True)]


def test_a_checkpoint_comes_a_second_after_the_first_row_that_none_covers(book):
    assert book.sealer.deadline() is None
    book.write()
    assert book.sealer.deadline() == book.clock.now + EVERY_SECONDS
    book.clock.now += 0.5
    book.write()
    assert book.sizes() == []
    book.clock.now += 0.5
    book.write()
    assert book.sizes() == [3]
    assert book.sealer.deadline() is None


def test_an_idle_tail_is_covered_at_its_deadline(book):
    leaves = book.write(5)
    book.clock.now = book.sealer.deadline()
    book.tail()
    assert book.sizes() == [5]
    assert newest(book).root == naive_root(leaves)
    assert newest(book).link == book.db.execute("SELECT chain FROM events WHERE seq = 5").get
    assert book.sealer.deadline() is None


def test_what_was_rolled_back_is_not_covered_and_not_offered(book):
    leaves = book.write(3)
    book.write(2, urgent=True, undo=True)
    assert (book.sizes(), book.offered) == ([], [])
    leaves += book.write(1, urgent=True)
    assert newest(book).root == naive_root(leaves)
    assert newest(book).size == 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 2), st.integers(1, 9), st.booleans(), st.sampled_from(["own", "bare", "undo", "tail"])
        ),
        max_size=25,
    )
)
def test_any_interleaving_of_processes_seals_the_rows_as_they_are(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("book")
    first = Book(folder / "reactor.db")
    books = [first, Book(folder / "reactor.db", clock=first.clock, seed=1), Book(folder / "reactor.db", seed=2)]
    leaves: list[bytes] = []
    for who, count, urgent, how in steps:
        book = books[who]
        book.clock.now += 0.3
        if how == "tail":
            book.tail()
        else:
            new = book.write(count, urgent=urgent, seal=how != "bare", undo=how == "undo")
            leaves += [] if how == "undo" else new
    books[0].tail()
    if leaves:
        assert newest(first).size == len(leaves)
    for point in checkpoints.all_checkpoints(first.db):
        assert point.root == naive_root(leaves[: point.size])
        checkpoints.check(point, first.journal_id, known_keys(first.db))
    for book in books:
        assert book.sealer.fault() == ""
        book.close()


def test_a_new_process_goes_on_where_a_killed_one_stopped(book):
    leaves = book.write(EVERY_ROWS)
    leaves += book.write(7)  # never sealed
    successor = Book(book.path, seed=1)
    leaves += successor.write(urgent=True)
    assert newest(book).size == EVERY_ROWS + 8
    assert newest(book).root == naive_root(leaves)
    successor.close()


def test_an_old_journal_without_checkpoints_is_covered_in_steps(book, monkeypatch):
    monkeypatch.setattr("reactor_core.events.seal._AT_ONCE", 100)
    leaves = book.write(250, seal=False)
    leaves += book.write(1)
    while (due := book.sealer.deadline()) is not None:
        book.clock.now = max(book.clock.now, due)
        book.tail()
    assert book.sizes() == [100, 200, 251]
    assert newest(book).root == naive_root(leaves)


def test_rows_that_do_not_match_the_chain_are_not_signed_for(book, caplog):
    book.write(10, seal=False)
    flip(book.db, "events", "seq = 4", "payload_hash", 9)
    book.write(1, urgent=True)
    assert book.sizes() == []
    assert "row 4 does not match the chain" in book.sealer.fault()
    assert "row 4" in caplog.text
    assert book.db.execute("SELECT count(*) FROM events").get == 11  # the events are stored all the same


def test_after_a_fault_it_is_tried_again_a_minute_later(book):
    book.write(10, seal=False)
    flip(book.db, "events", "seq = 4", "payload_hash", 9)
    book.write(1, urgent=True)
    flip(book.db, "events", "seq = 4", "payload_hash", 9)
    book.write(1, urgent=True)
    assert book.sizes() == []
    assert book.sealer.deadline() == book.clock.now + RETRY_SECONDS
    book.clock.now += RETRY_SECONDS
    book.write(1, urgent=True)
    assert (book.sizes(), book.sealer.fault()) == ([13], "")


def test_a_workspace_without_a_place_for_the_key_stores_events_unsealed(book):
    (book.path.parent / "keys").write_text("in the way")
    book.write(1, urgent=True)
    assert book.db.execute("SELECT count(*) FROM events").get == 1
    assert "audit.pem" in book.sealer.fault()
    assert {sample.name: sample.value for sample in book.sealer.metrics()}["reactor_checkpoint_faults"] == 1


def test_a_damaged_checkpoint_is_passed_over(book):
    leaves = book.write(5, urgent=True)
    leaves += book.write(5, urgent=True)
    flip(book.db, "checkpoints", "size = 10", "peaks", 3)
    successor = Book(book.path, seed=1)
    leaves += successor.write(2, urgent=True)
    assert newest(book).root == naive_root(leaves)
    assert successor.sizes() == [5, 10, 12]
    successor.close()


def test_a_key_that_is_lost_is_replaced_and_both_are_known(book):
    book.write(1, urgent=True)
    old = known_keys(book.db)
    (book.path.parent / KEY_NAME).unlink()
    successor = Book(book.path, seed=1)
    successor.write(1, urgent=True)
    keys = known_keys(book.db)
    assert keys[:1] == old
    assert len(keys) == 2
    checkpoints.check(newest(book), book.journal_id, keys[1:])
    successor.close()


def test_a_tail_that_fails_is_not_due_again_at_once(book):
    book.write(1)
    book.clock.now += EVERY_SECONDS
    book.db.execute("BEGIN IMMEDIATE")
    book.sealer.tail(book.db, read_head(book.db, book.journal_id))
    book.db.execute("ROLLBACK")
    book.sealer.rolled_back()
    assert book.sealer.deadline() == book.clock.now + EVERY_SECONDS


def test_stored_nodes_are_those_of_the_covered_rows(book):
    leaves = book.write(EVERY_ROWS + 500)
    book.write(100)
    nodes = {(level, i): value for level, i, value in book.db.execute("SELECT level, idx, hash FROM tree_nodes")}
    covered = len(leaves)
    assert set(nodes) == {(level, i) for level in range(6, 11) for i in range(covered >> level)}
    assert all(value == naive_root(leaves[i << level : (i + 1) << level]) for (level, i), value in nodes.items())


def test_several_writers_on_one_file_at_once(tmp_path: Path):
    books = [Book(tmp_path / "reactor.db", seed=number) for number in range(3)]

    def work(book: Book) -> None:
        for step in range(40):
            book.write(1 + step % 7, urgent=step % 10 == 0)

    threads = [threading.Thread(target=work, args=(book,)) for book in books]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    books[0].tail()
    point = newest(books[0])
    assert point.size == books[0].db.execute("SELECT max(seq) FROM events").get
    assert [book.sealer.fault() for book in books] == ["", "", ""]
    for book in books:
        book.close()


def test_the_transaction_s_own_failure_is_passed_on(book):
    book.write(1)
    book.db.execute("DROP TABLE checkpoints")
    with pytest.raises(apsw.SQLError):
        book.write(1, urgent=True)


def test_an_empty_journal_is_never_signed_for(book):
    book.tail()
    assert book.sizes() == []
