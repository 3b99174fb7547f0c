"""The key that signs a journal's checkpoints: ``<workspace>/keys/audit.pem``, made once, readable by its owner only.

The private key stays in the workspace. Its public half is written into the journal, where :func:`remember` puts it,
and beside every anchored checkpoint. What a key on the same machine proves, and what it does not, is said in
docs/adr/0009-checkpoints-and-anchors.md.
"""

from __future__ import annotations

import os
from pathlib import Path

import apsw
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reactor_core.errors import ArtifactCorrupt
from reactor_core.events.note import NoteError, Signer, Verifier, origin_of
from reactor_core.utils.files import fsync_dir, storage_errors
from reactor_core.utils.ids import new_id

__all__ = ["KEY_NAME", "audit_signer", "known_keys", "remember"]

KEY_NAME = "keys/audit.pem"
"""The key's place inside a workspace; PKCS #8, which openssl reads."""

_META = "audit_keys"


def audit_signer(workspace: Path, journal_id: str) -> Signer:
    """The workspace's key; made if there is none. Processes that start at once agree on one.

    Raises:
        StorageError: The key cannot be read or written.
        ArtifactCorrupt: The file holds no Ed25519 key.
    """
    path = workspace / KEY_NAME
    with storage_errors(path):
        if not path.exists():
            _make(path)
        return Signer(origin_of(journal_id), _read(path))


def known_keys(db: apsw.Connection) -> list[Verifier]:
    """The public keys that this journal names, the oldest first.

    Raises:
        NoteError: The entry is damaged.
    """
    row = db.execute("SELECT value FROM meta WHERE key = ?", (_META,)).fetchone()
    keys = [] if row is None else [Verifier.from_text(text) for text in row[0].split("\n")]
    if row is not None and "\n".join(str(key) for key in keys) != row[0]:
        raise NoteError("the list of public keys is spelled in an unknown way")
    return keys


def remember(db: apsw.Connection, key: Verifier) -> None:
    """Write a public key into the journal, in the caller's transaction, unless it is there."""
    try:
        keys = known_keys(db)
    except NoteError:
        keys = []  # a damaged entry would stop all signing; verification then sees which checkpoints lost their key
    if key not in keys:
        value = "\n".join(str(each) for each in (*keys, key))
        db.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (_META, value))


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    temporary = path.parent / f".tmp-{new_id()}"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(temporary, path)  # unlike a rename, it never replaces the key that another process just made
        except FileExistsError:
            return
        fsync_dir(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _read(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ArtifactCorrupt(
            f"{path} holds no private key: {error}", remedy="restore it from a copy, or remove it to get a new one"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ArtifactCorrupt(f"{path} holds a key of another kind than Ed25519", remedy="restore it from a copy")
    return key
