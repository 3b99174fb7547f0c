"""What a transaction stores, what it finds instead, and what it tells the sealer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from reactor_core.errors import ConfigError
from reactor_core.events import Event, new_event
from reactor_core.events.audit import chain_report
from reactor_core.events.chain import genesis, link
from reactor_core.events.drafts import Append, read_draft
from reactor_core.events.rows import Head
from reactor_core.events.schema import connect, migrate
from reactor_core.events.storing import Store


class Recorder:
    """A sealer that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Head, list[bytes], bool]] = []

    def rows(self, db: apsw.Connection, head: Head, leaves: list[bytes], *, urgent: bool) -> None:
        assert db.execute("SELECT max(seq) FROM events").get == head.seq
        self.told.append((head, list(leaves), urgent))

    def deadline(self) -> float | None:
        return None

    def tail(self, db: apsw.Connection, head: Head) -> None: ...

    def committed(self) -> None: ...

    def rolled_back(self) -> None: ...


class Bench:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = connect(path)
        self.journal_id = migrate(self.db, path)
        self.sealer = Recorder()
        self.store = Store(self.db, self.journal_id, self.sealer)

    def commit(self, *items: Append) -> list:
        self.db.execute("BEGIN IMMEDIATE")
        outcomes = self.store.add(items)
        self.db.execute("COMMIT")
        self.fresh = self.store.committed()
        return outcomes

    def early(self) -> list[tuple[str, str, int]]:
        return self.db.execute("SELECT event_id, origin, seq FROM early").fetchall()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "reactor.db")
    yield bench
    bench.db.close()


def made(number: int = 0, *, priority: int = 3, key: str | None = None) -> Append:
    event, payload = new_event("user", "feedback", {"n": number}, priority=priority)
    return read_draft(event, payload, "", key)


def brought(event: Event, origin: str = "hub", **options: bool) -> Append:
    return read_draft(event, None, origin, None, **options)


def test_the_sealer_is_told_of_the_leaves_that_make_the_links(bench):
    bench.commit(made(0), made(1))
    bench.commit(made(2, priority=1))
    (first, leaves, urgent), (second, more, then_urgent) = bench.sealer.told
    here = genesis(bench.journal_id)
    for leaf in leaves:
        here = link(here, leaf)
    assert first == Head(2, here)
    assert second == Head(3, link(here, more[0]))
    assert (urgent, then_urgent) == (False, True)
    assert chain_report(bench.path).ok


def test_a_batch_without_new_rows_tells_nobody(bench):
    event, _ = new_event("scout", "feedback", {})
    bench.commit(brought(event))
    assert len(bench.fresh) == 1
    assert bench.commit(brought(event))[0].duplicate
    assert bench.fresh == []
    assert len(bench.sealer.told) == 1


def test_stored_events_say_who_brought_them(bench):
    event, _ = new_event("scout", "feedback", {})
    outcomes = bench.commit(brought(event), made())
    assert [outcome.event.origin for outcome in outcomes] == ["hub", ""]
    assert bench.commit(brought(event, "other"))[0].event.origin == "hub"


def test_one_refused_id_leaves_its_neighbours_alone(bench):
    event, _ = new_event("scout", "feedback", {"n": 1})
    forged = Event(event.event_id, event.event_type, event.source, 3, {"n": 2}, event.timestamp)
    outcomes = bench.commit(made(), brought(event), brought(forged), made())
    assert isinstance(outcomes.pop(2), ConfigError)
    assert [outcome.event.seq for outcome in outcomes] == [1, 2, 3]


def test_an_unconfirmed_event_is_noted_until_it_comes_again(bench):
    event, _ = new_event("scout", "kill_switch_triggered", {"action": "x"}, priority=1)
    outcome = bench.commit(brought(event, uncommitted=True))[0]
    assert bench.early() == [(event.event_id, "hub", outcome.event.seq)]
    assert bench.commit(brought(event, uncommitted=True))[0].duplicate
    assert len(bench.early()) == 1
    assert bench.commit(brought(event, "other relay"))[0].duplicate
    assert bench.early() == []
    bench.commit(brought(event, uncommitted=True))
    assert bench.early() == []  # it is committed over there, whatever comes late


def test_both_in_one_commit_leave_no_note(bench):
    event, _ = new_event("scout", "kill_switch_triggered", {"action": "x"}, priority=1)
    outcomes = bench.commit(brought(event, uncommitted=True), brought(event))
    assert [outcome.duplicate for outcome in outcomes] == [False, True]
    assert bench.early() == []


def test_what_is_rolled_back_is_not_remembered(bench):
    bench.db.execute("BEGIN IMMEDIATE")
    bench.store.add([made(1, key="k")])
    bench.db.execute("ROLLBACK")
    bench.store.rolled_back()
    outcome = bench.commit(made(2, key="k"))[0]
    assert (outcome.duplicate, outcome.event.seq, outcome.event.data) == (False, 1, {"n": 2})


def test_two_calls_in_one_transaction_are_one_commit(bench):
    bench.db.execute("BEGIN IMMEDIATE")
    bench.store.add([made(1, key="k")])
    again = bench.store.add([made(2, key="k"), made(3)])
    bench.db.execute("COMMIT")
    assert [event.seq for event in bench.store.committed()] == [1, 2]
    assert again[0].duplicate
    assert again[0].event.data == {"n": 1}


def test_a_clock_that_is_set_back_moves_neither_positions_nor_the_chain(bench):
    later = made(1).event
    past = later.timestamp - timedelta(days=900)
    earlier = Event(made(2).event.event_id, "feedback", "user", 3, {"n": 2}, past)
    outcomes = bench.commit(brought(later), brought(earlier))
    assert [outcome.event.seq for outcome in outcomes] == [1, 2]
    assert outcomes[1].event.timestamp < outcomes[0].event.timestamp
    assert chain_report(bench.path).ok
