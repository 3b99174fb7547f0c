from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.events.note import (
    NoteError,
    Signer,
    Statement,
    Verifier,
    checkpoint_text,
    open_note,
    origin_of,
    read_checkpoint,
)

# The example of Go's golang.org/x/mod/sumdb/note package documentation: both keys, the text and its signature.
GO_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_NOTE = (
    GO_TEXT + "\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

SIGNER = Signer(origin_of("j"), Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STATEMENT = Statement("j", 7, hashlib.sha256(b"root").digest(), hashlib.sha256(b"link").digest(), 1_790_000_000_000_000)


def go_signer() -> Signer:
    seed = base64.b64decode(GO_SECRET.split("+", 4)[4])
    return Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(seed[1:]))


def test_the_example_of_the_reference_implementation_is_signed_the_same_way():
    assert go_signer().sign(GO_TEXT) == GO_NOTE
    assert str(go_signer().verifier) == GO_KEY


def test_the_example_of_the_reference_implementation_verifies():
    key = Verifier.from_text(GO_KEY)
    assert open_note(GO_NOTE, [SIGNER.verifier, key]) == (GO_TEXT, key)


def test_a_note_of_an_unknown_key_is_refused():
    with pytest.raises(NoteError, match="no known key"):
        open_note(GO_NOTE, [SIGNER.verifier])


def test_a_checkpoint_has_the_documented_lines():
    encoded = base64.b64encode(STATEMENT.root).decode(), base64.b64encode(STATEMENT.link).decode()
    text = f"reactor-journal/j\n7\n{encoded[0]}\nlink {encoded[1]}\nmade 1790000000000000\n"
    assert checkpoint_text(STATEMENT) == text
    assert read_checkpoint(text) == STATEMENT


@given(
    size=st.integers(1, 2**63 - 1),
    made=st.integers(0, 2**63 - 1),
    root=st.binary(min_size=32, max_size=32),
    link=st.binary(min_size=32, max_size=32),
)
def test_a_checkpoint_is_read_back(size, made, root, link):
    statement = Statement("0199", size, root, link, made)
    note = SIGNER.sign(checkpoint_text(statement))
    assert read_checkpoint(open_note(note, [SIGNER.verifier])[0]) == statement


NOTE = SIGNER.sign(checkpoint_text(STATEMENT)).encode()


@pytest.mark.parametrize("position", range(len(NOTE)))
def test_no_bit_of_a_note_can_change(position):
    for bit in range(8):
        changed = bytearray(NOTE)
        changed[position] ^= 1 << bit
        with pytest.raises((NoteError, UnicodeDecodeError)):
            open_note(changed.decode(), [SIGNER.verifier])


@given(st.text(max_size=200))
def test_any_other_text_is_refused_and_nothing_else_happens(text):
    with pytest.raises(NoteError):
        open_note(text, [SIGNER.verifier])
    with pytest.raises(NoteError):
        read_checkpoint(text)
    with pytest.raises(NoteError):
        Verifier.from_text(text)


@pytest.mark.parametrize(
    "spelling",
    [
        checkpoint_text(STATEMENT).replace("\n7\n", "\n07\n"),
        checkpoint_text(STATEMENT).replace("\n7\n", "\n0\n"),
        checkpoint_text(STATEMENT).replace("\n7\n", "\n٧\n"),
        checkpoint_text(STATEMENT).replace("made ", "made +"),
        checkpoint_text(STATEMENT) + "more\n",
        checkpoint_text(STATEMENT).replace("reactor-journal/", "other/"),
        checkpoint_text(STATEMENT).replace("\n7\n", "\n99999999999999999999\n"),
    ],
)
def test_a_checkpoint_has_one_spelling(spelling):
    with pytest.raises(NoteError):
        read_checkpoint(spelling)


def test_a_verifier_key_of_other_content_is_refused():
    name, _, key = GO_KEY.split("+", 2)
    with pytest.raises(NoteError, match="own hash"):
        Verifier.from_text(f"{name}+00000000+{key}")
