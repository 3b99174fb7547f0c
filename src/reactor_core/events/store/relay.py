"""Copies the journal into a Postgres while the bridge runs.

Unlike the other relays it sends every row, those that came from elsewhere too, in the one order of the journal: the
copy is for queries over many hosts, and for the proof where a host's disk is gone. How far it has come is written in
the database, in the transaction that brings the rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from reactor_core.cloud.postgres import Postgres
from reactor_core.events.bus import Bus
from reactor_core.events.journal import Journal
from reactor_core.events.store.copier import Copier
from reactor_core.events.transports.backoff import full_jitter
from reactor_core.events.transports.batch import LANES
from reactor_core.events.transports.relay import Relay

__all__ = ["PostgresRelay"]

T = TypeVar("T")


class PostgresRelay(Relay):
    """Keeps one connection to a Postgres. A workspace that is new to it begins with its first event.

    Args:
        url: ``postgresql://user:password@host:port/database``.
        cloud_sql_instance: ``project:region:name``; None connects to the address.

    Raises:
        ConfigError: The address cannot be used.
        MissingExtra: ``cloud_sql_instance`` is given and Google's connector is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        cloud_sql_instance: str | None = None,
        journal: Journal,
        bus: Bus,
        source: str,
        workspace: Path,
        backoff: Callable[[], Iterator[float]] = full_jitter,
    ) -> None:
        self._connect = partial(Postgres, url, cloud_sql_instance=cloud_sql_instance)
        postgres = self._connect()  # so that an address that cannot be used is said here; it opens no connection
        postgres.close()
        super().__init__(postgres.name, journal=journal, bus=bus, source=source, workspace=workspace, backoff=backoff)
        self.not_from = ()

    async def session(self) -> None:
        worker = _Worker()
        postgres = self._connect()
        try:
            copier = await worker.run(lambda: Copier(self._journal.path, self._journal.journal_id, postgres))
            worker.at_end(copier.close)
            self.connected()
            self.confirmed_to(dict.fromkeys(LANES, copier.position))
            while True:
                self.bell.clear()
                copied = await worker.run(copier.step)
                if copied.lost is not None and copied.lost[0] > 1:
                    lost_from, lost_to = copied.lost
                    reason = "the journal was compacted before these events were copied"
                    await self.gap(reason, lost_from=lost_from, lost_to=lost_to)
                self.confirmed_to(dict.fromkeys(LANES, copied.position), copied.rows)
                if copied.rows == 0:
                    await self.bell.wait()
        finally:
            worker.at_end(postgres.close)
            worker.end()

    async def skip_pruned(self) -> None:
        """Nothing to do: the database knows what it has, the cursor may lag behind it."""

    def _load(self) -> dict[int, int]:
        """The cursors as kept on disk, where a compaction of the journal looks for them."""
        kept = self._journal.cursor(self.name)
        if kept is None:
            kept = msgspec.json.encode({str(lane): 0 for lane in LANES}).decode()
            self._journal.set_cursor(self.name, kept).result()
        return {int(lane): seq for lane, seq in msgspec.json.decode(kept).items()}


class _Worker:
    """A thread for calls that wait for the network. It keeps no process alive whose server does not answer."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._last: list[Callable[[], None]] = []
        threading.Thread(target=self._run, name="reactor-store", daemon=True).start()

    async def run(self, call: Callable[[], T]) -> T:
        """Run ``call`` on the thread."""
        future: Future[T] = Future()

        def answer() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(call())
            except Exception as error:  # noqa: BLE001  it is raised where it is awaited
                future.set_exception(error)

        self._calls.put(answer)
        return await asyncio.wrap_future(future)

    def at_end(self, call: Callable[[], None]) -> None:
        """Run ``call`` when the thread ends."""
        self._last.append(call)

    def end(self) -> None:
        """End the thread after the call that it is in."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
        for last in self._last:
            with contextlib.suppress(Exception):  # a connection that is broken already
                last()
