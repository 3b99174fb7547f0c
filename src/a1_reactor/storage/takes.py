"""``takes.jsonl``: the choices of a workspace of clips, one event a line, durable before a command ends.

The file comes first and the journal of Reactor second, because clips can be moved or copied without it. What the
journal has not seen is appended to it at the next occasion, under the same id, so it is there once however often that
is tried.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from a1_reactor.storage.choices import TakeState
from reactor_core.errors import ArtifactCorrupt, ConfigError, StorageError
from reactor_core.events.drafts import Draft
from reactor_core.events.event import Event
from reactor_core.events.journal import Journal
from reactor_core.utils.files import fsync_dir, storage_errors

__all__ = ["TakeLog"]

_BATCH = 512


class TakeLog:
    """The choices of one workspace; any number of processes may write at once.

    Args:
        workspace: Folder of the clips.
    """

    def __init__(self, workspace: Path) -> None:
        self.path = workspace / "takes.jsonl"
        self._lock = FileLock(workspace / "locks" / "takes.lock")

    @contextmanager
    def writing(self) -> Iterator[list[Event]]:
        """Hold the log and see all of it, so that what is appended fits to what is there. May be entered again inside.

        Raises:
            ArtifactCorrupt: A line cannot be read.
            StorageError: The lock cannot be taken.
        """
        with storage_errors(self.path):
            Path(self._lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        try:
            yield self.events()
        finally:
            self._lock.release()

    def append(self, event: Event) -> None:
        """Write a choice; it is on disk when this returns.

        Raises:
            StorageFull: No space is left; the log is as it was.
            StorageError: The file cannot be written.
        """
        line = event.to_json() + b"\n"
        with self.writing(), storage_errors(self.path):
            new = not self.path.exists()
            with self.path.open("ab") as stream:
                whole = self._whole_bytes()
                # A process that was killed in the middle of a line left a part of it; nobody was told that it holds.
                stream.truncate(whole)
                try:
                    stream.write(line)
                    stream.flush()
                    os.fsync(stream.fileno())
                except OSError:
                    # With the lock held nobody else has written since; what is left of the line must not be completed.
                    os.truncate(self.path, whole)
                    raise
            if new:
                fsync_dir(self.path.parent)

    def events(self) -> list[Event]:
        """All choices, oldest first.

        Raises:
            ArtifactCorrupt: A line cannot be read.
        """
        data = self._read()
        events = []
        for number, line in enumerate(data[: data.rfind(b"\n") + 1].splitlines(), start=1):
            try:
                events.append(Event.from_json(line))
            except ConfigError as error:
                raise ArtifactCorrupt(
                    f"{self.path} line {number} is no choice: {error.message}",
                    remedy="take the line out; the journal still has the choices that were sent",
                ) from error
        return events

    def state(self) -> TakeState:
        """What follows from all choices.

        Raises:
            ArtifactCorrupt: A line cannot be read.
        """
        return TakeState.of(self.events())

    def roots(self) -> frozenset[str]:
        """Keys of clips that garbage collection must leave: kept ones, and heads of branches, former ones too.

        Raises:
            ArtifactCorrupt: A line cannot be read, so what must be left is not known.
        """
        return self.state().roots

    def publish(self, journal: Journal) -> int:
        """Append to a journal what it has not seen; returns how many choices that were.

        Raises:
            ArtifactCorrupt: A line cannot be read.
            JournalError: The journal did not store them; the next call tries again.
        """
        with self.writing() as events:
            if not events:
                return 0
            # Named after the first choice: another workspace of clips has another, and a new journal knows neither.
            cursor = f"a1_reactor.takes/{events[0].event_id}"
            last = journal.cursor(cursor)
            known = [event.event_id for event in events]
            sent = known.index(last) + 1 if last in known else 0
            for begin in range(sent, len(events), _BATCH):
                batch = events[begin : begin + _BATCH]
                for outcome in journal.append_many(Draft(event) for event in batch).result():
                    if isinstance(outcome, Exception):
                        raise outcome
                journal.set_cursor(cursor, batch[-1].event_id).result()
        return len(events) - sent

    def _read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise StorageError(f"cannot read {self.path}: {error.strerror}") from error

    def _whole_bytes(self) -> int:
        """Length of the file up to the end of its last complete line."""
        return self._read().rfind(b"\n") + 1
