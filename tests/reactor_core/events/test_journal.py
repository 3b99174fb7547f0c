from __future__ import annotations

import asyncio
import os
import threading
from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from reactor_core.errors import (
    ConfigError,
    EnvironmentMissing,
    JournalClosed,
    JournalError,
    NotFound,
    ReactorError,
)
from reactor_core.events import Event, EventType, Journal, event_filter, new_event
from reactor_core.events.drafts import Draft
from reactor_core.events.schema import require_sqlite


def put(journal: Journal, data: dict, *, event_type: str = "feedback", source: str = "user", **options) -> Event:
    event, payload = new_event(source, event_type, data, priority=options.pop("priority", None))
    return journal.append(event, payload=payload, **options).result(30).event


def test_positions_count_from_one_and_reading_gives_the_events_back(journal):
    events = [put(journal, {"n": number}) for number in range(3)]
    assert [event.seq for event in events] == [1, 2, 3]
    assert journal.read() == events


def test_what_one_process_acknowledged_another_reads(journal):
    event = put(journal, {"n": 1})
    with Journal(journal.path) as other:
        assert other.read() == [event]


def test_events_survive_closing(tmp_path):
    with Journal(tmp_path / "deep" / "reactor.db") as journal:
        event = put(journal, {"n": 1})
        head = journal.head()
    with Journal(tmp_path / "deep" / "reactor.db") as journal:
        assert journal.read() == [event]
        assert journal.head() == head
        assert journal.verify().ok


def test_filters_select_by_type_source_time_text_and_position(journal):
    red = put(journal, {"text": 'a "red" 50% fox_'}, event_type="feedback", source="user")
    blue = put(journal, {"text": "A BLUE fox"}, event_type="correction", source="scout")

    def found(**conditions) -> list[Event]:
        return journal.read(event_filter(**conditions))

    assert found(types="feedback") == found(types=["FEEDBACK"]) == [red]
    assert found(types=[]) == []
    assert found(types=[EventType.FEEDBACK, "correction"]) == [red, blue]
    assert found(sources="SCOUT") == [blue]
    assert found(since=blue.timestamp) == [blue]
    assert found(until=blue.timestamp) == [red]
    assert found(since=blue.timestamp + timedelta(microseconds=1)) == []
    assert found(text='"red" 50%') == [red]
    assert found(text="a blue") == [blue]
    assert found(text="%") == found(text="fox_") == [red]
    assert found(after_seq=1) == [blue]
    assert found(before_seq=2) == [red]


def test_a_limit_keeps_the_first_or_the_last(journal):
    for number in range(5):
        put(journal, {"n": number})
    assert [event.seq for event in journal.read(limit=2)] == [1, 2]
    assert [event.seq for event in journal.read(limit=2, newest=True)] == [4, 5]


def test_types_are_counted(journal):
    for name in ("feedback", "feedback", "error"):
        put(journal, {}, event_type=name)
    assert journal.count() == {"feedback": 2, "error": 1}
    assert journal.count(event_filter("error")) == {"error": 1}


def test_events_that_wait_together_are_committed_together_in_order(journal):
    batches: list[int] = []
    gate = threading.Event()
    started = threading.Event()

    def hold(db: apsw.Connection) -> None:
        started.set()
        gate.wait(10)

    held = journal.work(hold)
    assert started.wait(10)
    journal.listen(lambda events: batches.append(len(events)))
    futures = [
        journal.append(event, payload=payload)
        for event, payload in (new_event("user", "feedback", {"n": number}) for number in range(600))
    ]
    gate.set()
    held.result(30)
    assert [future.result(30).event.data["n"] for future in futures] == list(range(600))
    assert batches == [512, 88]  # at most 512 rows a commit


def test_an_event_with_the_same_key_within_a_minute_is_the_earlier_event(journal):
    first = put(journal, {"total": 1.0}, dedup_key="k")
    event, payload = new_event("user", "feedback", {"total": 2.0})
    again = journal.append(event, payload=payload, dedup_key="k").result(30)
    assert again.duplicate
    assert again.event == first
    assert len(journal.read()) == 1


