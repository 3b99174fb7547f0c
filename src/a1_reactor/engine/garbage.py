"""Deleting what nobody wants any more, and never what somebody keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from a1_reactor.engine.takes import TakeBook
from a1_reactor.storage.answers import AnswerStore
from a1_reactor.storage.gc import GcReport, collect
from a1_reactor.storage.sources import SourceStore, source_of

__all__ = ["UNFINISHED", "Garbage", "collect_garbage"]

UNFINISHED = timedelta(days=7)
"""How long what a provider has answered waits for somebody who goes on with the clip."""


@dataclass(frozen=True, slots=True)
class Garbage:
    """What was deleted, or would be."""

    clips: GcReport
    sources: tuple[str, ...]
    """Hashes of files that clips were imported from."""
    answers: tuple[str, ...]
    """Keys of clips that were never finished, or are finished by now, whose providers' answers were still kept."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**self.clips.to_json(), "sources": list(self.sources), "answers": list(self.answers)}


def collect_garbage(
    book: TakeBook,
    *,
    undecided_before: datetime | None = None,
    unfinished_before: datetime | None = None,
    dry_run: bool = False,
) -> Garbage:
    """Delete disposable clips, frames and segments that no clip needs, and files that none was imported from.

    With them go the answers of providers for clips that are finished, and for clips that nobody goes on with.

    Args:
        undecided_before: As ``TakeBook.disposable``.
        unfinished_before: A clip whose provider has answered nothing since then is given up; None: a week ago.
        dry_run: Report what would go, and delete nothing.

    Raises:
        ArtifactCorrupt: The choices cannot be read, so what must stay is not known.
        StorageError: Something cannot be deleted.
    """
    # Nobody keeps a take while it is being deleted: choosing waits for the log.
    with book.log.writing():
        report = collect(book.store, keep=_AllBut(book, undecided_before), dry_run=dry_run)
    # By the records alone: a clip that is damaged otherwise can be made again from its file.
    needed = {sha256 for job in book.jobs() if job.hash[:16] not in report.clips and (sha256 := source_of(job))}
    sources = SourceStore(book.store.workspace).sweep(needed, dry_run=dry_run)
    store = book.store
    answers = AnswerStore(store.workspace / "answers").sweep(
        store.lock,
        finished=lambda key: (store.cache / key / "job.json").is_file(),
        before=unfinished_before or book.clock.utc_now() - UNFINISHED,
        dry_run=dry_run,
    )
    return Garbage(report, tuple(sources), tuple(answers))


class _AllBut(Collection[str]):
    """The clips that stay. They are looked up when they are asked for, which is when no clip can come or go."""

    def __init__(self, book: TakeBook, undecided_before: datetime | None) -> None:
        self._book, self._before = book, undecided_before

    def _keys(self) -> set[str]:
        return set(self._book.store.clip_keys()) - self._book.disposable(undecided_before=self._before)

    def __contains__(self, key: object) -> bool:
        return key in self._keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys())

    def __len__(self) -> int:
        return len(self._keys())
