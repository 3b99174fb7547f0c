"""Anchored checkpoints made of nothing but a key."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reactor_core.events.anchors import Record
from reactor_core.events.note import Signer, Statement, checkpoint_text, origin_of

HOUR_US = 3_600_000_000


def record(size: int, *, journal_id: str = "j", made_us: int | None = None) -> Record:
    """A checkpoint of a journal; an hour apart for each row unless a moment is given."""
    signer = Signer(origin_of(journal_id), Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    hashed = hashlib.sha256(str(size).encode()).digest()
    statement = Statement(journal_id, size, hashed, hashed, size * HOUR_US if made_us is None else made_us)
    return Record(str(signer.verifier), signer.sign(checkpoint_text(statement)), size)
