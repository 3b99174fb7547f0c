"""Sealing: signed checkpoints over the journal's rows, written in the transactions that write the rows.

A checkpoint is due with each 1,024 rows, with each row of lane 1, and one second after the first row that none
covers. Until then a row costs nothing but the memory of its leaf; the tree is carried forward when a checkpoint is
signed. Rows that other processes wrote meanwhile are read back, and their links checked, before they are signed for.

A fault of sealing itself (no key, a damaged checkpoint, a row that does not match) never stops an event from being
stored. It is logged once, shown by :meth:`Sealer.metrics`, tried again each minute, and found by verification.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import apsw

from reactor_core.errors import ReactorError
from reactor_core.events import chain, checkpoints, nodes, tree
from reactor_core.events.checkpoints import Checkpoint
from reactor_core.events.event import to_micros
from reactor_core.events.keys import audit_signer, known_keys, remember
from reactor_core.events.leaves import read_leaves
from reactor_core.events.metrics import Sample
from reactor_core.events.note import NoteError, Signer, Statement, Verifier, checkpoint_text
from reactor_core.events.rows import Head
from reactor_core.utils.clock import Clock, SystemClock
from reactor_core.utils.failpoints import reach

__all__ = ["EVERY_ROWS", "EVERY_SECONDS", "Sealer"]

EVERY_ROWS = 1024
"""Rows after which a checkpoint is signed."""
EVERY_SECONDS = 1.0
"""Longest time that a row waits for a checkpoint while its process runs."""
RETRY_SECONDS = 60.0
"""How long after a fault of its own sealing is tried again."""

_AT_ONCE = 16_384
"""About as many rows as one checkpoint takes in: an old journal without any must not delay a commit for long."""
_HELD = 65_536
"""Rows whose leaves are held in memory at most."""

_log = logging.getLogger(__name__)


class _Run(NamedTuple):
    """Leaves of neighbouring rows that this process wrote: rows ``start + 1`` to ``end``, and the last one's link."""

    start: int
    end: int
    leaves: Sequence[bytes]
    link: bytes


class _Tree(NamedTuple):
    """The tree over the first ``size`` rows."""

    size: int
    peaks: list[bytes]
    link: bytes


