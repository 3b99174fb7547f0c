"""What the writer does when the disk fails, when it is killed, and when others write too."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from reactor_core.errors import JournalError, StorageFull
from reactor_core.events import Event, Journal, new_event
from reactor_core.events.drafts import Draft, read_draft
from reactor_core.events.writer import Writer

PUBLISHER = """
import json, sys
from pathlib import Path
from reactor_core.events import Journal, new_event

path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
journal = Journal(path)
print("ready", flush=True)
sys.stdin.readline()
waiting = []
for number in range(count):
    event, payload = new_event(name, "feedback", {"n": number})
    waiting.append(journal.append(event, payload=payload))
    if len(waiting) == 32:
        for future in waiting:
            print(json.dumps([future.result().event.seq, future.result().event.event_id]), flush=True)
        waiting = []
for future in waiting:
    print(json.dumps([future.result().event.seq, future.result().event.event_id]), flush=True)
journal.close()
"""


def start(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PUBLISHER, str(path), name, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def acknowledged(output: str) -> list[tuple[int, str]]:
    return [tuple(json.loads(line)) for line in output.splitlines() if line.endswith("]")]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_acknowledged_before_a_kill_is_stored(tmp_path, seed):
    path = tmp_path / "reactor.db"
    lines_before_kill = random.Random(seed).randrange(1, 400)
    process = start(path, "user", 100_000)
    process.stdin.write("\n")
    process.stdin.flush()
    seen = [process.stdout.readline() for _ in range(lines_before_kill)]
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate(timeout=30)
    acks = acknowledged("".join(seen) + rest)
    assert process.returncode == -signal.SIGKILL
    with Journal(path) as journal:
        stored = {event.seq: event.event_id for event in journal.read()}
        assert journal.verify().ok
        event, payload = new_event("user", "feedback", {"after": True})
        assert journal.append(event, payload=payload).result(30).event.seq == len(stored) + 1
        assert journal.verify().ok
    assert len(acks) >= lines_before_kill
    assert [ack for ack in acks if stored.get(ack[0]) != ack[1]] == []


def test_two_processes_write_one_chain(tmp_path):
    path = tmp_path / "reactor.db"
    processes = [start(path, name, 400) for name in ("user", "scout")]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    acks = [acknowledged(process.communicate(timeout=60)[0]) for process in processes]
    with Journal(path) as journal:
        report = journal.verify()
        events = journal.read()
    assert report.ok
    assert report.events == 800
    assert sorted(acks[0] + acks[1]) == [(event.seq, event.event_id) for event in events]
    for name in ("user", "scout"):  # each publisher's own order is kept
        assert [event.data["n"] for event in events if event.source == name] == list(range(400))


def put(journal: Journal, number: int) -> Event:
    event, payload = new_event("user", "feedback", {"n": number})
    return journal.append(event, payload=payload).result(30).event


def commits(journal: Journal) -> float:
    return {sample.name: sample.value for sample in journal.metrics()}["reactor_journal_commits"]


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


class FaultyFile(apsw.VFSFile):
    def __init__(self, disk, filename, flags):
        self.disk = disk
        super().__init__("", filename, flags)

    def xWrite(self, data, offset):  # noqa: N802
        if self.disk.full:
            raise apsw.FullError("disk full (ENOSPC)")
        return super().xWrite(data, offset)

    def xSync(self, flags):  # noqa: N802
        if self.disk.sync_fails:
            raise apsw.IOError("fsync failed (EIO)")
        return super().xSync(flags)


class FaultyDisk(apsw.VFS):
    """The system's file layer, on which writes and fsyncs can be made to fail."""

    def __init__(self) -> None:
        self.full = self.sync_fails = False
        self.vfs_name = f"faulty-{os.getpid()}-{id(self)}"
        super().__init__(self.vfs_name, "")

    def xOpen(self, name, flags):  # noqa: N802
        return FaultyFile(self, name, flags)


