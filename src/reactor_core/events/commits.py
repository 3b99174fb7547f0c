"""Figures about this process's commits."""

from __future__ import annotations

from collections.abc import Mapping

from reactor_core.events.metrics import COUNT_BUCKETS, SECONDS_BUCKETS, Histogram, Sample

__all__ = ["CommitFigures"]


class CommitFigures:
    """Counts of one writer. Its thread counts, any thread reads."""

    def __init__(self) -> None:
        self.failed = 0
        self._commits = 0
        self._rows = 0
        self._duplicates = 0
        self._sizes = Histogram(COUNT_BUCKETS)
        self._seconds = Histogram(SECONDS_BUCKETS)

    def committed(self, rows: int, duplicates: int, seconds: float) -> None:
        """A transaction is on disk.

        Args:
            rows: Events that it stored.
            duplicates: Events that were found to be there before.
            seconds: How long the COMMIT took, with its fsync.
        """
        self._commits += 1
        self._rows += rows
        self._duplicates += duplicates
        self._sizes.observe(rows)
        self._seconds.observe(seconds)

    def samples(self, waiting: Mapping[bool, tuple[int, float]]) -> list[Sample]:
        """All figures.

        Args:
            waiting: See :meth:`Intake.waiting`.
        """
        answer = [
            Sample("reactor_journal_commits", "counter", "Transactions of this process.", self._commits),
            Sample("reactor_journal_rows", "counter", "Events stored by this process.", self._rows),
            Sample("reactor_journal_duplicates", "counter", "Events that were there before.", self._duplicates),
            Sample("reactor_journal_failed", "counter", "Transactions that could not be stored.", self.failed),
            Sample("reactor_journal_commit_rows", "histogram", "Events in one transaction.", self._sizes),
            Sample("reactor_journal_commit_seconds", "histogram", "One commit with its fsync.", self._seconds),
        ]
        for urgent, (count, age) in waiting.items():
            lane = {"lane": "1" if urgent else "2-4"}
            answer.append(Sample("reactor_journal_waiting", "gauge", "Entries that wait to be stored.", count, lane))
            answer.append(
                Sample("reactor_journal_oldest_waiting_seconds", "gauge", "Age of the oldest of them.", age, lane)
            )
        return answer