def test_equal_keys_in_one_commit_are_one_event(journal):
    pairs = [new_event("user", "feedback", {"n": number}) for number in range(50)]
    futures = [journal.append(event, payload=payload, dedup_key="k") for event, payload in pairs]
    assert {future.result(30).event.seq for future in futures} == {1}


def test_a_key_is_known_to_other_processes_and_after_a_restart(journal):
    with Journal(journal.path) as other:
        first = put(journal, {"total": 1.0}, dedup_key="k")
        assert put(other, {"total": 1.0}, dedup_key="k") == first
    with Journal(journal.path) as later:
        assert put(later, {"total": 1.0}, dedup_key="k") == first


def test_after_a_minute_the_same_key_is_a_new_event(journal):
    early, payload = new_event("user", "feedback", {"total": 1.0})
    late, _ = new_event("user", "feedback", {"total": 1.0})
    late = Event(**{**late.to_dict(), "timestamp": early.timestamp + timedelta(seconds=60)})
    assert not journal.append(early, payload=payload, dedup_key="k").result(30).duplicate
    assert not journal.append(late, payload=payload, dedup_key="k").result(30).duplicate


def test_an_event_that_comes_again_is_stored_once(journal):
    event, _ = new_event("scout", "scout_topic_added", {"topic": "x"})
    outcomes = [journal.append(event, origin="hub").result(30) for _ in range(2)]
    assert [outcome.duplicate for outcome in outcomes] == [False, True]
    assert outcomes[0].event == outcomes[1].event
    batch = [journal.append(new_event("user", "feedback", {})[0]) for _ in range(3)]
    batch += [journal.append(event) for _ in range(3)]
    assert [future.result(30).duplicate for future in batch] == [False] * 3 + [True] * 3


def test_an_id_with_other_content_is_refused_and_harms_no_other(journal):
    event, _ = new_event("scout", "scout_topic_added", {"topic": "x"})
    forged = Event(**{**event.to_dict(), "timestamp": event.timestamp, "data": {"topic": "y"}})
    futures = [journal.append(one) for one in (event, forged, new_event("user", "feedback", {})[0])]
    with pytest.raises(ConfigError, match="taken"):
        futures[1].result(30)
    assert futures[0].result(30).event.seq == 1
    assert futures[2].result(30).event.seq == 2


@pytest.mark.parametrize("options", [{"dedup_key": ""}])
def test_an_empty_key_is_refused(journal, options):
    with pytest.raises(ConfigError, match="dedup_key"):
        put(journal, {}, **options)


def test_a_lane_that_is_none_is_refused(journal):
    event, payload = new_event("user", "feedback", {})
    with pytest.raises(ConfigError, match="priority"):
        journal.append(Event(**{**event.to_dict(), "priority": 7, "timestamp": event.timestamp}), payload=payload)


def test_a_cancelled_append_is_not_stored(journal):
    gate = threading.Event()
    held = journal.work(lambda db: gate.wait(10))
    event, payload = new_event("user", "feedback", {})
    future = journal.append(event, payload=payload)
    assert future.cancel()
    gate.set()
    held.result(30)
    assert put(journal, {"n": 1}).seq == 1


def test_a_cursor_is_kept(journal):
    assert journal.cursor("hub") is None
    journal.set_cursor("hub", "1").result(30)
    journal.set_cursor("hub", "2").result(30)
    with Journal(journal.path) as other:
        assert other.cursor("hub") == "2"


def test_work_that_fails_leaves_nothing(journal):
    def work(db: apsw.Connection) -> None:
        db.execute("INSERT INTO cursors VALUES ('x', '1')")
        raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        journal.work(work).result(30)
    assert journal.cursor("x") is None
    assert put(journal, {}).seq == 1


