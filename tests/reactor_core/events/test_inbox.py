from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from reactor_core.errors import ConfigError
from reactor_core.events import Event, Journal, new_event
from reactor_core.events import inbox as inbox_module
from reactor_core.events.bus import Bus
from reactor_core.events.inbox import RESERVED, InboxRun
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.progress import Progress
from reactor_core.utils import failpoints


class Inboxes:
    """Runs inboxes over one journal, as a process of its own would."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal(path)
        self.thread = LoopThread("inboxes")
        self.thread.start()
        self.bus = Bus(self.journal, self.thread, target="user")
        self.given_up: list[tuple[Event, Exception]] = []
        self.runs: list[InboxRun] = []
        self.idle = threading.Condition()
        self.closed = False

    def start(self, effect, types: frozenset[str] | None = None, *, attempts: int = 3, after_seq=None) -> InboxRun:
        run = InboxRun(
            effect,
            Progress(self.journal, "inbox", "sums", after_seq=after_seq),
            types,
            journal=self.journal,
            bus=self.bus,
            attempts=attempts,
            on_failure=lambda name, event, error: self.given_up.append((event, error)),
            on_idle=self._note,
        )
        self.runs.append(run)
        return run

    def put(self, number: int, name: str = "tick", **options) -> Event:
        event, payload = new_event("user", name, {"n": number}, **options)
        return self.journal.append(event, payload=payload).result(30).event

    def settle(self) -> None:
        self.thread.submit(self.bus.flush()).result(30)
        with self.idle:
            assert self.idle.wait_for(lambda: all(run.idle() for run in self.runs), 30)

    def rows(self) -> list[int]:
        return self.journal.work(lambda db: [row[0] for row in db.execute("SELECT n FROM seen")]).result(30)

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        for run in self.runs:
            run.stop(time.monotonic() + 10)
        self.thread.submit(self.bus.close()).result(30)
        self.thread.stop()
        self.journal.close()

    def _note(self) -> None:
        with self.idle:
            self.idle.notify_all()


@pytest.fixture
def open_inboxes(tmp_path: Path):
    opened: list[Inboxes] = []

    def make() -> Inboxes:
        opened.append(Inboxes(tmp_path / "reactor.db"))
        return opened[-1]

    yield make
    for inboxes in opened:
        inboxes.close()


@pytest.fixture
def inboxes(open_inboxes: Callable[[], Inboxes]) -> Inboxes:
    return open_inboxes()


def keep(event: Event, db: apsw.Connection) -> None:
    db.execute("CREATE TABLE IF NOT EXISTS seen (n INTEGER, seq INTEGER UNIQUE)")
    db.execute("INSERT INTO seen VALUES (?, ?)", (event.data["n"], event.seq))


def test_each_event_has_its_effect_in_the_order_of_its_lane(inboxes):
    inboxes.start(keep, frozenset({"tick"}))
    for number in range(600):
        inboxes.put(number, ("tick", "tock")[number % 2])
    inboxes.settle()
    assert inboxes.rows() == list(range(0, 600, 2))


def test_only_committed_events_come_and_each_once(inboxes):
    seen: list[int | None] = []

    def effect(event: Event, db: apsw.Connection) -> None:
        seen.append(event.seq)

    inboxes.start(effect)
    event, payload = new_event("user", "kill_switch_triggered", {"n": 1})
    inboxes.bus.hand_out_early(event)
    inboxes.thread.submit(inboxes.bus.flush()).result(30)
    inboxes.journal.append(event, payload=payload).result(30)
    inboxes.settle()
    assert seen == [1]


def test_it_goes_on_after_a_restart_where_it_was(open_inboxes):
    first = open_inboxes()
    first.start(keep)
    first.put(0)
    first.settle()
    first.close()
    second = open_inboxes()
    second.put(1)
    second.start(keep)
    second.put(2)
    second.settle()
    assert second.rows() == [0, 1, 2]


def test_a_new_inbox_may_begin_in_the_past(inboxes):
    for number in range(3):
        inboxes.put(number)
    inboxes.start(keep, after_seq=1)
    inboxes.settle()
    assert inboxes.rows() == [1, 2]


def test_what_fails_is_undone_and_tried_again(inboxes, monkeypatch, caplog):
    monkeypatch.setattr(inbox_module, "FIRST_PAUSE", 0.001)
    tries: list[int] = []

    def effect(event: Event, db: apsw.Connection) -> None:
        keep(event, db)
        tries.append(event.data["n"])
        if event.data["n"] == 1 and tries.count(1) < 3:
            raise ValueError("not yet")

    run = inboxes.start(effect)
    for number in range(3):
        inboxes.put(number)
    inboxes.settle()
    assert inboxes.rows() == [0, 1, 2]
    assert tries.count(1) == 3
    assert inboxes.given_up == []
    assert (run.handled, run.failed) == (3, 0)
    assert "attempt 2" in caplog.text


def test_what_fails_to_the_last_attempt_is_told_and_passed_over(inboxes, monkeypatch):
    monkeypatch.setattr(inbox_module, "FIRST_PAUSE", 0.001)

    def effect(event: Event, db: apsw.Connection) -> None:
        keep(event, db)
        if event.data["n"] == 1:
            raise ValueError("never")

    run = inboxes.start(effect, attempts=2)
    events = [inboxes.put(number) for number in range(3)]
    inboxes.settle()
    assert inboxes.rows() == [0, 2]
    ((event, error),) = inboxes.given_up
    assert (event, str(error)) == (events[1], "never")
    assert (run.handled, run.failed) == (2, 1)


FORBIDDEN = [
    "DELETE FROM events",
    "UPDATE events SET payload = NULL",
    "INSERT INTO cursors VALUES ('inbox:sums', '{}')",
    "DROP TABLE checkpoints",
    "ALTER TABLE events ADD COLUMN mine TEXT",
    "CREATE INDEX mine ON events (source)",
    "DROP INDEX events_id",
    "CREATE TRIGGER mine AFTER INSERT ON events BEGIN SELECT 1; END",
    "CREATE TEMP TRIGGER mine AFTER INSERT ON events BEGIN SELECT 1; END",
    "COMMIT",
    "ROLLBACK",
    "BEGIN",
    "RELEASE reactor_effect",
    "PRAGMA synchronous = OFF",
    "PRAGMA writable_schema = ON",
    "ATTACH ':memory:' AS other",
    "DETACH main",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_journals_own_tables_are_out_of_reach(inboxes, statement):
    def effect(event: Event, db: apsw.Connection) -> None:
        db.execute(statement)

    inboxes.start(effect, attempts=1)
    event = inboxes.put(0)
    inboxes.settle()
    ((_, error),) = inboxes.given_up
    assert isinstance(error, apsw.AuthError), error
    assert inboxes.journal.read() == [event]
    assert inboxes.journal.verify().ok
    inboxes.put(1)  # the journal itself may write as before


def test_a_trigger_of_its_own_cannot_reach_them_either(inboxes):
    def effect(event: Event, db: apsw.Connection) -> None:
        db.execute("CREATE TABLE mine (n)")
        db.execute("CREATE TRIGGER t AFTER INSERT ON mine BEGIN DELETE FROM events; END")
        db.execute("INSERT INTO mine VALUES (1)")

    inboxes.start(effect, attempts=1)
    inboxes.put(0)
    inboxes.settle()
    assert isinstance(inboxes.given_up[0][1], apsw.AuthError)
    assert len(inboxes.journal.read()) == 1


def test_tables_of_its_own_and_reading_are_free(inboxes):
    def effect(event: Event, db: apsw.Connection) -> None:
        db.execute("CREATE TABLE mine (n); CREATE INDEX mine_n ON mine (n)")
        with db:  # a savepoint of its own
            db.execute("INSERT INTO mine SELECT count(*) FROM events")
        db.execute("UPDATE mine SET n = n + 1; CREATE TABLE seen (n); INSERT INTO seen SELECT n FROM mine")
        db.execute("DROP INDEX mine_n; DROP TABLE mine")

    inboxes.start(effect, attempts=1)
    inboxes.put(0)
    inboxes.settle()
    assert inboxes.given_up == []
    assert inboxes.rows() == [2]


def test_every_table_of_a_journal_is_reserved(journal: Journal):
    made = {
        row[0]
        for row in journal.work(
            lambda db: list(db.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
        ).result(30)
    }
    tables = {name for name in made if not name.startswith(("sqlite_", "events_"))}
    assert tables == RESERVED


def test_two_processes_under_one_name_share_the_work(open_inboxes):
    first, second = open_inboxes(), open_inboxes()
    runs = [first.start(keep), second.start(keep)]
    for number in range(300):
        (first, second)[number % 2].put(number)
    for inboxes in (first, second):
        inboxes.settle()
    assert sorted(first.rows()) == list(range(300))
    assert sum(run.handled for run in runs) == 300


@pytest.mark.parametrize("point", ["inbox.applied", "inbox.committed", "journal.begin", "journal.committed"])
def test_a_process_that_is_killed_leaves_each_effect_once(tmp_path: Path, open_inboxes, point):
    path = tmp_path / "reactor.db"
    with Journal(path) as journal:
        for number in range(40):
            event, payload = new_event("user", "tick", {"n": number})
            journal.append(event, payload=payload).result(30)
    passed = 0

    def die(name: str) -> None:
        nonlocal passed
        passed += name == point
        if passed == 3:
            os._exit(9)

    child = os.fork()
    if child == 0:  # pragma: no cover  another process
        inbox_module.BATCH_EVENTS = 7
        inboxes = Inboxes(path)
        failpoints.install(die)
        inboxes.start(keep, after_seq=0)
        time.sleep(30)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    inboxes = open_inboxes()
    inboxes.start(keep)
    inboxes.settle()
    assert inboxes.rows() == list(range(40))


def test_while_it_is_quiet_it_goes_past_what_is_not_for_it(inboxes, monkeypatch):
    monkeypatch.setattr(inbox_module, "QUIET_SECONDS", 0.01)
    run = inboxes.start(keep, frozenset({"tick"}))
    for number in range(5):
        inboxes.put(number, "tock")
    deadline = time.monotonic() + 20
    while inboxes.journal.cursor("inbox:sums") != '{"1":5,"2":5,"3":5,"4":5}':
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert run.handled == 0


@pytest.mark.parametrize("wrong", ["coroutine", "attempts"])
def test_what_cannot_work_is_refused(inboxes, wrong):
    async def coroutine(event: Event, db: apsw.Connection) -> None:
        pass

    with pytest.raises(ConfigError, match=wrong):
        inboxes.start(coroutine if wrong == "coroutine" else keep, attempts=0 if wrong == "attempts" else 3)
