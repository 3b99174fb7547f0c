from __future__ import annotations

import itertools
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from reactor_core.cloud import Postgres
from reactor_core.errors import ConfigError
from reactor_core.events import Event, EventType, Journal, new_event
from reactor_core.events.bus import Bus
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.query import EventQuery
from reactor_core.events.store import PostgresRelay, PostgresStore
from reactor_core.events.transports import RelayGroup
from reactor_core.integration import EventBridge, EventSource

END = 60.0


class Workspace:
    """A journal and the relay that copies it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.journal = Journal(folder / "reactor.db")
        self.thread = LoopThread("store")
        self.thread.start()
        self.bus = Bus(self.journal, self.thread, target="user")
        self.relay = PostgresRelay(
            url,
            journal=self.journal,
            bus=self.bus,
            source="user",
            workspace=folder,
            backoff=lambda: itertools.repeat(0.02),
        )
        self.group: RelayGroup | None = None

    def run(self) -> None:
        self.group = RelayGroup([self.relay], self.thread)

    def publish(self, count: int = 1, *, origin: str = "") -> list[Event]:
        told = []
        for number in range(count):
            event, payload = new_event("user", "note", {"n": number})
            told.append(self.journal.append(event, payload=payload, origin=origin).result(END).event)
        return told

    def close(self) -> None:
        if self.group is not None:
            self.thread.submit(self.group.close(END)).result()
        self.thread.stop()
        self.journal.close()


@pytest.fixture
def workspace(tmp_path, database):
    with closing(Workspace(tmp_path, database)) as workspace:
        yield workspace


def until(condition):
    end = time.monotonic() + END
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def stored(url) -> list[Event]:
    with closing(Postgres(url)) as postgres:
        return PostgresStore(postgres).query(EventQuery(), limit=10_000).events


def test_everything_is_copied_what_was_there_before_and_what_others_brought(workspace, database):
    workspace.publish(2)
    workspace.run()
    workspace.publish(2, origin="ws://hub")
    until(lambda: workspace.relay.status.sent == 4)
    assert stored(database) == workspace.journal.read()


def test_closing_waits_until_all_is_copied(tmp_path, database):
    with closing(Workspace(tmp_path, database)) as workspace:
        workspace.run()
        until(lambda: workspace.relay.status.state == "connected")
        told = workspace.publish(50)
    assert [event.event_id for event in stored(database)] == [event.event_id for event in told]


def test_the_cursor_stands_where_a_compaction_looks_for_it(workspace):
    assert workspace.journal.cursor(workspace.relay.name) == '{"1":0,"2":0,"3":0,"4":0}'
    workspace.publish(3)
    workspace.run()
    until(lambda: workspace.journal.cursor(workspace.relay.name) == '{"1":3,"2":3,"3":3,"4":3}')
    assert workspace.relay.cursors == dict.fromkeys((1, 2, 3, 4), 3)


def test_the_name_has_no_password(workspace, postgres):
    assert postgres.password not in workspace.relay.name
    assert workspace.relay.name.startswith(f"postgresql://127.0.0.1:{postgres.port}/")


def test_an_address_that_cannot_be_used_is_said_at_once(tmp_path):
    with pytest.raises(ConfigError, match="EVENT_STORE_URL"):
        Workspace(tmp_path, "mysql://localhost/events")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["in order", "crash"])
def test_a_restart_of_the_server_is_lag_and_no_loss(tmp_path, postgres, how):
    url = postgres.new_schema()
    with closing(Workspace(tmp_path, url)) as workspace:
        workspace.run()
        workspace.publish(3)
        until(lambda: workspace.relay.status.sent == 3)
        postgres.stop(how)
        try:
            workspace.publish(3)
            until(lambda: workspace.relay.status.state == "down")
            assert "cannot be reached" in workspace.relay.status.detail
        finally:
            postgres.start()
        until(lambda: workspace.relay.status.sent == 6)
        workspace.publish(3)
    assert [event.seq for event in stored(url)] == list(range(1, 10))


def test_a_server_that_comes_later_gets_everything(tmp_path, postgres):
    url = postgres.new_schema()
    postgres.stop()
    try:
        with closing(Workspace(tmp_path, url)) as workspace:
            workspace.run()
            workspace.publish(3)
            until(lambda: workspace.relay.status.state == "down")
            postgres.start()
            until(lambda: workspace.relay.status.sent == 3)
    finally:
        if postgres.stopped:
            postgres.start()
    assert len(stored(url)) == 3


def test_a_database_that_was_emptied_is_filled_again(tmp_path, database):
    with closing(Workspace(tmp_path, database)) as workspace:
        workspace.run()
        workspace.publish(3)
        until(lambda: workspace.relay.status.sent == 3)
    with closing(Postgres(database)) as server, server.begin() as db:
        db.execute(text("DROP TABLE reactor_events, reactor_journals, reactor_events_version"))
    with closing(Workspace(tmp_path, database)) as workspace:
        workspace.publish(1)
        workspace.run()
        until(lambda: workspace.relay.status.sent == 4)
    assert len(stored(database)) == 4


def test_what_was_dropped_before_it_was_copied_is_a_gap(tmp_path, database):
    with closing(Workspace(tmp_path, database)) as workspace:
        workspace.run()
        workspace.publish(3)
        until(lambda: workspace.relay.status.sent == 3)
    with closing(Workspace(tmp_path, database)) as workspace:
        workspace.publish(5)
        workspace.journal.work(lambda db: db.execute("DELETE FROM events WHERE seq <= 6")).result(END)
        workspace.run()
        (gap,) = until(lambda: [event for event in stored(database) if event.event_type is EventType.GAP])
    assert (gap.data["lost_from"], gap.data["lost_to"]) == (4, 6)
    assert gap.data["transport"] == workspace.relay.name
    assert [event.seq for event in stored(database)] == [1, 2, 3, 7, 8, 9]


def test_a_history_that_was_put_back_stops_the_copy_and_says_so(tmp_path, database, copied):
    with closing(Workspace(tmp_path / "a", database)) as workspace:
        workspace.publish(3)
        workspace.run()
        until(lambda: workspace.relay.status.sent == 3)
    with closing(Postgres(database)) as server, server.begin() as db:
        db.execute(text("UPDATE reactor_journals SET head_chain = 'x'"))
    with closing(Workspace(tmp_path / "a", database)) as workspace:
        workspace.run()
        until(lambda: workspace.relay.status.state == "down")
        assert "another history" in workspace.relay.status.detail


def test_two_workspaces_copy_at_once(tmp_path, database):
    with closing(Workspace(tmp_path / "a", database)) as a, closing(Workspace(tmp_path / "b", database)) as b:
        a.run()
        b.run()
        for _ in range(20):
            a.publish(3)
            b.publish(3)
        until(lambda: a.relay.status.sent == b.relay.status.sent == 60)
    assert len({event.event_id for event in stored(database)}) == 120
    with closing(Postgres(database)) as postgres:
        assert sorted(each.position for each in PostgresStore(postgres).journals()) == [60, 60]


def test_a_program_ends_although_the_server_does_not_answer(tmp_path, postgres):
    """A stopped server takes connections and says nothing; the thread that waits for it must not keep the program."""
    url = postgres.new_schema()
    workspace = Workspace(tmp_path, url)
    workspace.run()
    workspace.publish(1)
    until(lambda: workspace.relay.status.sent == 1)
    postgres.freeze()
    try:
        workspace.publish(1)
        began = time.monotonic()
        workspace.thread.submit(workspace.group.close(0.2)).result(END)
        workspace.thread.stop()
        workspace.journal.close()
        assert time.monotonic() - began < 10
    finally:
        postgres.thaw()


def test_a_bridge_copies_what_its_settings_name(tmp_path, database, monkeypatch):
    monkeypatch.setenv("EVENT_STORE_URL", database)
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path))
    with EventBridge(EventSource.USER, fallback_to_file=False) as bridge:
        told = bridge.publish_sync("note", {"n": 1})
        until(lambda: bridge.relays()[0].sent == 1)
        assert bridge.relays()[0].state == "connected"
        names = {sample.name for sample in bridge.metrics()}
        assert "reactor_relay_lag_events" in names
    assert told.event_id in [event.event_id for event in stored(database)]
