"""What the writer does when the disk fails, when it is killed, and when others write too."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from reactor_core.errors import JournalError, StorageFull
from reactor_core.events import Journal, new_event

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
def test_after_a_failed_fsync_nothing_is_acknowledged_until_it_is_reopened(tmp_path, disk):
    path = tmp_path / "reactor.db"
    journal = Journal(path, vfs=disk.vfs_name)
    first, payload = new_event("user", "feedback", {"n": 0})
    journal.append(first, payload=payload).result(30)
    disk.sync_fails = True
    event, payload = new_event("user", "feedback", {"n": 1})
    with pytest.raises(JournalError, match="until the journal is reopened"):
        journal.append(event, payload=payload).result(30)
    disk.sync_fails = False
    with pytest.raises(JournalError, match="until the journal is reopened"):
        journal.append(event, payload=payload)
    journal.close()
    with Journal(path) as again:
        assert again.verify().ok
        assert first.event_id in {event.event_id for event in again.read()}
