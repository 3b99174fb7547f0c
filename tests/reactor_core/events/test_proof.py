from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reactor_core.events.book import Book, flip, prune

from reactor_core.errors import JournalError, NotFound
from reactor_core.events import tree
from reactor_core.events.note import Verifier, open_note, read_checkpoint
from reactor_core.events.proof import check_proof, newest_checkpoint, prove_event


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("book") / "reactor.db")
    for count in (100, 60, 1, 40):
        book.write(count, urgent=True)
    book.write(3)
    yield book
    book.close()


def id_of(book: Book, seq: int) -> str:
    return book.db.execute("SELECT event_id FROM events WHERE seq = ?", (seq,)).get


@pytest.mark.parametrize("seq", [1, 64, 65, 100, 161, 201])
def test_a_proof_is_checked_without_the_journal(book, seq):
    proof = prove_event(book.path, id_of(book, seq))
    key = newest_checkpoint(book.path)["key"]
    payload = book.db.execute("SELECT payload FROM events WHERE seq = ?", (seq,)).get.encode()
    assert check_proof(proof, key=key, payload=payload) is None
    assert proof["seq"] == seq


def test_a_proof_is_what_rfc_6962_says(book):
    # By hand, with nothing of ours but the hash of a node.
    proof = prove_event(book.path, id_of(book, 201))
    answer = hashlib.sha256(b"\x00" + base64.b64decode(proof["entry"])).digest()
    position, last = 200, 200
    for each in proof["path"]:
        while not position & 1 and position == last:
            position, last = position >> 1, last >> 1
        sibling = base64.b64decode(each)
        answer = tree.node(sibling, answer) if position & 1 else tree.node(answer, sibling)
        position, last = position >> 1, last >> 1
    text, _ = open_note(proof["checkpoint"], [Verifier.from_text(proof["key"])])
    assert read_checkpoint(text).root == answer


@given(data=st.data())
def test_nothing_in_a_proof_can_change(book, data):
    proof = prove_event(book.path, id_of(book, data.draw(st.integers(1, 201))))
    name = data.draw(st.sampled_from(["entry", "path", "checkpoint", "seq", "event_id", "journal_id", "format"]))
    if name == "path":
        place = data.draw(st.integers(0, len(proof["path"]) - 1))
        raw = bytearray(base64.b64decode(proof["path"][place]))
        raw[data.draw(st.integers(0, 31))] ^= 1 << data.draw(st.integers(0, 7))
        proof["path"][place] = base64.b64encode(raw).decode()
    elif name == "entry":
        raw = bytearray(base64.b64decode(proof["entry"]))
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        proof["entry"] = base64.b64encode(raw).decode()
    elif name == "seq":
        proof["seq"] += data.draw(st.integers(1, 300))
    else:
        place = data.draw(st.integers(0, len(proof[name]) - 1))
        letter = chr(ord(proof[name][place]) ^ 1)
        proof[name] = proof[name][:place] + letter + proof[name][place + 1 :]
    assert check_proof(proof) is not None


def test_a_reader_s_own_key_is_what_counts(book, tmp_path):
    other = Book(tmp_path / "reactor.db")
    other.write(1, urgent=True)
    proof = prove_event(book.path, id_of(book, 5))
    assert check_proof(proof) is None
    assert check_proof(proof, key=newest_checkpoint(other.path)["key"]) is not None
    assert check_proof(proof, payload=b"{}") == "the payload is another one"
    other.close()


@pytest.mark.parametrize("value", [{}, {"path": 3}, {"seq": "x"}])
def test_what_is_no_proof_is_said(book, value):
    proof = {} if not value else {**prove_event(book.path, id_of(book, 5)), **value}
    assert check_proof(proof) is not None


def test_an_event_that_is_not_there_or_not_sealed_yet_cannot_be_proved(book):
    with pytest.raises(NotFound, match="no event"):
        prove_event(book.path, "unknown")
    with pytest.raises(NotFound, match="not sealed yet"):
        prove_event(book.path, id_of(book, 203))


def test_the_newest_checkpoint_is_given_with_its_key(book):
    found = newest_checkpoint(book.path.parent)
    text, _ = open_note(found["note"], [Verifier.from_text(found["key"])])
    assert read_checkpoint(text).size == found["size"] == 201


def test_nothing_sealed_and_a_damaged_checkpoint_are_said(tmp_path):
    book = Book(tmp_path / "reactor.db")
    with pytest.raises(NotFound, match="nothing"):
        newest_checkpoint(book.path)
    book.write(2, urgent=True)
    flip(book.db, "checkpoints", "size = 2", "root", 1)
    with pytest.raises(JournalError, match="damaged"):
        newest_checkpoint(book.path)
    book.close()


def test_a_damaged_node_never_makes_a_wrong_proof(tmp_path):
    book = Book(tmp_path / "reactor.db")
    book.write(300, urgent=True)
    flip(book.db, "tree_nodes", "level = 7 AND idx = 0", "hash", 5)
    with pytest.raises(JournalError, match="cannot be proved"):
        prove_event(book.path, id_of(book, 200))
    book.close()


def test_proofs_survive_pruning_and_erasing(tmp_path):
    book = Book(tmp_path / "reactor.db")
    book.write(90, urgent=True)
    book.write(90, urgent=True)
    book.db.execute("UPDATE events SET payload = NULL WHERE seq = 120")
    prune(book, 90)
    book.tail()
    proof = prove_event(book.path, id_of(book, 120))
    assert check_proof(proof, key=newest_checkpoint(book.path)["key"]) is None
    book.close()
