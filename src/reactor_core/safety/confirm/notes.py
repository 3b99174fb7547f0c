"""Answers signed on another machine: a text that says what it is about, and an Ed25519 signature below it.

::

    reactor-approval/v1
    about confirmation 01a2b3c4-... 01a2b3d5-... 9f86d081884c7d65...
    answer confirm
    signed 1795212345678901

    — alice az3grlgtz...

The line ``about`` names one question of one journal and the hash of the action, so an answer fits nothing else. The
format of the signature is that of the journal's checkpoints.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reactor_core.errors import ApprovalInvalid, ConfigError
from reactor_core.events.note import NoteError, Signer, Verifier, open_note
from reactor_core.utils.files import fsync_dir, storage_errors

__all__ = ["Note", "make_key", "open_answer", "person_name", "read_key", "sign_answer", "subject_of"]

_HEAD = "reactor-approval/v1"
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_ANSWERS = {"confirm": True, "deny": False}


@dataclass(frozen=True, slots=True)
class Note:
    """A signed answer.

    Args:
        about: What it answers.
        confirmed: Whether it agrees.
        signed_us: When it was signed, in microseconds since 1970, by the clock of the signing machine.
        person: Whose key signed it.
    """

    about: str
    confirmed: bool
    signed_us: int
    person: str


def subject_of(journal_id: str, ticket_id: str, action_hash: str) -> str:
    """What an answer to a question is about."""
    return f"confirmation {journal_id} {ticket_id} {action_hash}"


def person_name(name: str) -> str:
    """The name, if it can be that of a person.

    Raises:
        ConfigError: It has characters that names do not have here.
    """
    if not _PERSON.fullmatch(name):
        raise ConfigError(f"person={name!r:.80} is no name", remedy="use 1 to 64 letters, digits, '.', '_', '@' or '-'")
    return name


def sign_answer(signer: Signer, about: str, *, confirmed: bool, signed_us: int) -> str:
    """The signed note.

    Raises:
        ConfigError: ``about`` is not one line.
    """
    if not about.strip() or not about.isprintable():
        raise ConfigError(f"about={about!r:.80} is not one line of text")
    return signer.sign(_text(about, confirmed, signed_us))


def open_answer(note: str, keys: list[Verifier]) -> Note:
    """What a note says, if one of the keys signed it.

    Raises:
        ApprovalInvalid: It is not signed by any of them, or no answer.
    """
    try:
        text, key = open_note(note, keys)
    except NoteError as error:
        raise ApprovalInvalid(f"the note is {error}", remedy="sign it with the key that was enrolled") from error
    lines = text.split("\n")
    spoken = dict(line.partition(" ")[::2] for line in lines[1:4])
    signed = spoken.get("signed", "")
    if lines[0] != _HEAD or spoken.get("answer") not in _ANSWERS or not (signed.isascii() and signed.isdigit()):
        raise ApprovalInvalid("the note is signed, but it is no answer to a question")
    found = Note(spoken.get("about", ""), _ANSWERS[spoken["answer"]], int(signed[:18]), key.name)
    if _text(found.about, found.confirmed, found.signed_us) != text:
        raise ApprovalInvalid("the note is signed, but it is no answer to a question")
    return found


def make_key(path: Path, person: str) -> Signer:
    """Make a key and keep it in a new file that only its owner can read (PKCS #8, which openssl reads).

    Raises:
        ConfigError: The file is there, or the person's name cannot be used.
        StorageError: The file cannot be written.
    """
    person_name(person)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise ConfigError(f"{path} is there already", remedy="choose another file") from error
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())
        fsync_dir(path.parent)
    return Signer(person, key)


def read_key(path: Path, person: str) -> Signer:
    """The key of a file.

    Raises:
        ConfigError: It holds no Ed25519 key, or the person's name cannot be used.
    """
    person_name(person)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{path} holds no private key: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path} holds a key of another kind than Ed25519")
    return Signer(person, key)


def _text(about: str, confirmed: bool, signed_us: int) -> str:
    answer = "confirm" if confirmed else "deny"
    return f"{_HEAD}\nabout {about}\nanswer {answer}\nsigned {signed_us}\n"
