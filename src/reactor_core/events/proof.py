"""Proofs for others: that one event is in the journal, checkable without the journal.

A proof is one JSON object::

    {"format": "reactor-proof-1", "journal_id", "event_id", "seq",
     "entry":  base64 of header and payload hash; SHA-256(0x00 || entry) is the leaf,
     "path":   [base64, ...], RFC 6962's audit path from the leaf to the root,
     "checkpoint": the signed note, whose size and root the path leads to,
     "key":    the public key as a verifier key of https://c2sp.org/signed-note}

The entry ends with the SHA-256 of the payload; who holds the payload can check that too. An erased payload leaves the
proof as it was.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apsw

from reactor_core.errors import JournalError, NotFound
from reactor_core.events import checkpoints, tree
from reactor_core.events.checkpoints import Checkpoint
from reactor_core.events.evidence import journal_file, open_journal
from reactor_core.events.keys import known_keys
from reactor_core.events.leaves import entry_of
from reactor_core.events.nodes import TreeReader
from reactor_core.events.note import NoteError, Verifier, open_note
from reactor_core.events.schema import journal_errors

__all__ = ["FORMAT", "check_proof", "newest_checkpoint", "proof_in", "prove_event"]

FORMAT = "reactor-proof-1"


def prove_event(place: Path, event_id: str) -> dict[str, Any]:
    """The proof that an event is in a journal.

    Args:
        place: Workspace, or the journal file.

    Raises:
        NotFound: There is no such event, or no checkpoint covers it yet (a second after it was stored at the latest).
        JournalError: The journal cannot be read, or what the proof needs is damaged.
    """
    path = journal_file(place)
    db, journal_id = open_journal(path)
    try:
        with journal_errors(path):
            db.execute("BEGIN")
            return proof_in(db, journal_id, event_id)
    finally:
        db.close()


def newest_checkpoint(place: Path) -> dict[str, Any]:
    """The newest signed checkpoint of a journal, with the public key that verifies it.

    Raises:
        NotFound: There is no journal, or nothing in it is sealed yet.
        JournalError: The journal cannot be read, or the checkpoint is damaged.
    """
    path = journal_file(place)
    db, journal_id = open_journal(path)
    try:
        with journal_errors(path):
            db.execute("BEGIN")
            found = checkpoints.newest(db)
            if found is None:
                raise NotFound(f"nothing in {path} is sealed yet", remedy="try again in a second")
            return {
                "journal_id": journal_id,
                "size": found.size,
                "root": base64.b64encode(found.root).decode(),
                "link": base64.b64encode(found.link).decode(),
                "made_us": found.made_us,
                "note": found.note,
                "key": str(_key_of(db, found, journal_id)),
            }
    finally:
        db.close()


def proof_in(db: apsw.Connection, journal_id: str, event_id: str) -> dict[str, Any]:
    """:func:`prove_event` inside a read transaction of the caller."""
    row = db.execute("SELECT seq FROM events WHERE event_id = ?", (event_id,)).fetchone()
    if row is None:
        raise NotFound(f"no event {event_id} in this journal")
    seq = int(row[0])
    sealed = checkpoints.newest(db)
    if sealed is None or sealed.size < seq:
        raise NotFound(f"event {event_id} is not sealed yet", remedy="try again in a second")
    key = _key_of(db, sealed, journal_id)
    first = db.execute("SELECT min(seq) FROM events").get
    boundary = checkpoints.at_most(db, first - 1) if first > 1 else None
    entry = entry_of(db, seq)
    assert entry is not None, "a position that was just looked up"
    path = TreeReader(db, boundary).ranges(tree.inclusion_ranges(seq - 1, sealed.size))
    proof = {
        "format": FORMAT,
        "journal_id": journal_id,
        "event_id": event_id,
        "seq": seq,
        "entry": base64.b64encode(entry).decode(),
        "path": [base64.b64encode(each).decode() for each in path],
        "checkpoint": sealed.note,
        "key": str(key),
    }
    problem = check_proof(proof)
    if problem is not None:
        raise JournalError(f"event {event_id} cannot be proved: {problem}", remedy="reactor audit verify")
    return proof


def check_proof(proof: Mapping[str, Any], *, key: str | None = None, payload: bytes | None = None) -> str | None:
    """Check a proof without the journal.

    Args:
        key: The verifier key that the reader trusts; None takes the proof's own word for it, which proves only that
            the parts belong together.
        payload: The event's stored payload, if the reader holds it.

    Returns:
        What is wrong, or None.
    """
    try:
        trusted = Verifier.from_text(str(proof["key"]) if key is None else key)
        statement = checkpoints.open_statement(str(proof["checkpoint"]), str(proof["journal_id"]), [trusted])
        entry = base64.b64decode(proof["entry"], validate=True)
        path = [base64.b64decode(each, validate=True) for each in proof["path"]]
        seq = int(proof["seq"])
        if proof["format"] != FORMAT:
            return f"a proof of another format, {proof['format']!r:.40}"
    except (NoteError, KeyError, ValueError, TypeError) as error:
        return f"not a proof that this key signed: {error}"
    if entry[1:9] != seq.to_bytes(8, "big") or str(proof["event_id"]).encode() not in entry:
        return "the entry is about another event"
    if payload is not None and hashlib.sha256(payload).digest() != entry[-32:]:
        return "the payload is another one"
    leaf = hashlib.sha256(b"\x00" + entry).digest()
    if not tree.verify_inclusion(leaf, seq - 1, statement.size, path, statement.root):
        return "the path does not lead to the signed root"
    return None


def _key_of(db: apsw.Connection, checkpoint: Checkpoint, journal_id: str) -> Verifier:
    try:
        keys = known_keys(db)
        checkpoints.check(checkpoint, journal_id, keys)
        return open_note(checkpoint.note, keys)[1]
    except NoteError as error:
        raise JournalError(
            f"the newest checkpoint is damaged: {error}", remedy="reactor audit verify says what else is"
        ) from error
