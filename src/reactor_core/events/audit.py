"""Verifying a journal from outside: for the command line, for scripts, and on a copy of the file.

Nothing is written, nothing is asked of another machine unless it is named as an anchor, and no row is held in memory
longer than it takes to hash it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import apsw

from reactor_core.errors import JournalError, NotFound, ReactorError
from reactor_core.events import chain
from reactor_core.events.audit_report import AnchorReport, AuditReport
from reactor_core.events.chain import ChainReport
from reactor_core.events.checkpoints import Checkpoint
from reactor_core.events.evidence import (
    AnchorEvidence,
    Sealed,
    journal_file,
    open_journal,
    read_anchors,
    read_sealed,
)
from reactor_core.events.prefix import boundary_recorded, node_count_problems, prefix_problems
from reactor_core.events.proof import proof_in
from reactor_core.events.walk import Base, Problem, RowWalk, Spans, Stop, erased_on_record
from reactor_core.utils.settings import Settings, load_settings

__all__ = ["chain_report", "verify_workspace"]

T = TypeVar("T")

_MOST_PROBLEMS = 20


def verify_workspace(
    workspace: Path,
    *,
    since: int | None = None,
    proof: str | None = None,
    anchors: Sequence[str] | None = None,
    settings: Settings | None = None,
) -> AuditReport:
    """Verify a journal; writers may go on meanwhile.

    Args:
        workspace: The workspace, or the journal file itself, or a copy of either.
        since: Walk the rows from this position on, starting at the last checkpoint before it; None walks all.
        proof: Id of an event to prove as well.
        anchors: Places to compare with: paths, ``redis://...``, ``gs://bucket/prefix``. None takes the files on this
            machine that the settings name, where they exist.
        settings: What the environment says; None reads it.

    Raises:
        NotFound: There is no journal, or a named anchor does not exist, or the event to prove is not sealed.
        JournalError: The file is no journal.
        ConfigError: A named anchor is no place.
    """
    path = journal_file(workspace)
    db, journal_id = open_journal(path)
    try:
        evidence = read_anchors(journal_id, anchors, settings or load_settings())
        with _IndexCheck(path) as indexes:
            db.execute("BEGIN")
            return _Audit(db, journal_id, evidence).report(since, proof, indexes)
    finally:
        db.close()


def chain_report(path: Path, *, anchor: tuple[int, str] | None = None, vfs: str | None = None) -> ChainReport:
    """Verify a journal with nothing but itself, and a link that was noted elsewhere.

    Args:
        path: The file.
        anchor: A position and its link (hex) that were noted earlier; the walk must meet them, so rows cut off behind
            the anchor are found too.
        vfs: SQLite's name of another file system layer.

    Returns:
        The report; damage of any kind is a report with ``ok=False``, not an error.
    """
    noted = None if anchor is None else Stop(anchor[0], None, bytes.fromhex(anchor[1]), "the noted link")
    try:
        db, journal_id = open_journal(path, vfs=vfs)
    except JournalError as error:
        return ChainReport(False, 0, "", None, str(error))
    try:
        with _IndexCheck(path, vfs) as indexes:
            db.execute("BEGIN")
            found = _Audit(db, journal_id, [], noted).report(None, None, indexes)
    finally:
        db.close()
    detail = found.detail if found.ok else f"{path}: {found.detail}"
    return ChainReport(found.ok, found.events, found.head, found.first_bad, detail, found.erased)


class _IndexCheck:
    """SQLite's own check of pages and indexes, on a connection and thread of its own beside the walk."""

    def __init__(self, path: Path, vfs: str | None = None) -> None:
        self._path = path
        self._vfs = vfs
        self._answer = ""
        self._thread = threading.Thread(target=self._run, name="reactor-audit", daemon=True)

    def __enter__(self) -> _IndexCheck:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def problem(self) -> Problem | None:
        """What it found."""
        self._thread.join()
        return None if self._answer == "ok" else Problem(None, f"an index or a page is damaged: {self._answer}")

    def _run(self) -> None:
        try:
            db, _ = open_journal(self._path, vfs=self._vfs)
            try:
                self._answer = str(db.execute("PRAGMA integrity_check(1)").get)
            finally:
                db.close()
        except (apsw.Error, ReactorError, UnicodeDecodeError) as error:
            self._answer = str(error)


