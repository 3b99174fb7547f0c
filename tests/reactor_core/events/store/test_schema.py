from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import psycopg
import pytest
from sqlalchemy import text

from reactor_core.cloud import Postgres
from reactor_core.errors import StorageError
from reactor_core.events.store.schema import current_revision, newest_revision, upgrade

END = 60.0


def tables(database):
    with psycopg.connect(database) as db:
        found = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1").fetchall()
    return [name for (name,) in found]


def test_from_nothing_to_the_newest_and_no_further(server, database):
    assert current_revision(server) is None
    assert upgrade(server) == (None, newest_revision())
    assert upgrade(server) == (newest_revision(), newest_revision())
    assert tables(database) == ["reactor_events", "reactor_events_version", "reactor_journals"]


def test_other_programs_tables_and_migrations_stay(server, database):
    with psycopg.connect(database) as db:
        db.execute("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)")
        db.execute("INSERT INTO alembic_version VALUES ('theirs')")
    upgrade(server)
    with psycopg.connect(database) as db:
        assert db.execute("SELECT * FROM alembic_version").fetchall() == [("theirs",)]


def test_tables_of_a_newer_version_are_left_alone(server):
    upgrade(server)
    with server.begin() as db:
        db.execute(text("UPDATE reactor_events_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="9999"):
        upgrade(server)


def test_several_programs_may_upgrade_at_once(database):
    answers, barrier = [], threading.Barrier(4)

    def run():
        server = Postgres(database)
        barrier.wait(END)
        answers.append(upgrade(server))
        server.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(END)
    assert [after for _, after in answers] == [newest_revision()] * 4


def wait_until_someone_waits_for_a_lock(db):
    end = time.monotonic() + END
    while not db.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()[0]:
        assert time.monotonic() < end
        time.sleep(0.01)


UPGRADE = "import sys; from reactor_core.cloud import Postgres; from reactor_core.events.store.schema import upgrade;"


@pytest.mark.parametrize("how", ["program", "server"])
def test_an_upgrade_that_is_killed_in_the_middle_leaves_nothing_and_can_be_repeated(postgres, how):
    database = postgres.new_database()
    # Another transaction holds the name of the second table, so the upgrade waits when it has made the first.
    blocker = psycopg.connect(database)
    blocker.execute("CREATE TABLE reactor_events (x int)")
    process = subprocess.Popen(
        [sys.executable, "-c", f"{UPGRADE} upgrade(Postgres(sys.argv[1]))", database], stderr=subprocess.PIPE
    )
    with psycopg.connect(postgres.url(), autocommit=True) as watcher:
        wait_until_someone_waits_for_a_lock(watcher)
    if how == "program":
        os.kill(process.pid, signal.SIGKILL)
    else:
        postgres.restart()
    process.communicate(timeout=END)
    assert process.returncode != 0
    blocker.close()
    # The server notices a dead client when it next speaks to it; until then its half of the work is invisible.
    assert tables(database) == []
    server = Postgres(database)
    assert upgrade(server) == (None, newest_revision())
    server.close()