@pytest.fixture
def disk(monkeypatch) -> Iterator[FaultyDisk]:
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)  # apsw reports errors inside a file layer there as well
    disk = FaultyDisk()
    yield disk
    disk.unregister()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_on_a_full_disk_nothing_is_acknowledged_and_space_heals_it(tmp_path, disk):
    with Journal(tmp_path / "reactor.db", vfs=disk.vfs_name) as journal:
        pairs = [new_event("user", "feedback", {"n": number}) for number in range(3)]
        assert journal.append(pairs[0][0], payload=pairs[0][1]).result(30).event.seq == 1
        disk.full = True
        with pytest.raises(StorageFull, match="no space left"):
            journal.append(pairs[1][0], payload=pairs[1][1]).result(30)
        disk.full = False
        assert journal.append(pairs[2][0], payload=pairs[2][1]).result(30).event.seq == 2
        assert [event.data["n"] for event in journal.read()] == [0, 2]
        assert journal.verify().ok


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_after_a_failed_fsync_nothing_is_acknowledged_until_the_disk_is_sound(tmp_path, disk):
    path = tmp_path / "reactor.db"
    with Journal(path, vfs=disk.vfs_name) as journal:
        first = put(journal, 0)
        assert journal.health().ok
        disk.sync_fails = True
        event, payload = new_event("user", "feedback", {"n": 1})
        with pytest.raises(JournalError, match="no event is accepted until"):
            journal.append(event, payload=payload).result(30)
        with pytest.raises(JournalError, match="no event is accepted until"):
            journal.append(event, payload=payload)
        assert not journal.health().ok
        assert "EIO" in journal.health().detail
        disk.sync_fails = False
        assert eventually(lambda: journal.health().ok)
        # The same event, tried again: it is stored once, whether or not the failed commit reached the disk.
        again = journal.append(event, payload=payload).result(30).event
        last = put(journal, 2)
        stored = journal.read()
        assert stored == [first, again, last]
        assert journal.verify().ok
    with Journal(path) as later:
        assert later.read() == stored


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_all_who_wait_are_told_when_the_disk_fails(tmp_path, disk):
    with Journal(tmp_path / "reactor.db", vfs=disk.vfs_name) as journal:
        put(journal, 0)
        disk.sync_fails = True
        waiting = []
        with pytest.raises(JournalError):
            for number in range(100_000):
                event, payload = new_event("user", "feedback", {"n": number})
                waiting.append(journal.append(event, payload=payload))
        assert waiting
        for future in waiting:
            with pytest.raises(JournalError):
                future.result(30)
        figures = {sample.name: sample.value for sample in journal.metrics()}
        assert figures["reactor_journal_failed"] >= 1
        assert figures["reactor_journal_rows"] == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_journal_can_be_closed_while_the_disk_fails(tmp_path, disk):
    journal = Journal(tmp_path / "reactor.db", vfs=disk.vfs_name)
    put(journal, 0)
    disk.sync_fails = True
    event, payload = new_event("user", "feedback", {"n": 1})
    with pytest.raises(JournalError):
        journal.append(event, payload=payload).result(30)
    journal.close()
    disk.sync_fails = False
    with Journal(tmp_path / "reactor.db") as later:
        assert later.read()[0].data == {"n": 0}
        assert later.verify().ok


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_health_says_that_the_disk_is_full_until_something_is_stored(tmp_path, disk):
    with Journal(tmp_path / "reactor.db", vfs=disk.vfs_name) as journal:
        disk.full = True
        with pytest.raises(StorageFull):
            put(journal, 0)
        health = journal.health()
        assert not health.ok
        assert "no space left" in health.detail
        disk.full = False
        put(journal, 1)
        assert journal.health().ok
        assert journal.health().since > health.since


def test_lane_1_is_committed_before_what_waited_longer(tmp_path):
    gate, held = threading.Event(), threading.Event()

    def hold(db: apsw.Connection) -> None:
        held.set()
        gate.wait(30)

    batches: list[list[int]] = []
    with Journal(tmp_path / "reactor.db") as journal:
        journal.listen(lambda events: batches.append([event.priority for event in events]))
        journal.work(hold)
        assert held.wait(30)
        drafts = [Draft(*new_event("user", "feedback", {"n": number})) for number in range(1200)]
        many = journal.append_many([*drafts, Draft(*new_event("user", "feedback", {}, priority=1))])
        single, payload = new_event("user", "kill_switch_triggered", {"action": "x"})
        future = journal.append(single, payload=payload)
        gate.set()
        outcomes = many.result(30)
        assert future.result(30).event.seq == 2
    assert [len(batch) for batch in batches] == [2, 512, 512, 176]
    assert batches[0] == [1, 1]
    assert outcomes[-1].event.seq == 1
    assert [outcome.event.data["n"] for outcome in outcomes[:-1]] == list(range(1200))
    assert [outcome.event.seq for outcome in outcomes[:-1]] == list(range(3, 1203))