def test_events_of_a_work_are_stored_with_it_or_not_at_all(journal):
    heard: list[str] = []
    journal.listen(lambda events: heard.extend(event.event_id for event in events))
    event, payload = new_event("user", "feedback", {"n": 1})
    second, more = new_event("user", "feedback", {"n": 2})

    def work(db: apsw.Connection) -> tuple[str, list[Draft]]:
        db.execute("INSERT INTO cursors VALUES ('x', '1')")
        return "done", [Draft(event, payload=payload), Draft(second, payload=more)]

    def failing(db: apsw.Connection) -> tuple[str, list[Draft]]:
        db.execute("UPDATE cursors SET value = '2'")
        return "done", [Draft(event.at(None), payload=b"other content of the same id")]

    assert journal.work_with_events(work).result(30) == "done"
    assert journal.cursor("x") == "1"
    assert [stored.event_id for stored in journal.read()] == [event.event_id, second.event_id] == heard
    with pytest.raises(ReactorError):
        journal.work_with_events(failing).result(30)
    assert journal.cursor("x") == "1"
    assert journal.verify().ok


def test_closing_commits_what_waits(tmp_path):
    journal = Journal(tmp_path / "reactor.db")
    futures = [
        journal.append(event, payload=payload)
        for event, payload in (new_event("user", "feedback", {"n": number}) for number in range(100))
    ]
    journal.close()
    assert all(future.done() for future in futures)
    with Journal(tmp_path / "reactor.db") as again:
        assert len(again.read()) == 100


def test_a_closed_journal_says_so(tmp_path):
    journal = Journal(tmp_path / "reactor.db")
    journal.close()
    journal.close()
    with pytest.raises(JournalClosed):
        put(journal, {})
    with pytest.raises(JournalClosed):
        journal.read()


def test_closing_ends_the_thread(tmp_path):
    before = set(threading.enumerate())
    with Journal(tmp_path / "reactor.db") as journal:
        put(journal, {})
        assert set(threading.enumerate()) != before
    assert set(threading.enumerate()) <= before


def test_bridges_of_one_process_share_one_journal(tmp_path):
    one, two = Journal.shared(tmp_path / "reactor.db"), Journal.shared(tmp_path / "reactor.db")
    assert one is two
    one.release()
    assert put(two, {}).seq == 1
    two.release()
    with pytest.raises(JournalClosed):
        put(two, {})


