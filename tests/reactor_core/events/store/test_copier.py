from __future__ import annotations

import random
import subprocess
import sys
import threading
from contextlib import closing
from shutil import copytree

import pytest
from sqlalchemy import text

from reactor_core.cloud import Postgres
from reactor_core.errors import StorageError
from reactor_core.events import Journal, chain, event_query, new_event
from reactor_core.events.query import EventQuery
from reactor_core.events.store import Copier, PostgresStore, copier
from reactor_core.utils import failpoints


def publish(journal, count, name="note", **data):
    for number in range(count):
        event, payload = new_event("user", name, {"n": number, **data})
        journal.append(event, payload=payload).result(30)


def rows(server, statement):
    with server.begin() as db:
        return db.execute(text(statement)).all()


def test_every_column_arrives_and_the_chain_can_be_walked_there(journal, server, copied):
    odd, payload = new_event("user", "note", {"text": "ß \\u0000"}, metadata={"trace_id": "t"})
    journal.append(odd, payload=payload, origin="ws://hub", dedup_key="key with \0 zero").result(30)
    publish(journal, 5)
    journal.erase([2], reason="on request")
    assert copied(journal, server) == 7
    link = chain.genesis(journal.journal_id)
    for row in rows(server, "SELECT * FROM reactor_events ORDER BY seq"):
        header = chain.header(
            row.seq, row.ts_us, row.priority, row.event_id.encode(), row.event_type.encode(), row.source.encode(),
            row.origin.encode(), row.dedup_key,
        )  # fmt: skip
        assert row.payload is None or chain.payload_hash(row.payload.encode()) == row.payload_hash
        link = chain.link(link, chain.leaf(header, row.payload_hash))
        assert link == row.chain
    assert link == journal.head().link
    assert rows(server, "SELECT head_seq, head_chain FROM reactor_journals") == [(7, link)]


def test_copying_again_adds_nothing(journal, server, copied):
    publish(journal, 3)
    assert copied(journal, server) == 3
    assert copied(journal, server) == 0
    publish(journal, 2)
    assert copied(journal, server) == 2
    assert [row.seq for row in rows(server, "SELECT seq FROM reactor_events ORDER BY position")] == [1, 2, 3, 4, 5]


def test_a_backlog_goes_in_steps_of_bounded_size(journal, server, monkeypatch):
    monkeypatch.setattr(copier, "MAX_ROWS", 4)
    monkeypatch.setattr(copier, "MAX_BYTES", 2000)
    publish(journal, 6)
    publish(journal, 2, text="x" * 2500)
    with closing(Copier(journal.path, journal.journal_id, server)) as copying:
        assert [copying.step().rows for _ in range(5)] == [4, 3, 1, 0, 0]


def test_two_copiers_at_once_bring_each_row_once(journal, server, database):
    publish(journal, 300)
    barrier, counted = threading.Barrier(3), []

    def run():
        postgres = Postgres(database)
        with closing(Copier(journal.path, journal.journal_id, postgres)) as copying:
            barrier.wait(60)
            copying_rows = 0
            while step := copying.step().rows:
                copying_rows += step
            counted.append(copying_rows)
        postgres.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert counted == [300, 300, 300]
    assert rows(server, "SELECT count(*), min(seq), max(seq) FROM reactor_events") == [(300, 1, 300)]
    assert rows(server, "SELECT count(*) FROM reactor_events WHERE shown") == [(300,)]


def test_several_journals_share_a_database_and_an_event_is_shown_once(journal, second_journal, server, copied):
    publish(journal, 2, "mine")
    publish(second_journal, 2, "theirs")
    for event in journal.read():  # as a relay brings them
        second_journal.append(event.at(None), origin="ws://hub").result(30)
    assert copied(journal, server) == 2
    assert copied(second_journal, server) == 4
    store = PostgresStore(server)
    assert [event.event_type for event in store.query(EventQuery()).events] == ["mine", "mine", "theirs", "theirs"]
    theirs = store.query(event_query(journal=second_journal.journal_id)).events
    assert [event.event_type for event in theirs] == ["theirs", "theirs", "mine", "mine"]
    assert [event.seq for event in theirs] == [1, 2, 3, 4]
    assert [event.origin for event in theirs] == ["", "", "ws://hub", "ws://hub"]
    assert store.summary(EventQuery()).total == 4
    assert {each.journal_id: each.position for each in store.journals()} == {
        journal.journal_id: 2,
        second_journal.journal_id: 4,
    }


def test_a_payload_is_erased_here_only_if_the_journal_erased_it(journal, server, copied):
    publish(journal, 3, text="call me")
    copied(journal, server)
    publish(journal, 1, "payload_erased", seqs=[1, 2, True, "x"])  # somebody only says so
    copied(journal, server)
    assert rows(server, "SELECT count(*) FROM reactor_events WHERE payload IS NULL") == [(0,)]
    journal.erase([3], reason="on request")
    copied(journal, server)
    assert rows(server, "SELECT seq FROM reactor_events WHERE payload IS NULL") == [(3,)]


