from __future__ import annotations

import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from reactor_core.errors import ApprovalInvalid, ConfigError
from reactor_core.events.note import Signer
from reactor_core.safety.confirm.notes import (
    Note,
    make_key,
    open_answer,
    person_name,
    read_key,
    sign_answer,
    subject_of,
)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer("alice", Ed25519PrivateKey.generate())


def test_an_answer_comes_back_as_it_was_signed(signer):
    about = subject_of("journal", "ticket", "hash")
    for confirmed in (True, False):
        note = sign_answer(signer, about, confirmed=confirmed, signed_us=17)
        assert open_answer(note, [signer.verifier]) == Note(about, confirmed, 17, "alice")


@pytest.mark.parametrize(("old", "new"), [("deny", "confirm"), ("signed 17", "signed 18"), ("hash", "hasp")])
def test_a_changed_word_is_noticed(signer, old, new):
    note = sign_answer(signer, "question hash", confirmed=False, signed_us=17)
    assert old in note
    with pytest.raises(ApprovalInvalid):
        open_answer(note.replace(old, new, 1), [signer.verifier])


def test_a_key_that_is_not_known_does_not_count(signer):
    other = Signer("alice", Ed25519PrivateKey.generate())
    note = sign_answer(other, "x", confirmed=True, signed_us=1)
    with pytest.raises(ApprovalInvalid, match="no known key"):
        open_answer(note, [signer.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "reactor-journal/1\nabout x\nanswer confirm\nsigned 1\n",
        "reactor-approval/v1\nanswer confirm\nabout x\nsigned 1\n",
        "reactor-approval/v1\nabout x\nanswer yes\nsigned 1\n",
        "reactor-approval/v1\nabout x\nanswer confirm\nsigned -1\n",
        "reactor-approval/v1\nabout x\nanswer confirm\nsigned 1\nabout y\n",
        "reactor-approval/v1\n",
    ],
)
def test_another_text_of_the_same_key_is_no_answer(signer, text):
    with pytest.raises(ApprovalInvalid, match="no answer"):
        open_answer(signer.sign(text), [signer.verifier])


def test_what_is_answered_is_one_line(signer):
    with pytest.raises(ConfigError, match="one line"):
        sign_answer(signer, "a\nanswer confirm", confirmed=False, signed_us=1)


def test_a_key_is_kept_for_its_owner_only_and_never_replaced(tmp_path):
    path = tmp_path / "keys" / "alice.pem"
    made = make_key(path, "alice")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key(path, "alice").verifier == made.verifier
    with pytest.raises(ConfigError, match="is there already"):
        make_key(path, "alice")


def test_a_file_without_such_a_key_is_refused(tmp_path):
    path = tmp_path / "other.pem"
    path.write_text("nothing", encoding="utf-8")
    with pytest.raises(ConfigError, match="no private key"):
        read_key(path, "alice")
    path.write_bytes(
        X25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(ConfigError, match="another kind"):
        read_key(path, "alice")


@pytest.mark.parametrize("name", ["", "a b", "a+b", "-a", "é", "a\n", "a" * 65])
def test_names_that_a_key_cannot_have(name):
    with pytest.raises(ConfigError):
        person_name(name)