def test_a_cursor_rides_along_with_the_events(tmp_path):
    gate, held = threading.Event(), threading.Event()

    def hold(db: apsw.Connection) -> None:
        held.set()
        gate.wait(30)

    with Journal(tmp_path / "reactor.db") as journal:
        journal.work(hold)
        assert held.wait(30)
        before = commits(journal)
        events = [new_event("user", "feedback", {"n": number}) for number in range(2)]
        futures = [
            journal.append(events[0][0], payload=events[0][1]),
            journal.set_cursor("hub", "1"),
            journal.append(events[1][0], payload=events[1][1]),
            journal.set_cursors({"hub": "2", "redis": "7"}),
        ]
        gate.set()
        assert [futures[0].result(30).event.seq, futures[2].result(30).event.seq] == [1, 2]
        assert futures[1].result(30) is futures[3].result(30) is None
        assert (journal.cursor("hub"), journal.cursor("redis")) == ("2", "7")
        assert commits(journal) == before + 2  # one for the work that held it up


class Sealing:
    """Seals the tail when it is due, and keeps what it was asked."""

    def __init__(self) -> None:
        self.due: float | None = None
        self.tails: list[int] = []
        self.ended: list[str] = []
        self.called = threading.Event()

    def rows(self, db, head, leaves, *, urgent):
        self.due = time.monotonic() + 0.05

    def deadline(self):
        return self.due

    def tail(self, db, head):
        self.tails.append(head.seq)
        self.due = None
        self.called.set()

    def committed(self):
        self.ended.append("committed")

    def rolled_back(self):
        self.ended.append("rolled back")


def test_rows_that_wait_for_a_seal_get_it_when_it_is_due_and_at_the_end(tmp_path):
    seal = Sealing()
    writer = Writer(tmp_path / "reactor.db", vfs=None, on_commit=lambda events: None, sealer=lambda journal_id: seal)
    event, payload = new_event("user", "feedback", {})
    writer.append(read_draft(event, payload))
    assert seal.called.wait(30)
    assert seal.tails == [1]
    event, payload = new_event("user", "feedback", {})
    writer.append(read_draft(event, payload))
    writer.close()
    assert seal.tails == [1, 2]
    assert set(seal.ended) == {"committed"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_many_that_are_stored_in_part_are_answered_with_the_error(tmp_path, disk):
    with Journal(tmp_path / "reactor.db", vfs=disk.vfs_name) as journal:

        def fill_the_disk(events: list[Event]) -> None:
            disk.full = True

        journal.listen(fill_the_disk)
        drafts = [Draft(*new_event("user", "feedback", {"n": number})) for number in range(1500)]
        future = journal.append_many(drafts)
        with pytest.raises(StorageFull):
            future.result(30)
        disk.full = False
        journal.unlisten(fill_the_disk)
        assert [event.data["n"] for event in journal.read()] == list(range(512))
        # Given again with their ids to be looked up, the rest is stored and nothing twice.
        outcomes = journal.append_many([Draft(draft.event) for draft in drafts]).result(30)
        assert [outcome.duplicate for outcome in outcomes] == [number < 512 for number in range(1500)]
        assert [event.data["n"] for event in journal.read()] == list(range(1500))


def test_many_threads_that_give_everything_at_once_get_what_is_stored(tmp_path):
    acknowledged: list[Event] = []
    lock = threading.Lock()

    def publish(name: str, journal: Journal, seed: int) -> None:
        chance = random.Random(seed)
        number = 0
        for _ in range(60):
            kind = chance.choice(["one", "many", "cursor", "work", "withdrawn"])
            size = chance.randrange(1, 40) if kind == "many" else 1
            made = []
            for _ in range(size):
                made.append(new_event(name, "feedback", {"n": number}, priority=chance.choice([1, 2, 3, 3, 4])))
                number += 1
            if kind == "many":
                events = [outcome.event for outcome in journal.append_many([Draft(*pair) for pair in made]).result(60)]
            elif kind == "cursor":
                journal.set_cursor(name, str(number)).result(60)
                continue
            elif kind == "work":
                journal.work(lambda db: db.execute("SELECT count(*) FROM events").get).result(60)
                continue
            else:
                future = journal.append(made[0][0], payload=made[0][1])
                if kind == "withdrawn" and future.cancel():
                    continue
                events = [future.result(60).event]
            with lock:
                acknowledged.extend(events)

    with Journal(tmp_path / "reactor.db") as journal:
        names = [f"source-{number}" for number in range(8)]
        threads = [threading.Thread(target=publish, args=(name, journal, 7 + at)) for at, name in enumerate(names)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        stored = journal.read()
        assert journal.verify().ok
        assert sorted(acknowledged, key=lambda event: event.seq or 0) == stored
        for name in names:
            for lane in (1, 2, 3, 4):
                numbers = [event.data["n"] for event in stored if (event.source, event.priority) == (name, lane)]
                assert numbers == sorted(numbers)