def test_a_crash_after_the_commit_brings_no_row_twice(journal, server, copied):
    publish(journal, 3)
    with closing(Copier(journal.path, journal.journal_id, server)) as copying:
        failpoints.install(lambda name: pytest.exit(name) if name != "relay.sent" else (_ for _ in ()).throw(OSError))
        try:
            with pytest.raises(OSError):
                copying.step()
        finally:
            failpoints.install(None)
        assert copying.position == 0
        assert copying.step() == copier.Copied(3, 3)  # the same instance goes on
    publish(journal, 1)
    assert copied(journal, server) == 1
    assert rows(server, "SELECT count(*) FROM reactor_events") == [(4,)]


def test_a_journal_that_was_put_back_is_refused_and_nothing_is_overwritten(tmp_path, server, copied):
    folder = tmp_path / "workspace"
    with Journal(folder / "reactor.db") as journal:
        publish(journal, 2)
        copied(journal, server)
    copytree(folder, tmp_path / "backup")
    with Journal(folder / "reactor.db") as journal:
        publish(journal, 2, "lost")
        copied(journal, server)
    with Journal(tmp_path / "backup" / "reactor.db") as journal:
        with pytest.raises(StorageError, match=r"another history .* from position 4"):
            copied(journal, server)
        publish(journal, 3, "new")
        with pytest.raises(StorageError, match=r"another history .* from position 4"):
            copied(journal, server)
    assert [row[0] for row in rows(server, "SELECT event_type FROM reactor_events ORDER BY seq")] == [
        "note", "note", "lost", "lost",
    ]  # fmt: skip


def test_two_histories_that_are_copied_at_once_do_not_mix(tmp_path, server):
    with Journal(tmp_path / "one" / "reactor.db") as journal:
        publish(journal, 2)
    copytree(tmp_path / "one", tmp_path / "two")
    with Journal(tmp_path / "one" / "reactor.db") as one, Journal(tmp_path / "two" / "reactor.db") as two:
        first = Copier(one.path, one.journal_id, server)
        second = Copier(two.path, two.journal_id, server)
        first.step()
        publish(one, 1, "one")
        publish(two, 1, "two")
        first.step()
        with pytest.raises(StorageError, match="from position 3"):
            second.step()
        first.close()
        second.close()
    assert [row[0] for row in rows(server, "SELECT event_type FROM reactor_events ORDER BY seq")] == [
        "note", "note", "one",
    ]  # fmt: skip


def test_rows_that_were_dropped_before_they_were_copied_are_named(journal, server, copied):
    publish(journal, 3)
    copied(journal, server)
    publish(journal, 5)
    # As after a compaction that was forced.
    journal.work(lambda db: db.execute("DELETE FROM events WHERE seq <= 6")).result(30)
    with closing(Copier(journal.path, journal.journal_id, server)) as copying:
        assert copying.step() == copier.Copied(2, 8, (4, 6))


def test_a_server_that_is_restarted_in_between_costs_an_error_and_no_row(journal, postgres):
    server = Postgres(postgres.new_schema())
    publish(journal, 3)
    with closing(Copier(journal.path, journal.journal_id, server)) as copying:
        copying.step()
        publish(journal, 3)
        postgres.stop()
        with pytest.raises(StorageError, match="cannot be reached"):
            copying.step()
        postgres.start()
        assert copying.step().position == 6
    assert rows(server, "SELECT count(*) FROM reactor_events") == [(6,)]
    server.close()


def test_a_payload_of_the_largest_size_passes(journal, server, copied):
    publish(journal, 2, text="x" * 1_000_000)
    assert copied(journal, server) == 2


COPYING = """
import sys
from pathlib import Path
from reactor_core.cloud import Postgres
from reactor_core.events.store import Copier, copier
copier.MAX_ROWS = 7
copying = Copier(Path(sys.argv[1]), sys.argv[2], Postgres(sys.argv[3]))
print("ready", flush=True)
while copying.step().rows:
    pass
"""


@pytest.mark.slow
def test_a_copier_that_is_killed_at_any_moment_leaves_whole_steps(journal, server, database):
    publish(journal, 300)
    moments, kills = random.Random(7), 0
    while True:
        words = [sys.executable, "-c", COPYING, str(journal.path), journal.journal_id, database]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"ready\n"
            try:
                # Longer each time: where connecting alone takes so long, none would ever come to an end.
                assert process.wait(moments.uniform(0.0, 0.1 + kills * 0.02)) == 0
                break
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
    assert kills > 0
    assert rows(server, "SELECT count(*), count(DISTINCT seq), max(seq) FROM reactor_events") == [(300, 300, 300)]
    assert [row.seq for row in rows(server, "SELECT seq FROM reactor_events ORDER BY position")] == [*range(1, 301)]
