from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reactor_core.cloud import Postgres
from reactor_core.events import Journal
from reactor_core.events.store import Copier, JournalStore, PostgresStore


def copy(journal: Journal, postgres: Postgres) -> int:
    """Copy all that waits; returns the number of rows."""
    copier = Copier(journal.path, journal.journal_id, postgres)
    rows = 0
    while step := copier.step().rows:
        rows += step
    copier.close()
    return rows


@pytest.fixture
def server(database: str) -> Iterator[Postgres]:
    """A connection to a fresh database."""
    server = Postgres(database)
    yield server
    server.close()


@pytest.fixture
def copied() -> Callable[[Journal, Postgres], int]:
    return copy


@pytest.fixture
def second_journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "second" / "reactor.db") as journal:
        yield journal


@pytest.fixture(params=["journal", "postgres"])
def stored(request: pytest.FixtureRequest, journal: Journal) -> Iterator[Callable[[], JournalStore | PostgresStore]]:
    """Gives a store with all that the journal holds at the moment of the call: the journal's own, or a Postgres."""
    opened: list[JournalStore | PostgresStore] = []
    postgres = Postgres(request.getfixturevalue("database")) if request.param == "postgres" else None

    def give() -> JournalStore | PostgresStore:
        if postgres is None:
            opened.append(JournalStore(journal.path))
        else:
            copy(journal, postgres)
            opened.append(PostgresStore(postgres))
        return opened[-1]

    yield give
    for store in opened:
        store.close()
