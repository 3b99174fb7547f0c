"""The journal's tables, and opening a connection to them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from reactor_core.errors import EnvironmentMissing, JournalError, ReactorError, StorageFull
from reactor_core.utils.ids import new_id

__all__ = ["JOURNAL_NAME", "connect", "journal_errors", "migrate", "require_sqlite"]

JOURNAL_NAME = "reactor.db"
"""File name inside a workspace."""

MINIMUM_SQLITE = (3, 51, 3)
"""First version without the WAL-reset bug, which corrupts files that several processes write (sqlite.org/wal.html)."""

BUSY_SECONDS = 30.0
"""How long a writer waits for the other processes of the workspace."""

_MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE events (
        seq          INTEGER PRIMARY KEY,
        event_id     TEXT NOT NULL,
        event_type   TEXT NOT NULL,
        source       TEXT NOT NULL,
        priority     INTEGER NOT NULL,
        ts_us        INTEGER NOT NULL,  -- microseconds since 1970, UTC
        origin       TEXT NOT NULL,     -- relay that brought it; '' = published in this workspace
        dedup_key    TEXT NOT NULL,     -- '' = by id only
        payload      TEXT,              -- {"data": ..., "metadata": ...}; NULL = erased
        payload_hash BLOB NOT NULL,
        chain        BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX events_id ON events (event_id);
    CREATE INDEX events_type_time ON events (event_type, ts_us);
    CREATE TABLE cursors (
        name  TEXT PRIMARY KEY,         -- relay
        value TEXT NOT NULL             -- JSON, the relay's own
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE INDEX events_lane ON events (priority);
    CREATE TABLE early (                -- events that a peer sent before its own commit, and has not confirmed yet
        event_id TEXT PRIMARY KEY,
        origin   TEXT NOT NULL,
        seq      INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE checkpoints (
        size    INTEGER PRIMARY KEY,    -- rows that it covers
        made_us INTEGER NOT NULL,
        root    BLOB NOT NULL,
        link    BLOB NOT NULL,
        peaks   BLOB NOT NULL,
        note    TEXT NOT NULL           -- signed
    ) STRICT;
    CREATE TABLE tree_nodes (
        level INTEGER NOT NULL,         -- 0 = leaves
        idx   INTEGER NOT NULL,
        hash  BLOB NOT NULL,
        PRIMARY KEY (level, idx)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE confirmations (        -- questions to people, see safety/confirm
        ticket_id   TEXT PRIMARY KEY,
        action_hash TEXT NOT NULL,
        asker       TEXT NOT NULL,      -- who wants to act, and so may not answer
        asked_us    INTEGER NOT NULL,   -- microseconds since 1970, UTC
        expires_us  INTEGER NOT NULL,
        people      INTEGER NOT NULL,   -- how many different ones have to agree
        state       TEXT NOT NULL,      -- open, confirmed, denied, expired, used
        asked       TEXT                -- JSON, what they are shown; NULL = erased
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX confirmations_state ON confirmations (state, asked_us);
    CREATE TABLE confirmation_answers (
        ticket_id   TEXT NOT NULL,
        person      TEXT NOT NULL,
        method      TEXT NOT NULL,
        confirmed   INTEGER NOT NULL,
        answered_us INTEGER NOT NULL,
        evidence    TEXT NOT NULL,      -- JSON, such as a signed note
        PRIMARY KEY (ticket_id, person)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE jobs (                 -- see jobs/
        job_id          TEXT PRIMARY KEY,
        kind            TEXT NOT NULL,
        spec            TEXT NOT NULL,  -- JSON
        spec_hash       TEXT NOT NULL,
        idempotency_key TEXT,           -- NULL = none was given
        state           TEXT NOT NULL,
        created_us      INTEGER NOT NULL,
        not_before_us   INTEGER NOT NULL,
        lease_until_us  INTEGER NOT NULL,
        token           INTEGER NOT NULL,  -- grows each time the job is given to somebody or taken away
        events          INTEGER NOT NULL,  -- number of the last row in job_events
        fields          TEXT NOT NULL   -- JSON, all else
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX jobs_key ON jobs (idempotency_key) WHERE idempotency_key IS NOT NULL;
    CREATE INDEX jobs_state ON jobs (state, created_us);
    CREATE TABLE job_events (
        job_id TEXT NOT NULL,
        seq    INTEGER NOT NULL,        -- 1, 2, 3 ... in each job
        ts_us  INTEGER NOT NULL,        -- microseconds since 1970, UTC
        type   TEXT NOT NULL,
        data   TEXT NOT NULL,           -- JSON
        PRIMARY KEY (job_id, seq)
    ) STRICT, WITHOUT ROWID;
    """,
)