class Sealer:
    """Signs checkpoints for one process. All methods run on the thread that writes to the journal.

    Args:
        workspace: Where the key lies.
        journal_id: The journal's id.
        offer: Called with each checkpoint after its commit, its key, and whether it covers a row of lane 1, which
            should be anchored at once.
        clock: Time.
    """

    def __init__(
        self,
        workspace: Path,
        journal_id: str,
        *,
        offer: Callable[[Checkpoint, Verifier, bool], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._workspace = workspace
        self._journal_id = journal_id
        self._offer = offer
        self._clock = clock or SystemClock()
        self._signer: Signer | None = None
        self._remembered = False
        self._tree = _Tree(0, [], chain.genesis(journal_id))  # at the newest checkpoint that this process knows
        self._runs: deque[_Run] = deque()  # behind it
        self._waiting_since: float | None = None  # first row of this process that no checkpoint covers
        # What the transaction under way adds; its commit makes it true.
        self._new_runs: list[_Run] = []
        self._new_tree: _Tree | None = None
        self._signed: Checkpoint | None = None
        self._urgent = False
        self._trying = False
        self._fault = ""
        self._fault_until = 0.0
        self._faults = 0
        self._made = 0
        self._made_at: float | None = None
        self._head = 0

    def rows(self, db: apsw.Connection, head: Head, leaves: Sequence[bytes], *, urgent: bool) -> None:
        """Take note of new rows, inside their transaction, and sign a checkpoint if one is due.

        Args:
            head: The last of them.
            leaves: Their leaf hashes, in order.
            urgent: One of them is of lane 1.

        Raises:
            apsw.Error: The shared transaction failed.
        """
        if not leaves:
            return
        self._new_runs.append(_Run(head.seq - len(leaves), head.seq, leaves, head.link))
        since = self._waiting_since
        overdue = since is not None and self._clock.monotonic() - since >= EVERY_SECONDS
        if urgent or overdue or head.seq - self._tree.size >= EVERY_ROWS:
            self._seal(db, head, urgent=urgent, overdue=overdue)

    def deadline(self) -> float | None:
        """The monotonic moment at which :meth:`tail` is due; None while every row of this process is covered."""
        since = self._waiting_since
        return None if since is None else max(since + EVERY_SECONDS, self._fault_until)

    def tail(self, db: apsw.Connection, head: Head) -> None:
        """Sign a checkpoint over all rows, in a transaction of its own.

        Raises:
            apsw.Error: The transaction failed.
        """
        self._trying = True
        self._seal(db, head, urgent=False, overdue=True)

    def committed(self) -> None:
        """The transaction is on disk."""
        if self._new_runs:
            self._runs.extend(self._new_runs)
            self._head = self._new_runs[-1].end
            if self._waiting_since is None:
                self._waiting_since = self._clock.monotonic()
        if self._new_tree is not None:
            self._tree = self._new_tree
            while self._runs and self._runs[0].start < self._tree.size:
                self._runs.popleft()
            if self._tree.size >= self._head:
                self._waiting_since = None
        if self._head - self._tree.size > _HELD:
            self._runs.clear()  # signing fails or lags; the rows are read back when it goes on
        signed, urgent = self._signed, self._urgent
        self._trying = False
        self.rolled_back()
        if signed is not None:
            self._remembered = True
            self._made += 1
            self._made_at = self._clock.monotonic()
            if self._offer is not None and self._signer is not None:
                self._offer(signed, self._signer.verifier, urgent)

    def rolled_back(self) -> None:
        """The transaction was undone."""
        if self._trying:  # the disk is full, say: the deadline must not come back at once
            self._trying = False
            self._fault_until = self._clock.monotonic() + EVERY_SECONDS
        self._new_runs = []
        self._new_tree = self._signed = None
        self._urgent = False

    def metrics(self) -> list[Sample]:
        """Figures of this process; any thread."""
        size, made_at = self._tree.size, self._made_at
        age = 0.0 if made_at is None else self._clock.monotonic() - made_at
        waiting = max(0, self._head - size)
        return [
            Sample("reactor_checkpoints", "counter", "Checkpoints signed by this process.", self._made),
            Sample("reactor_checkpoint_size", "gauge", "Rows covered by the newest known checkpoint.", size),
            Sample("reactor_checkpoint_age_seconds", "gauge", "Time since this process signed one.", age),
            Sample("reactor_checkpoint_waiting", "gauge", "Rows behind the newest known checkpoint.", waiting),
            Sample("reactor_checkpoint_faults", "counter", "Checkpoints that could not be signed.", self._faults),
        ]

    def fault(self) -> str:
        """Why the last checkpoint could not be signed; empty if it was."""
        return self._fault

    def _seal(self, db: apsw.Connection, head: Head, *, urgent: bool, overdue: bool) -> None:
        now = self._clock.monotonic()
        if now < self._fault_until:
            return
        try:
            self._sign(db, head, urgent=urgent, overdue=overdue)
        except ReactorError as error:
            self._faults += 1
            self._fault_until = now + RETRY_SECONDS
            if str(error) != self._fault:
                _log.error("journal %s: rows after %d are not sealed: %s", self._journal_id, self._tree.size, error)
            self._fault = str(error)
        else:
            self._fault = ""

    def _sign(self, db: apsw.Connection, head: Head, *, urgent: bool, overdue: bool) -> None:
        if self._signer is None:
            self._signer = audit_signer(self._workspace, self._journal_id)
        base = self._new_tree = self._known(db, self._signer)
        if base.size >= head.seq or not (urgent or overdue or head.seq - base.size >= EVERY_ROWS):
            return  # another process signed meanwhile
        leaves, size, link = self._gather(db, base, head)
        if not self._remembered:
            remember(db, self._signer.verifier)
        peaks = tree.extend(base.peaks, base.size, leaves, keep=nodes.store(db))
        statement = Statement(self._journal_id, size, tree.root(peaks), link, to_micros(self._clock.utc_now()))
        note = self._signer.sign(checkpoint_text(statement))
        signed = Checkpoint(size, statement.made_us, statement.root, link, b"".join(peaks), note)
        checkpoints.insert(db, signed)
        if self._made % checkpoints.KEEP == checkpoints.KEEP - 1:
            checkpoints.thin(db)
        reach("checkpoint.signed")
        self._new_tree, self._signed, self._urgent = _Tree(size, peaks, link), signed, urgent

    def _known(self, db: apsw.Connection, signer: Signer) -> _Tree:
        """The tree at the newest checkpoint of any process that holds together."""
        newest = trial = checkpoints.newest(db)
        if newest is not None and (newest.size, newest.link) == (self._tree.size, self._tree.link):
            return self._tree
        keys = [signer.verifier]
        with contextlib.suppress(NoteError):  # our own key is the one that matters
            keys.extend(known_keys(db))
        while trial is not None:
            try:
                checkpoints.check(trial, self._journal_id, keys)
            except NoteError as error:
                _log.error("journal %s: checkpoint of %d rows: %s", self._journal_id, trial.size, error)
                trial = checkpoints.at_most(db, trial.size - 1)
            else:
                return _Tree(trial.size, trial.peak_list(), trial.link)
        return _Tree(0, [], chain.genesis(self._journal_id))

    def _gather(self, db: apsw.Connection, base: _Tree, head: Head) -> tuple[list[bytes], int, bytes]:
        """Leaves of the rows behind ``base``: about :data:`_AT_ONCE` at most, the last row's position and its link."""
        end = min(head.seq, base.size + _AT_ONCE)
        answer: list[bytes] = []
        at, link = base.size, base.link
        for run in (*self._runs, *self._new_runs, _Run(head.seq, head.seq, (), head.link)):
            if run.start > at:
                for leaf in read_leaves(db, at + 1, min(run.start, end), after=link):
                    answer.append(leaf.hash)
                    at, link = leaf.seq, leaf.link
            if at >= end:
                break
            if run.start == at:
                answer.extend(run.leaves)
                at, link = run.end, run.link
        return answer, at, link
