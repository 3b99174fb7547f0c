"""Handing checkpoints to anchors, each on a thread of its own, so that a slow or dead one delays nobody."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reactor_core.errors import ConfigError, ReactorError
from reactor_core.events.anchors.file import FileAnchor
from reactor_core.events.anchors.sink import Record, Sink
from reactor_core.events.checkpoints import Checkpoint
from reactor_core.events.metrics import Sample
from reactor_core.events.note import Verifier
from reactor_core.utils.settings import Settings

__all__ = ["AnchorStatus", "Anchors", "anchor_at", "default_anchor"]

_CLOSE_SECONDS = 5.0
_LONGEST_PAUSE = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnchorStatus:
    """How one anchor does.

    Args:
        where: The place.
        size: Rows that its newest checkpoint of this process covers; 0 before the first.
        failures: Attempts that failed.
        error: Why the last one failed; empty if it did not.
    """

    where: str
    size: int
    failures: int
    error: str


class _Keeper:
    """One anchor and its thread, which starts with the first checkpoint."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._wake = threading.Condition()
        self._newest: Record | None = None
        self._kept: Record | None = None
        self._urgent = False
        self._not_before = 0.0  # the sink's own pace
        self._retry_at = 0.0
        self._closing = False
        self._last_try = False
        self._failures = 0
        self._in_a_row = 0
        self._error = ""
        self._thread: threading.Thread | None = None

    def offer(self, record: Record, urgent: bool) -> None:
        with self._wake:
            if self._closing:
                return
            self._newest = record
            self._urgent = self._urgent or urgent
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="reactor-anchor", daemon=True)
                self._thread.start()
            self._wake.notify()

    def status(self) -> AnchorStatus:
        with self._wake:
            return AnchorStatus(
                self._sink.where, 0 if self._kept is None else self._kept.size, self._failures, self._error
            )

    def end(self) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify()

    def join(self, seconds: float) -> None:
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while (record := self._next()) is not None:
            try:
                self._sink.write(record)
            except ReactorError as error:
                self._failed(error)
            else:
                self._succeeded(record)
        self._sink.close()

    def _next(self) -> Record | None:
        """The newest checkpoint when it may be written; None to end. The last one is tried once more at the end."""
        with self._wake:
            while True:
                waits = self._newest is not self._kept
                if self._closing:
                    waits, self._last_try = waits and not self._last_try, True
                    return self._newest if waits else None
                due = self._retry_at if self._urgent else max(self._retry_at, self._not_before)
                pause = due - time.monotonic()
                if waits and pause <= 0:
                    self._urgent = False
                    return self._newest
                self._wake.wait(pause if waits else None)

    def _failed(self, error: ReactorError) -> None:
        with self._wake:
            self._failures += 1
            self._retry_at = time.monotonic() + min(2.0**self._in_a_row, _LONGEST_PAUSE)
            self._in_a_row += 1
            first, self._error = not self._error, str(error)
        if first:
            _log.warning("checkpoints are not anchored: %s", error)

    def _succeeded(self, record: Record) -> None:
        with self._wake:
            self._kept = record
            self._not_before = time.monotonic() + self._sink.every
            again, self._error, self._in_a_row = self._error, "", 0
        if again:
            _log.warning("checkpoints are anchored again at %s", self._sink.where)


class Anchors:
    """All anchors of a journal.

    Args:
        sinks: The places; each gets the newest checkpoint, at its own pace, those of lane 1 at once.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._keepers = [_Keeper(sink) for sink in sinks]

    @classmethod
    def of(cls, journal_id: str, settings: Settings) -> Anchors:
        """The anchors that the settings name, the default one first.

        Raises:
            ConfigError: An entry of ``AUDIT_ANCHORS`` is no place.
        """
        more = [anchor_at(place, journal_id) for place in settings.audit_anchors]
        return cls([default_anchor(journal_id, settings), *more])

    def offer(self, checkpoint: Checkpoint, key: Verifier, urgent: bool) -> None:
        """Anchor a checkpoint soon; returns at once."""
        record = Record(str(key), checkpoint.note, checkpoint.size)
        for keeper in self._keepers:
            keeper.offer(record, urgent)

    def status(self) -> list[AnchorStatus]:
        """How each of them does."""
        return [keeper.status() for keeper in self._keepers]

    def metrics(self) -> list[Sample]:
        """Figures of each of them."""
        answer = []
        for status in self.status():
            labels = {"anchor": status.where}
            up = 0.0 if status.error else 1.0
            answer += [
                Sample("reactor_anchor_size", "gauge", "Rows covered by the anchored checkpoint.", status.size, labels),
                Sample("reactor_anchor_up", "gauge", "1 unless the last attempt failed.", up, labels),
                Sample("reactor_anchor_failures", "counter", "Attempts that failed.", status.failures, labels),
            ]
        return answer

    def close(self) -> None:
        """Try to write what waits, for a few seconds at most."""
        end = time.monotonic() + _CLOSE_SECONDS
        for keeper in self._keepers:
            keeper.end()
        for keeper in self._keepers:
            keeper.join(max(0.0, end - time.monotonic()))


def default_anchor(journal_id: str, settings: Settings) -> FileAnchor:
    """The file that gets every journal's checkpoints unless the settings name another."""
    path = settings.audit_anchor_path or settings.state_dir / "anchors" / f"{journal_id}.checkpoints"
    return FileAnchor(path)


def anchor_at(place: str, journal_id: str) -> Sink:
    """The anchor that a text names: a path (of a file, or of a folder), ``redis://...`` or ``gs://bucket/prefix``.

    Raises:
        ConfigError: It is no place that an anchor can be at.
    """
    scheme, separator, _ = place.partition("://")
    if scheme in {"redis", "rediss", "unix"} and separator:
        from reactor_core.events.anchors.redis import RedisAnchor  # 80 ms that most processes need not spend

        return RedisAnchor(place, journal_id)
    if scheme == "gs" and separator:
        from reactor_core.events.anchors.gcs import GcsAnchor

        return GcsAnchor(place, journal_id)
    if separator:
        raise ConfigError(f"anchor {place!r} is no place for checkpoints", remedy="use a path, redis:// or gs://")
    path = Path(place).expanduser()
    return FileAnchor(path / f"{journal_id}.checkpoints" if path.is_dir() or place.endswith("/") else path)