def require_sqlite(version: str) -> None:
    """Check a version of SQLite.

    Raises:
        EnvironmentMissing: It is older than 3.51.3.
    """
    if tuple(int(part) for part in version.split(".")) < MINIMUM_SQLITE:
        raise EnvironmentMissing(
            f"SQLite {version} can corrupt a journal that several processes write; 3.51.3 or newer is needed",
            remedy="pip install --upgrade apsw",
        )


def connect(path: Path, *, vfs: str | None = None, read_only: bool = False) -> apsw.Connection:
    """Open the file, with every commit on disk before it returns.

    Args:
        path: The journal file; it is made, readable by its owner only, if it is absent and not ``read_only``.
        vfs: SQLite's name of another file system layer.
        read_only: Refuse statements that write. The file may still be mapped for writing: WAL needs it.

    Raises:
        EnvironmentMissing: The SQLite in ``apsw`` is too old.
        JournalError: The file cannot be opened, is no journal, or lies on a file system without WAL.
    """
    require_sqlite(apsw.sqlite_lib_version())
    with journal_errors(path):
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=True)
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs)
        db.set_busy_handler(_wait)
        if read_only:
            db.execute("PRAGMA query_only = ON")
        else:
            mode = db.execute("PRAGMA journal_mode = WAL").get
            if mode != "wal":
                raise JournalError(
                    f"{path}: this file system cannot hold a journal of several processes (mode {mode!r})",
                    remedy="set REACTOR_WORKSPACE to a folder on a local disk",
                )
            # FULL: a spot machine that is taken away is a power failure. The last two matter on macOS only.
            db.execute("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON")
        return db


def migrate(db: apsw.Connection, path: Path) -> str:
    """Bring the tables up to date; returns the journal's id.

    Raises:
        JournalError: The file was made by a newer version, or by something else.
    """
    with journal_errors(path):
        db.execute("BEGIN IMMEDIATE")  # two processes may open a new workspace at once
        try:
            version = db.execute("PRAGMA user_version").get
            if version > len(_MIGRATIONS):
                raise JournalError(
                    f"{path} has format {version}, this version knows up to {len(_MIGRATIONS)}",
                    remedy="pip install --upgrade reactor-core",
                )
            if version == 0 and db.execute("SELECT count(*) FROM sqlite_master").get:
                raise JournalError(f"{path} is an SQLite file of another program", remedy="choose another workspace")
            for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
                db.execute(script)
                db.execute(f"PRAGMA user_version = {number}")
            if version == 0:
                db.execute("INSERT INTO meta VALUES ('journal_id', ?)", (new_id(),))
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
        return str(db.execute("SELECT value FROM meta WHERE key = 'journal_id'").get)


@contextmanager
def journal_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors inside the block into ours, naming the file."""
    try:
        yield
    except ReactorError:
        raise
    except apsw.FullError as error:
        raise StorageFull(
            f"no space left for the journal {path}; nothing of this commit is stored", remedy="free space"
        ) from error
    except apsw.BusyError as error:
        raise JournalError(
            f"{path} was locked by another process for {BUSY_SECONDS:.0f} s", remedy="end that process"
        ) from error
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise JournalError(f"{path} is damaged: {error}", remedy="restore it from a copy") from error
    except (apsw.Error, OSError) as error:
        raise JournalError(f"{path}: {error}") from error


def _wait(attempts: int) -> bool:
    """SQLite's busy handler: short even steps, as the other side holds the lock for about one fsync."""
    time.sleep(0.001)
    return attempts < BUSY_SECONDS * 1000