def test_after_a_fork_the_child_is_told_to_open_its_own(journal, monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(JournalError, match="fork"):
        put(journal, {})


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2"])
def test_an_sqlite_with_the_wal_reset_bug_is_refused(version):
    with pytest.raises(EnvironmentMissing, match=r"3\.51\.3"):
        require_sqlite(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.54.1", "4.0.0"])
def test_an_sqlite_without_the_bug_is_taken(version):
    require_sqlite(version)


def test_every_commit_is_synced(journal):
    mode, level = journal.work(
        lambda db: (db.execute("PRAGMA journal_mode").get, db.execute("PRAGMA synchronous").get)
    ).result(30)
    assert (mode, level) == ("wal", 2)  # 2 = FULL, https://sqlite.org/pragma.html#pragma_synchronous


def test_only_the_owner_can_read_the_file(journal):
    assert journal.path.stat().st_mode & 0o077 == 0


def test_a_file_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "reactor.db"
    Journal(path).close()
    db = apsw.Connection(str(path))
    db.execute("PRAGMA user_version = 999")
    db.close()
    with pytest.raises(JournalError, match="format 999"):
        Journal(path)


def test_a_database_of_another_program_is_refused(tmp_path):
    path = tmp_path / "reactor.db"
    db = apsw.Connection(str(path))
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    with pytest.raises(JournalError, match="another program"):
        Journal(path)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "reactor.db"
    path.write_bytes(b"certainly not a database" * 1000)
    with pytest.raises(JournalError, match="damaged"):
        Journal(path)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="file"):
        Journal(tmp_path / "file" / "reactor.db")


def test_an_erased_payload_is_gone_from_the_disk_and_the_chain_still_holds(journal: Journal):
    secret = "correct-horse-battery-staple"
    put(journal, {"text": "before"})
    gone = put(journal, {"text": secret})
    record = journal.erase([gone.seq], reason="asked by the person")
    assert record.seq == 3
    assert record.data == {"seqs": [2], "reason": "asked by the person"}
    assert journal.read()[1].data == {}
    assert journal.read()[1].metadata == {"erased": True}
    report = journal.verify()
    assert (report.ok, report.events, report.erased) == (True, 3, 1)
    for file in journal.path.parent.iterdir():
        assert secret.encode() not in file.read_bytes()


def test_erasing_what_is_not_there_erases_nothing(journal):
    put(journal, {"text": "kept"})
    with pytest.raises(NotFound):
        journal.erase([1, 2], reason="x")
    assert journal.read()[0].data == {"text": "kept"}
    assert len(journal.read()) == 1


def test_the_same_path_is_one_file_for_str_and_path(tmp_path: Path):
    with Journal(tmp_path / "a.db") as one, Journal(Path(str(tmp_path / "a.db"))) as two:
        put(one, {})
        assert two.head() == one.head()


def test_an_event_that_is_published_again_after_a_doubtful_commit_is_found_and_harms_no_other(journal):
    event, payload = new_event("user", "feedback", {"n": 1})
    first = journal.append(event, payload=payload).result(30)
    gate = threading.Event()
    journal.work(lambda db: gate.wait(10))
    again = journal.append(event, payload=payload)
    fresh, bytes_of_it = new_event("user", "feedback", {"n": 2})
    other = journal.append(fresh, payload=bytes_of_it)
    gate.set()
    assert again.result(30).duplicate
    assert again.result(30).event == first.event
    assert other.result(30).event.seq == 2


def test_figures_are_those_of_writer_checkpoints_and_anchors(journal):
    put(journal, {})
    put(journal, {}, priority=1)
    figures = {sample.name: sample.value for sample in journal.metrics() if not sample.labels}
    assert figures["reactor_journal_rows"] == 2
    assert figures["reactor_journal_commits"] >= 2
    assert figures["reactor_checkpoint_size"] == 2


def test_positions_and_lanes_can_be_asked_for(journal):
    assert journal.first_seq() == 1
    for lane in (1, 3, 3, 4, 3):
        put(journal, {}, priority=lane)
    assert journal.waiting(3, 0) == 3
    assert journal.waiting(3, 3) == 1
    assert journal.waiting(2, 0) == 0
    assert journal.read(event_filter(priority=3))[0].seq == 2


def test_an_empty_list_is_stored_at_once(journal):
    assert journal.append_many([]).result(30) == []
    assert asyncio.run(journal.append_many_async([])) == []


def test_many_of_a_loop_are_answered_there(journal):
    async def publish() -> list[int | None]:
        drafts = [Draft(*new_event("user", "feedback", {"n": number})) for number in range(700)]
        outcomes = await asyncio.gather(
            journal.append_many_async(drafts[:600]), journal.append_many_async(drafts[600:])
        )
        return [outcome.event.data["n"] for some in outcomes for outcome in some]

    assert asyncio.run(publish()) == list(range(700))
    assert [event.data["n"] for event in journal.read()] == list(range(700))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_a_writing_thread_that_a_fault_ended(tmp_path):
    def faulty(events: list[Event]) -> None:
        raise AssertionError("a listener may not raise")

    with Journal(tmp_path / "reactor.db") as journal:
        journal.listen(faulty)
        assert put(journal, {}).seq == 1  # it is stored, and its publisher is told so
        with pytest.raises(JournalError, match="may not raise"):
            while True:  # until the thread has ended
                put(journal, {})
        assert not journal.health().ok