class _Audit:
    """One verification inside one snapshot."""

    def __init__(
        self, db: apsw.Connection, journal_id: str, evidence: list[AnchorEvidence], noted: Stop | None = None
    ) -> None:
        self._db = db
        self._noted = [] if noted is None else [noted]
        self._journal_id = journal_id
        self._evidence = evidence
        self._problems: list[Problem] = []
        self._notes: list[str] = []

    def report(self, since: int | None, proof: str | None, indexes: _IndexCheck) -> AuditReport:
        db = self._db
        self._sealed = sealed = self._read_sealed()
        pruned, boundary = self._boundary(self._first_row())
        start = self._start(pruned, boundary, since)
        covered = sealed.sound[-1].size if sealed.sound else 0
        erased = self._guarded(lambda: erased_on_record(db), Spans([]))
        walk = RowWalk(db, start, self._stops(start.size), erased=erased, covered=max(covered, start.size))
        walk.run()
        self._problems += walk.problems
        self._guarded(lambda: self._check_beside(walk, start, boundary, covered, pruned), None)
        damaged = indexes.problem()
        if damaged is not None:
            self._problems.append(damaged)
        if walk.size > covered:
            self._notes.append(f"no checkpoint covers the last {walk.size - covered} events yet")
        if not any(one.statements for one in self._evidence):
            self._notes.append("no anchor was compared: a cut at the end, and of all that speaks of it, goes unseen")
        return self._finish(walk, start, pruned, covered, self._unconfirmed(), self._prove(proof))

    def _guarded(self, call: Callable[[], T], otherwise: T) -> T:
        """What ``call`` gives; where the file is too damaged for it, that is a problem like others."""
        try:
            return call()
        except (apsw.Error, UnicodeDecodeError) as error:
            self._problems.append(Problem(None, f"the file is damaged: {error}"))
            return otherwise

    def _check_beside(self, walk: RowWalk, start: Base, boundary: Checkpoint | None, covered: int, pruned: int) -> None:
        """What stands beside the rows: the record of pruning, nodes, keys."""
        if boundary is not None and not boundary_recorded(self._db, boundary):
            # Where rows do not hold, the record may be one of them.
            text = f"rows 1 to {pruned} are missing and no event records that they were pruned"
            self._problems.append(Problem(None if walk.problems else 1, text))
        self._check_keys()
        if start.size == pruned:
            self._check_prefix(boundary, pruned)
            self._check_node_count(covered, pruned)

    def _read_sealed(self) -> Sealed:
        sealed = self._guarded(lambda: read_sealed(self._db, self._journal_id), Sealed([], [], []))
        self._problems += sealed.problems
        for one in self._evidence:
            self._problems += one.problems
        return sealed

    def _first_row(self) -> int:
        try:
            return int(self._db.execute("SELECT min(seq) FROM events").get or 1)
        except apsw.Error:
            return 1  # the walk meets the same error and names it

    def _boundary(self, first: int) -> tuple[int, Checkpoint | None]:
        """How many rows were pruned, and the checkpoint that stands for them; 0 and None if there is none."""
        if first <= 1:
            return 0, None
        for checkpoint in self._sealed.sound:
            if checkpoint.size == first - 1:
                return first - 1, checkpoint
        return 0, None

    def _start(self, pruned: int, boundary: Checkpoint | None, since: int | None) -> Base:
        best = boundary
        if since is not None:
            for checkpoint in self._sealed.sound:
                if pruned <= checkpoint.size < since:
                    best = checkpoint
        if best is None:
            return Base(0, [], chain.genesis(self._journal_id))
        return Base(best.size, best.peak_list(), best.link)

    def _stops(self, after: int) -> list[Stop]:
        stops = [stop for stop in self._noted if stop.size > after]
        stops += [
            Stop(each.size, each.root, each.link, f"the signed checkpoint of {each.size} rows")
            for each in self._sealed.sound
            if each.size > after
        ]
        for one in self._evidence:
            stops += [
                Stop(each.size, each.root, each.link, f"the anchor {one.where}")
                for each in one.statements
                if each.size > after
            ]
        return sorted(stops, key=lambda stop: stop.size)

    def _check_prefix(self, boundary: Checkpoint | None, pruned: int) -> None:
        known = {each.size: each for each in self._sealed.sound}
        for one in self._evidence:
            for each in one.statements:
                own = known.get(each.size)
                if each.size <= pruned and own is not None and (own.root, own.link) != (each.root, each.link):
                    self._problems.append(
                        Problem(1, f"the first {each.size} rows were others: the anchor {one.where} says otherwise")
                    )
        if boundary is not None:
            older = [each for each in self._sealed.sound if each.size < pruned]
            self._problems += prefix_problems(self._db, boundary, older)

    def _check_node_count(self, covered: int, pruned: int) -> None:
        if self._db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'tree_nodes'").get:
            older = [each for each in self._sealed.sound if each.size < pruned]
            self._problems += node_count_problems(self._db, covered, pruned, older)

    def _check_keys(self) -> None:
        named = set(self._sealed.keys)
        for one in self._evidence:
            if one.keys - named:
                self._problems.append(
                    Problem(None, f"a checkpoint in {one.where} is signed by a key that the journal does not name")
                )
        if len(named) > 1:
            self._notes.append(f"the journal's key was replaced {len(named) - 1} times")

    def _unconfirmed(self) -> tuple[dict[str, Any], ...]:
        try:
            rows = self._db.execute(
                "SELECT early.event_id, early.origin, early.seq, events.event_type, events.source FROM early"
                " LEFT JOIN events ON events.seq = early.seq ORDER BY early.seq"
            ).fetchall()
        except (apsw.Error, UnicodeDecodeError):
            return ()  # a journal of a time before this table; damage is found by the check of the indexes
        names = ("event_id", "origin", "seq", "event_type", "source")
        return tuple(dict(zip(names, row, strict=True)) for row in rows)

    def _prove(self, event_id: str | None) -> dict[str, Any] | None:
        if event_id is None:
            return None
        try:
            return proof_in(self._db, self._journal_id, event_id)
        except NotFound:
            raise
        except (ReactorError, apsw.Error) as error:
            self._problems.append(Problem(None, f"event {event_id} cannot be proved: {error}"))
            return None

    def _finish(
        self,
        walk: RowWalk,
        start: Base,
        pruned: int,
        covered: int,
        unconfirmed: tuple[dict[str, Any], ...],
        proof: dict[str, Any] | None,
    ) -> AuditReport:
        # What concerns rows comes first, the earliest row before the others.
        problems = sorted(self._problems, key=lambda each: (each.seq is None, each.seq or 0))
        compared = {each.size for each in self._sealed.sound if each.size <= pruned}
        anchors = tuple(
            AnchorReport(
                one.where,
                len(one.statements),
                one.statements[-1].size if one.statements else 0,
                sum(start.size < each.size <= walk.size or each.size in compared for each in one.statements),
            )
            for one in self._evidence
        )
        good = f"{walk.size} events, every link holds; {len(self._sealed.sound)} checkpoints cover {covered} of them"
        return AuditReport(
            ok=not problems,
            events=walk.size,
            head=walk.link.hex(),
            root=walk.root().hex(),
            first_bad=problems[0].seq if problems else None,
            detail=problems[0].text if problems else good,
            problems=tuple(each.text for each in problems[:_MOST_PROBLEMS]),
            verified_from=start.size + 1,
            pruned=pruned,
            erased=walk.erased,
            checkpoints=len(self._sealed.sound),
            sealed=covered,
            keys=tuple(str(key) for key in self._sealed.keys),
            anchors=anchors,
            unconfirmed=unconfirmed,
            notes=tuple(self._notes),
            proof=proof,
        )
