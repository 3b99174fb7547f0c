"""Signed notes and checkpoints as text, in the formats of C2SP (https://c2sp.org/signed-note, /tlog-checkpoint).

A checkpoint says: at this moment the journal had ``size`` rows, with this tree and this chain::

    reactor-journal/01a2b3c4-...                    origin, also the name of the key
    1024                                            rows
    qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=    root of the tree over their leaves
    link 7Yh4vJr0sIzrzK3Y0WfM0nqXzQ0hXg5l7oVqkqQdWZ0=  link of the last row in the hash chain
    made 1795212345678901                           microseconds since 1970, UTC

    — reactor-journal/01a2b3c4-... az3grlgtz...     Ed25519 over the lines above the empty one

Any program that verifies signed notes can check one with the verifier key ``name+hash+key``. There is one spelling of
each checkpoint: what :func:`read_checkpoint` accepts, :func:`checkpoint_text` writes byte for byte.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = [
    "NoteError",
    "Signer",
    "Statement",
    "Verifier",
    "checkpoint_text",
    "open_note",
    "origin_of",
    "read_checkpoint",
]

_ED25519 = b"\x01"
_HASH_BYTES = 32
_SIGNATURE_BYTES = 4 + 64
_BIGGEST = 1 << 63


class NoteError(ValueError):
    """A text that is no signed note of a known key, or no checkpoint."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a checkpoint says.

    Args:
        journal_id: Of which journal.
        size: Number of rows, at least 1; positions count from the first row ever, pruned or not.
        root: Root of the tree over all of them.
        link: Link of row ``size`` in the hash chain.
        made_us: When, in microseconds since 1970.
    """

    journal_id: str
    size: int
    root: bytes
    link: bytes
    made_us: int


class Verifier:
    """A public key and its name.

    Args:
        name: Without spaces and plus signs.
        public: 32 bytes.
    """

    def __init__(self, name: str, public: bytes) -> None:
        self.name = name
        self.public = public
        self.key_hash = hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]
        self._key = Ed25519PublicKey.from_public_bytes(public)

    @classmethod
    def from_text(cls, text: str) -> Verifier:
        """Read ``name+hash+key``.

        Raises:
            NoteError: It is no verifier key, or its parts do not fit together.
        """
        name, _, rest = text.strip().partition("+")
        spoken, _, encoded = rest.partition("+")
        raw = _from_base64(encoded, 1 + _HASH_BYTES)
        if not name or raw[:1] != _ED25519:
            raise NoteError("not the verifier key of an Ed25519 signature")
        verifier = cls(name, raw[1:])
        if verifier.key_hash.hex() != spoken:
            raise NoteError("the verifier key does not match its own hash")
        return verifier

    def __str__(self) -> str:
        return f"{self.name}+{self.key_hash.hex()}+{_to_base64(_ED25519 + self.public)}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verifier) and (self.name, self.public) == (other.name, other.public)

    def __hash__(self) -> int:
        return hash((self.name, self.public))

    def holds(self, signature: bytes, text: bytes) -> bool:
        """Whether this key made a signature of 64 bytes over ``text``."""
        try:
            self._key.verify(signature, text)
        except InvalidSignature:
            return False
        return True


class Signer:
    """A private key and its name.

    Args:
        name: See :class:`Verifier`.
        key: Ed25519.
    """

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.verifier = Verifier(name, key.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The signed note of a text, which ends with a line feed."""
        assert text.endswith("\n"), "the text of a note is whole lines"
        signature = self.verifier.key_hash + self._key.sign(text.encode())
        return f"{text}\n— {self.verifier.name} {_to_base64(signature)}\n"


def open_note(note: str, verifiers: Iterable[Verifier]) -> tuple[str, Verifier]:
    """The text of a note and the key that signed it.

    Raises:
        NoteError: None of the keys signed it, or it is spelled in a way that :meth:`Signer.sign` does not write.
    """
    text, separator, signatures = note.rpartition("\n\n")
    lines = signatures.splitlines(keepends=True)
    if not separator or len(lines) != 1 or not lines[0].endswith("\n"):
        raise NoteError("not a note with one signature")
    text += "\n"
    dash, _, rest = lines[0][:-1].partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "—":
        raise NoteError("not a note with one signature")
    raw = _from_base64(encoded, _SIGNATURE_BYTES)
    for verifier in verifiers:
        if verifier.name == name and verifier.key_hash == raw[:4] and verifier.holds(raw[4:], text.encode()):
            return text, verifier
    raise NoteError("signed by no known key, or changed since")


def origin_of(journal_id: str) -> str:
    """First line of a journal's checkpoints, and the name of its key."""
    return f"reactor-journal/{journal_id}"


def checkpoint_text(statement: Statement) -> str:
    """A checkpoint, to be signed."""
    return (
        f"{origin_of(statement.journal_id)}\n{statement.size}\n{_to_base64(statement.root)}\n"
        f"link {_to_base64(statement.link)}\nmade {statement.made_us}\n"
    )


def read_checkpoint(text: str) -> Statement:
    """The inverse of :func:`checkpoint_text`.

    Raises:
        NoteError: The text is no checkpoint of a journal.
    """
    lines = text.split("\n")
    if len(lines) != 6 or not lines[0].startswith(origin_of("")) or lines[5]:
        raise NoteError("not a checkpoint of a journal")
    link_word, _, link = lines[3].partition(" ")
    made_word, _, made = lines[4].partition(" ")
    if (link_word, made_word) != ("link", "made"):
        raise NoteError("not a checkpoint of a journal")
    statement = Statement(
        lines[0].removeprefix(origin_of("")),
        _number(lines[1]),
        _from_base64(lines[2], _HASH_BYTES),
        _from_base64(link, _HASH_BYTES),
        _number(made),
    )
    if statement.size < 1 or checkpoint_text(statement) != text:
        raise NoteError("not a checkpoint of a journal")
    return statement


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > len(str(_BIGGEST)) or int(text) >= _BIGGEST:
        raise NoteError(f"{text!r:.40} is no number of a checkpoint")
    return int(text)


def _to_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _from_base64(text: str, length: int) -> bytes:
    """Strictly: Python's decoder overlooks unused bits, so a changed letter could pass as the same bytes."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise NoteError(f"{text!r:.40} is not base64") from error
    if len(raw) != length or _to_base64(raw) != text:
        raise NoteError(f"{text!r:.40} is not the base64 of {length} bytes")
    return raw
