"""What verification reads before it walks the rows: the file itself, its checkpoints, and anchors elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw

from reactor_core.errors import ConfigError, JournalError, NotFound, ReactorError
from reactor_core.events import checkpoints
from reactor_core.events.anchors import Record, Sink, anchor_at, default_anchor
from reactor_core.events.checkpoints import Checkpoint
from reactor_core.events.keys import known_keys
from reactor_core.events.note import NoteError, Statement, Verifier
from reactor_core.events.schema import JOURNAL_NAME, connect, journal_errors, require_sqlite
from reactor_core.events.walk import Problem
from reactor_core.utils.settings import Settings

__all__ = ["AnchorEvidence", "Sealed", "journal_file", "open_journal", "read_anchors", "read_sealed"]


@dataclass(frozen=True, slots=True)
class AnchorEvidence:
    """What one anchor says about a journal.

    Args:
        where: The place.
        statements: Its checkpoints that hold together, in order of size.
        keys: The public keys that signed them.
        problems: What does not.
    """

    where: str
    statements: list[Statement]
    keys: set[Verifier]
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class Sealed:
    """The journal's own checkpoints.

    Args:
        keys: Public keys that the journal names.
        sound: Checkpoints that hold together, in order of size.
        problems: Those that do not.
    """

    keys: list[Verifier]
    sound: list[Checkpoint]
    problems: list[Problem]


def journal_file(place: Path) -> Path:
    """The journal of a workspace, or the file itself.

    Raises:
        NotFound: There is none.
    """
    path = place / JOURNAL_NAME if place.is_dir() else place
    if not path.is_file():
        raise NotFound(f"no journal at {path}", remedy="name the workspace: REACTOR_WORKSPACE=DIR")
    return path


def open_journal(path: Path, *, vfs: str | None = None) -> tuple[apsw.Connection, str]:
    """Open a journal, or a copy of one, without changing it; returns its id too.

    Raises:
        JournalError: It is no journal, or cannot be read.
    """
    db = _open(path, vfs)
    try:
        with journal_errors(path):
            if not db.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('events', 'meta')").get == 2:
                raise JournalError(f"{path} is no journal")
            journal_id = db.execute("SELECT CAST(value AS BLOB) FROM meta WHERE key = 'journal_id'").get
    except BaseException:
        db.close()
        raise
    return db, (journal_id or b"").decode(errors="replace")


def read_sealed(db: apsw.Connection, journal_id: str) -> Sealed:
    """Read and check all checkpoints of a journal."""
    sound: list[Checkpoint] = []
    problems: list[Problem] = []
    keys: list[Verifier] = []
    if not db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'checkpoints'").get:
        return Sealed(keys, sound, problems)  # a journal of a time before checkpoints
    try:
        keys = known_keys(db)
    except (NoteError, UnicodeDecodeError) as error:
        problems.append(Problem(None, f"the public keys in the journal are damaged: {error}"))
    for checkpoint in checkpoints.all_checkpoints(db):
        try:
            checkpoints.check(checkpoint, journal_id, keys)
        except (NoteError, TypeError) as error:
            problems.append(Problem(None, f"the checkpoint of {checkpoint.size} rows: {error}"))
        else:
            sound.append(checkpoint)
    return Sealed(keys, sound, problems)


def read_anchors(journal_id: str, places: Sequence[str] | None, settings: Settings) -> list[AnchorEvidence]:
    """Read what anchors say. Call it before the journal's snapshot is taken, so that they cannot be ahead of it.

    Args:
        places: Where; None for the anchors on this machine that the settings name, where they exist.

    Raises:
        ConfigError: A place is none.
        NotFound: A file that was named does not exist.
    """
    if places is None:
        paths = [anchor_at(place, journal_id) for place in settings.audit_anchors if "://" not in place]
        sinks: list[Sink] = [default_anchor(journal_id, settings), *paths]
        return [_evidence(sink, journal_id) for sink in sinks if Path(sink.where).exists()]
    answer = []
    for place in places:
        if "://" not in place and not Path(place).expanduser().exists():
            raise NotFound(f"no anchor at {place}")
        answer.append(_evidence(anchor_at(place, journal_id), journal_id))
    return answer


def _evidence(sink: Sink, journal_id: str) -> AnchorEvidence:
    statements: dict[int, Statement] = {}
    keys: set[Verifier] = set()
    problems: list[Problem] = []
    try:
        for found in sink.read(journal_id):
            if isinstance(found, Record):
                key = Verifier.from_text(found.key)
                statement = checkpoints.open_statement(found.note, journal_id, [key])
                keys.add(key)
                earlier = statements.setdefault(statement.size, statement)
                if (earlier.root, earlier.link) != (statement.root, statement.link):
                    text = f"{sink.where} holds two checkpoints of {statement.size} rows that contradict each other"
                    problems.append(Problem(None, text))
            else:
                problems.append(Problem(None, f"anchor damaged: {found}"))
    except ConfigError:
        raise
    except ReactorError as error:
        problems.append(Problem(None, str(error)))
    finally:
        sink.close()
    return AnchorEvidence(sink.where, [statements[size] for size in sorted(statements)], keys, problems)


def _open(path: Path, vfs: str | None) -> apsw.Connection:
    require_sqlite(apsw.sqlite_lib_version())
    log = path.with_name(f"{path.name}-wal")
    has_log = log.is_file() and log.stat().st_size > 0
    try:
        db = connect(path, vfs=vfs, read_only=True)
        if has_log:  # closing must not copy the log into the file: it may be evidence
            db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        with journal_errors(path):
            db.execute("SELECT count(*) FROM sqlite_master").get  # noqa: B018  opens the file
    except JournalError:
        if has_log:
            raise
        # A folder that cannot be written to, such as a mounted copy: nobody else can be writing there either.
        with journal_errors(path):
            flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
            db = apsw.Connection(f"{path.absolute().as_uri()}?immutable=1", flags=flags)
            db.execute("SELECT count(*) FROM sqlite_master").get  # noqa: B018
    return db
