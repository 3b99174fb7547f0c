"""Pruned rows as a file of JSON lines, which proves itself without the journal.

The first line says what the file is; each other line is one row with all its columns, hashes in hex::

    {"format": "reactor-archive-1", "journal_id": ..., "first": 1, "until": 2048, "before": <link before the first row>,
     "link": <link of the last row>, "root": <root of the tree over rows 1 to "until">, "note": <the signed checkpoint>}
    {"seq": 1, "ts_us": ..., "priority": ..., "event_id": ..., "event_type": ..., "source": ..., "origin": ...,
     "dedup_key": ..., "payload": <text, null where it was erased>, "payload_hash": ..., "chain": ...}
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import msgspec

from reactor_core.errors import ArtifactCorrupt, ConfigError
from reactor_core.events import chain
from reactor_core.events.chain import ChainReport
from reactor_core.events.checkpoints import Checkpoint
from reactor_core.utils.files import fsync_dir, sha256_file, storage_errors

__all__ = ["FORMAT", "Archive", "read_archive", "verify_archive", "write_archive"]

FORMAT = "reactor-archive-1"

_COLUMNS = (
    "seq",
    "ts_us",
    "priority",
    "event_id",
    "event_type",
    "source",
    "origin",
    "dedup_key",
    "payload",
    "payload_hash",
    "chain",
)
_ROWS = f"SELECT {', '.join(_COLUMNS)} FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT 2048"  # noqa: S608


class Archive(NamedTuple):
    """A file that was written.

    Args:
        erased: Rows whose payload was erased before.
    """

    path: Path
    sha256: str
    rows: int
    erased: frozenset[int]


class _Header(msgspec.Struct):
    format: str
    journal_id: str
    first: int
    until: int
    before: str
    link: str
    root: str
    note: str


class _Row(msgspec.Struct):
    seq: int
    ts_us: int
    priority: int
    event_id: str
    event_type: str
    source: str
    origin: str
    dedup_key: str
    payload: str | None
    payload_hash: str
    chain: str


def write_archive(db: apsw.Connection, path: Path, *, journal_id: str, before: bytes, until: Checkpoint) -> Archive:
    """Write the first rows of a journal to a new file; it is on disk when this returns.

    Args:
        db: A connection that reads. No lock is held between the pages that it reads.
        before: Link before the first row.
        until: The checkpoint of the last row to write.

    Raises:
        ConfigError: The file exists.
        StorageError: It cannot be written; nothing is left of it.
    """
    path = Path(path)
    if path.exists():
        raise ConfigError(f"{path} exists; an archive is never overwritten", remedy="choose another name")
    first = db.execute("SELECT min(seq) FROM events").get
    header = _Header(
        FORMAT, journal_id, first, until.size, before.hex(), until.link.hex(), until.root.hex(), until.note
    )
    erased: set[int] = set()
    rows, unfinished = 0, path.with_name(path.name + ".part")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("wb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(msgspec.json.encode(header) + b"\n")
                for row in _rows(db, first - 1, until.size):
                    if row["payload"] is None:
                        erased.add(row["seq"])
                    file.write(msgspec.json.encode(row) + b"\n")
                    rows += 1
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(path)
        finally:
            unfinished.unlink(missing_ok=True)
        fsync_dir(path.parent)
    return Archive(path, sha256_file(path), rows, frozenset(erased))


def read_archive(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of an archive, without a check.

    Raises:
        ArtifactCorrupt: A line is no row.
        StorageError: The file cannot be read.
    """
    with storage_errors(path), path.open("rb") as file:
        _read(path, file.readline(), _Header)
        for line in file:
            yield msgspec.structs.asdict(_read(path, line, _Row))


def verify_archive(path: Path) -> ChainReport:
    """Recompute every hash of an archive, up to the link that its checkpoint states.

    The checkpoint's signature is not looked at: compare ``sha256`` of the file with the ``journal_compacted`` event of
    the journal, which the journal's own chain and anchors prove, or the note with an anchor.

    Returns:
        The report; damage is a report with ``ok=False``, not an error.

    Raises:
        StorageError: The file cannot be read.
    """
    seq, erased, link = 0, 0, b""

    def bad(detail: str) -> ChainReport:
        return ChainReport(False, count, link.hex(), seq + 1, f"{path}: row {seq + 1}: {detail}", erased)

    count = 0
    try:
        with storage_errors(path), path.open("rb") as file:
            header = _read(path, file.readline(), _Header)
            if header.format != FORMAT:
                return bad(f"an archive of format {header.format!r}, this version knows {FORMAT!r}")
            seq, link = header.first - 1, bytes.fromhex(header.before)
            if header.first == 1 and link != chain.genesis(header.journal_id):
                return bad("the first link is not that of the journal")
            for line in file:
                row = _read(path, line, _Row)
                if row.seq != seq + 1:
                    return bad(f"missing, the next row is {row.seq}")
                hashed = bytes.fromhex(row.payload_hash)
                if row.payload is None:
                    erased += 1
                elif chain.payload_hash(row.payload.encode()) != hashed:
                    return bad("the payload does not match its hash")
                texts = (row.event_id, row.event_type, row.source, row.origin, row.dedup_key)
                start = chain.header(row.seq, row.ts_us, row.priority, *(text.encode() for text in texts))
                here = chain.link(link, chain.leaf(start, hashed))
                if here.hex() != row.chain:
                    return bad("the row does not match the chain")
                seq, link, count = row.seq, here, count + 1
    except (ArtifactCorrupt, ValueError, struct.error) as error:
        return bad(str(error))
    if (seq, link.hex()) != (header.until, header.link):
        return bad(f"missing; the archive should reach row {header.until}")
    return ChainReport(True, count, link.hex(), None, f"{count} events, every link holds", erased)


def _rows(db: apsw.Connection, after: int, until: int) -> Iterator[dict[str, Any]]:
    while page := db.execute(_ROWS, (after, until)).fetchall():
        for row in page:
            named: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
            named["payload_hash"], named["chain"] = named["payload_hash"].hex(), named["chain"].hex()
            yield named
        after = named["seq"]


def _read(path: Path, line: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArtifactCorrupt(f"{path} is no archive, or a line of it is damaged: {error}") from error
