from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.data.packing import Document
from reactor_core.data.tokens import UNUSED_DAYS, PairTable, TokenTable, stored_tokens
from reactor_core.errors import NothingToTrain

TOKENS = st.lists(st.tuples(st.integers(0, 2**31 - 1), st.booleans()), min_size=1, max_size=12)


def document(spelled: list[tuple[int, bool]], row: int, cut: int = 0) -> Document:
    return Document(tuple(token for token, _ in spelled), tuple(flag for _, flag in spelled), row, cut)


class Encoder:
    """Gives fixed documents and counts how often it was asked."""

    def __init__(self, documents: list[Document]) -> None:
        self.documents, self.asked = documents, 0

    def __call__(self) -> Iterator[Document]:
        self.asked += 1
        yield from self.documents


THREE = [document([(5, False), (6, True)], 0), document([(7, True)], 1, cut=4), document([(9, False), (8, True)], 2)]


@given(st.lists(st.tuples(TOKENS, st.integers(0, 99)), max_size=8))
def test_documents_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, rows: Any) -> None:
    documents = [document(spelled, row, cut) for row, (spelled, cut) in enumerate(rows)]
    table = stored_tokens(tmp_path_factory.mktemp("tokens"), {}, Encoder(documents))
    assert list(table) == documents
    assert table[1:] == documents[1:]
    assert [table[place - len(table)] for place in range(len(table))] == documents
    assert table.lengths.tolist() == [len(one.ids) for one in documents]
    assert table.cut.tolist() == [one.cut for one in documents]


def test_a_second_run_encodes_nothing(tmp_path: Path) -> None:
    encoder = Encoder(THREE)
    for _ in range(2):
        assert list(stored_tokens(tmp_path, {"dataset": "a"}, encoder)) == THREE
    assert encoder.asked == 1
    stored_tokens(tmp_path, {"dataset": "b"}, encoder)
    assert encoder.asked == 2


@pytest.mark.parametrize("name", ["tokens.i32", "index.i64", "manifest.json"])
def test_stored_tokens_that_are_damaged_are_encoded_again(tmp_path: Path, name: str) -> None:
    encoder = Encoder(THREE)
    stored_tokens(tmp_path, {}, encoder)
    (file,) = tmp_path.glob(f"*/{name}")
    file.write_bytes(file.read_bytes()[:-2])
    assert list(stored_tokens(tmp_path, {}, encoder)) == THREE
    assert encoder.asked == 2


def test_rows_that_are_refused_leave_nothing(tmp_path: Path) -> None:
    def encode() -> Iterator[Document]:
        yield THREE[0]
        raise NothingToTrain("no token of this row is trained")

    with pytest.raises(NothingToTrain):
        stored_tokens(tmp_path, {}, encode)
    assert [entry for entry in tmp_path.iterdir() if entry.is_dir()] == []


def test_tokens_that_nobody_asked_for_in_a_long_time_are_removed(tmp_path: Path) -> None:
    stored_tokens(tmp_path, {"dataset": "old"}, Encoder(THREE))
    (manifest,) = tmp_path.glob("*/manifest.json")
    long_ago = time.time() - (UNUSED_DAYS + 1) * 86_400
    os.utime(manifest, (long_ago, long_ago))
    stored_tokens(tmp_path, {"dataset": "new"}, Encoder(THREE))
    assert not manifest.exists()
    assert len(list(tmp_path.glob("*/manifest.json"))) == 1


def test_tokens_in_use_stay(tmp_path: Path) -> None:
    encoder = Encoder(THREE)
    stored_tokens(tmp_path, {"dataset": "old"}, encoder)
    (manifest,) = tmp_path.glob("*/manifest.json")
    long_ago = time.time() - (UNUSED_DAYS + 1) * 86_400
    os.utime(manifest, (long_ago, long_ago))
    table = stored_tokens(tmp_path, {"dataset": "old"}, encoder)
    stored_tokens(tmp_path, {"dataset": "new"}, encoder)
    assert manifest.exists()
    assert list(table) == THREE


def test_pairs_are_every_two_documents(tmp_path: Path) -> None:
    four = [document([(token, True)], token // 2) for token in range(4)]
    table = stored_tokens(tmp_path, {}, Encoder(four), per_row=2)
    pairs = PairTable(table)
    assert len(pairs) == 2
    assert [pair.row for pair in pairs] == [0, 1]
    assert [pair.documents for pair in pairs[:]] == [(four[0], four[1]), (four[2], four[3])]


@pytest.mark.parametrize(("vocabulary", "place"), [(10, None), (9, 2), (8, 2), (7, 1), (6, 0), (5, 0)])
def test_an_id_outside_the_vocabulary_is_found(tmp_path: Path, vocabulary: int, place: int | None) -> None:
    table = stored_tokens(tmp_path, {}, Encoder(THREE))
    assert isinstance(table, TokenTable)
    assert table.above(vocabulary) == place
