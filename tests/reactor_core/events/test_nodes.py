"""Hashes from stored nodes and rows, with and without a pruned beginning, against RFC 6962's definition."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reactor_core.events.book import Book, naive_root, prune

from reactor_core.errors import ChainBroken, JournalError
from reactor_core.events import checkpoints, nodes, tree
from reactor_core.events.nodes import STORED_LEVEL, TreeReader, consistency_of, keep_before, small_nodes, stored_below


@pytest.fixture
def book(tmp_path):
    book = Book(tmp_path / "reactor.db")
    yield book
    book.close()


def reader_of(book: Book) -> TreeReader:
    first = book.db.execute("SELECT min(seq) FROM events").get
    return TreeReader(book.db, checkpoints.at_most(book.db, first - 1) if first > 1 else None)


def test_inclusion_and_consistency_come_from_stored_nodes(book):
    leaves = book.write(700, urgent=True)
    reader, top = reader_of(book), naive_root(leaves)
    for index in (0, 1, 63, 64, 127, 128, 500, 639, 640, 698, 699):
        proof = reader.ranges(tree.inclusion_ranges(index, 700))
        assert tree.verify_inclusion(leaves[index], index, 700, proof, top)
    for old in (1, 63, 64, 65, 512, 513, 699, 700):
        proof = consistency_of(reader, old, 700)
        assert tree.verify_consistency(old, 700, naive_root(leaves[:old]), top, proof)


def test_a_proof_reads_few_rows_however_many_there_are(book):
    for _ in range(8):
        book.write(1024)
    size = 8192
    for index in (0, 77, 4095, 8191):
        counting = _Counting(book.db)
        TreeReader(counting).ranges(tree.inclusion_ranges(index, size))
        assert sum(counting.rows) <= 64 + 2 * size.bit_length()
        assert len(counting.rows) <= 2 * size.bit_length()


class _Counting:
    """A connection that counts the rows of each answer."""

    def __init__(self, db):
        self._db = db
        self.rows = []

    def execute(self, statement, values):
        answer = self._db.execute(statement, values).fetchall()
        self.rows.append(len(answer))
        return _Rows(answer)


class _Rows(list):
    def fetchone(self):
        return self[0] if self else None


def test_a_missing_row_is_an_error_and_no_wrong_hash(book):
    book.write(40, urgent=True)
    book.db.execute("DELETE FROM events WHERE seq = 30")
    with pytest.raises(ChainBroken, match="row 30 is missing"):
        reader_of(book).range(0, 40)


def test_only_the_end_of_a_checkpoint_can_become_the_beginning(book):
    book.write(5, urgent=True)
    with pytest.raises(JournalError, match="row 4 is not the end"):
        keep_before(book.db, 4)


def test_small_nodes_of_nothing_pruned_are_none():
    assert small_nodes(0, 0) == []
    assert small_nodes(64, 64) == []
    assert small_nodes(70, 70) == []  # the peaks of the boundary are in its own checkpoint


@pytest.mark.slow
@settings(max_examples=60)
@given(data=st.data())
def test_proofs_survive_pruning(tmp_path_factory, data):
    book = Book(tmp_path_factory.mktemp("book") / "reactor.db")
    leaves: list[bytes] = []
    for count in data.draw(st.lists(st.integers(1, 90), min_size=2, max_size=9)):
        leaves += book.write(count, urgent=True)
    sizes = book.sizes()
    for cut in sorted(data.draw(st.lists(st.sampled_from(sizes[:-1]), min_size=1, max_size=2, unique=True))):
        prune(book, cut)
    size = len(leaves)  # the records of the cuts come behind and are not covered yet
    reader, top = reader_of(book), naive_root(leaves)
    index = data.draw(st.integers(cut, size - 1))
    assert tree.verify_inclusion(leaves[index], index, size, reader.ranges(tree.inclusion_ranges(index, size)), top)
    for old in (*sizes, data.draw(st.integers(cut, size))):
        proof = consistency_of(reader, old, size)
        assert tree.verify_consistency(old, size, naive_root(leaves[:old]), top, proof)
    # Nothing is kept that no checkpoint needs.
    assert stored_below(book.db) == {place for point in sizes if point < cut for place in small_nodes(point, cut)}
    kept = {(level, i): h for level, i, h in book.db.execute("SELECT level, idx, hash FROM tree_nodes")}
    assert all(naive_root(leaves[i << level : (i + 1) << level]) == h for (level, i), h in kept.items())
    book.close()


def test_a_pruned_row_cannot_be_proved_and_says_so(book):
    book.write(100, urgent=True)
    book.write(100, urgent=True)
    prune(book, 100)
    with pytest.raises(JournalError, match="were pruned"):
        reader_of(book).ranges(tree.inclusion_ranges(3, 200))


def test_nodes_below_64_rows_are_not_stored(book):
    book.write(200, urgent=True)
    assert STORED_LEVEL == 6
    assert {level for (level,) in book.db.execute("SELECT level FROM tree_nodes")} == {6, 7}
    assert nodes.stored_below(book.db) == set()
