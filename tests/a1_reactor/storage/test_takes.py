import errno
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from a1_reactor.storage.takes import TakeLog
from reactor_core.errors import ArtifactCorrupt, StorageFull
from reactor_core.events.event import new_event
from reactor_core.events.journal import Journal


def choice(action="keep", clip="a", **data):
    return new_event("user", "feedback", {"action": action, "clip": clip, "actor": "ann", **data})[0]


@pytest.fixture
def log(tmp_path):
    return TakeLog(tmp_path / "a1r")


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "reactor" / "reactor.db") as journal:
        yield journal


def ids(events):
    return [event.event_id for event in events]


def test_choices_come_back_as_they_were_written(log):
    said = [choice(note="ä\n\u2028b"), choice("reject", "b")]
    for event in said:
        log.append(event)
    assert log.events() == said
    assert log.roots() == {"a"}


def test_a_log_that_is_not_there_holds_nothing(log):
    assert (log.events(), log.roots(), log.path.exists()) == ([], frozenset(), False)


@pytest.mark.parametrize("left", range(0, 90, 10))
def test_what_a_killed_process_left_of_a_line_is_passed_over_and_cut_off(log, left):
    first, torn, second = choice(), choice("reject"), choice(clip="c")
    log.append(first)
    with log.path.open("ab") as stream:
        stream.write(torn.to_json()[:left])
    assert log.events() == [first]
    log.append(second)
    assert log.events() == [first, second]


def test_a_damaged_line_is_named_and_nothing_is_taken_for_garbage(log):
    log.append(choice())
    with log.path.open("ab") as stream:
        stream.write(b"{}\n")
    with pytest.raises(ArtifactCorrupt, match=r"takes\.jsonl line 2"):
        log.roots()


def test_a_full_disk_leaves_the_log_as_it_was(log, monkeypatch):
    log.append(choice())
    before = log.path.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("a1_reactor.storage.takes.os.fsync", full)
    with pytest.raises(StorageFull):
        log.append(choice("reject"))
    assert log.path.read_bytes() == before


def test_writers_do_not_lose_each_others_choices(log):
    said = [choice(clip=str(number)) for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda event: TakeLog(log.path.parent).append(event), said))
    assert sorted(ids(log.events())) == sorted(ids(said))


def test_the_journal_gets_every_choice_once(log, journal):
    log.append(choice())
    assert (log.publish(journal), log.publish(journal)) == (1, 0)
    log.append(choice("reject"))
    assert log.publish(journal) == 1
    assert ids(journal.read()) == ids(log.events())


def test_sent_again_because_the_cursor_was_lost_they_are_still_there_once(log, journal):
    log.append(choice())
    log.publish(journal)
    journal.set_cursor(f"a1_reactor.takes/{log.events()[0].event_id}", "gone").result()
    assert log.publish(journal) == 1
    assert len(journal.read()) == 1


def test_a_new_journal_gets_all_of_them(log, journal, tmp_path):
    log.append(choice())
    log.publish(journal)
    with Journal(tmp_path / "other" / "reactor.db") as other:
        assert log.publish(other) == 1
        assert ids(other.read()) == ids(log.events())


_WRITER = """
import sys
from pathlib import Path
from a1_reactor.storage.takes import TakeLog
from reactor_core.events.event import new_event
from reactor_core.events.journal import Journal

folder = Path(sys.argv[1])
log = TakeLog(folder / "a1r")
with Journal(folder / "reactor.db") as journal:
    print("ready", flush=True)
    while True:
        event, _ = new_event("user", "feedback", {"action": "keep", "clip": "a", "actor": "ann", "pad": "x" * 3000})
        log.append(event)
        print(event.event_id, flush=True)
        log.publish(journal)
"""


@pytest.mark.slow
def test_whoever_is_killed_at_any_moment_loses_no_choice_and_says_none_twice(tmp_path):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    told = []
    for _ in range(5):
        command = [sys.executable, "-c", _WRITER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout.readline() == "ready\n"
            time.sleep(dice.uniform(0, 0.4))
            writer.kill()
            told += writer.stdout.read().split()
    log = TakeLog(tmp_path / "a1r")
    # The last one of each run may be on disk without having been told.
    assert set(told) <= set(ids(log.events()))
    assert len(log.events()) <= len(told) + 5
    with Journal(tmp_path / "reactor.db") as journal:
        log.publish(journal)
        assert sorted(ids(journal.read())) == sorted(ids(log.events()))
    print(f"{len(told)} choices, 5 kills")
