"""What an anchor is: a place outside the journal's file that remembers its signed checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import msgspec

from reactor_core.events.note import NoteError, Verifier, open_note, read_checkpoint

__all__ = ["Record", "Sink", "read_record", "record_line"]


@dataclass(frozen=True, slots=True)
class Record:
    """One anchored checkpoint.

    Args:
        key: The public key that was in use, as text.
        note: The signed checkpoint.
        size: Rows that it covers.
    """

    key: str
    note: str
    size: int


class Sink(Protocol):
    """A place for checkpoints. It raises ReactorError where it cannot be reached."""

    where: str
    """The place as a user would name it, without credentials."""
    every: float
    """Seconds between two checkpoints at least, unless one is urgent."""

    def write(self, record: Record) -> None:
        """Keep a checkpoint; it is safe there when this returns."""
        ...

    def read(self, journal_id: str) -> Iterator[Record | str]:
        """The checkpoints of a journal, in the order in which they were kept; a text says what is damaged."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    note: str


_decoder = msgspec.json.Decoder(_Line)


def record_line(record: Record) -> bytes:
    """A record as one line of JSON, without the line feed."""
    return msgspec.json.encode(_Line(record.key, record.note))


def read_record(line: bytes) -> tuple[str, Record]:
    """The journal's id and the record of a line. The signature is checked against the line's own key.

    Raises:
        NoteError: It is no record, or one that was changed.
    """
    try:
        value = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NoteError(f"not an anchored checkpoint: {error}") from error
    statement = read_checkpoint(open_note(value.note, [Verifier.from_text(value.key)])[0])
    return statement.journal_id, Record(value.key, value.note, statement.size)
