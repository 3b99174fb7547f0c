"""A journal that was made smaller: what is left proves itself, and nothing goes that somebody still needs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from reactor_core.errors import ConfigError, JournalError, NotFound
from reactor_core.events import Event, Journal, event_filter, new_event
from reactor_core.events.archive import verify_archive
from reactor_core.events.audit import verify_workspace
from reactor_core.events.drafts import Draft
from reactor_core.events.retention import CompactReport


def fill(journal: Journal, count: int, *, seal: bool = True, **data: object) -> list[Event]:
    """Store events; the last one is of lane 1, behind which a checkpoint is signed."""
    drafts = [Draft(*new_event("user", "feedback", {"n": number, **data})) for number in range(count - seal)]
    stored = [outcome.event for outcome in journal.append_many(drafts).result(60)]
    if seal:
        event, payload = new_event("user", "feedback", {"n": count - 1, **data}, priority=1)
        stored.append(journal.append(event, payload=payload).result(60).event)
    return stored


def test_the_oldest_rows_go_and_the_rest_is_proved(journal: Journal):
    fill(journal, 100)
    kept = fill(journal, 50)
    report = journal.compact(keep_after_seq=100)
    assert isinstance(report, CompactReport)
    assert (report.rows, report.until, report.archive) == (100, 100, None)
    assert journal.first_seq() == 101
    assert journal.read()[:-1] == kept
    assert journal.read()[-1] == report.records[0]
    said = report.records[0].data
    assert (said["first"], said["until"], said["count"], said["archive"]) == (1, 100, 100, None)
    assert fill(journal, 1)[0].seq == 152
    walked = journal.verify()
    assert (walked.ok, walked.events) == (True, 152)
    found = verify_workspace(journal.path)
    assert found.ok, found.lines()


def test_pruning_goes_on_from_where_it_ended(journal: Journal):
    for _ in range(4):
        fill(journal, 70)
    pruned = []
    for keep in (70, 140, 211):
        report = journal.compact(keep_after_seq=keep)
        pruned.append(report.rows)
        found = verify_workspace(journal.path)
        assert found.ok, found.lines()
    assert pruned == [70, 70, 70]
    assert journal.first_seq() == 211


def test_rows_behind_the_last_checkpoint_in_reach_stay(journal: Journal):
    fill(journal, 10)
    fill(journal, 10)
    assert journal.compact(keep_after_seq=15).until == 10
    nothing = journal.compact(keep_after_seq=15)
    assert (nothing.rows, nothing.until, nothing.records) == (0, 10, ())
    assert journal.first_seq() == 11


def test_a_journal_without_a_checkpoint_stays_whole(journal: Journal):
    fill(journal, 10, seal=False)
    assert journal.compact(keep_after_seq=0).rows == 0
    assert journal.first_seq() == 1


def test_rows_go_by_age(journal: Journal):
    fill(journal, 10)
    later = fill(journal, 10)
    assert journal.compact(before=later[0].timestamp).until == 10
    assert journal.compact(before=later[-1].timestamp + timedelta(days=1)).until == 20


def test_a_row_with_a_later_time_keeps_what_follows_it(journal: Journal):
    fill(journal, 5)
    event, _ = new_event("user", "feedback", {}, priority=1)
    future = Event(event.event_id, event.event_type, event.source, 1, {}, event.timestamp + timedelta(days=400))
    journal.append(future, origin="hub").result(30)
    last = fill(journal, 5)[-1]
    assert journal.compact(before=last.timestamp + timedelta(days=1)).until == 5


def test_pruned_rows_can_be_kept_in_a_file_that_proves_itself(journal: Journal, tmp_path: Path):
    fill(journal, 3000, text="Grüße")
    erased = journal.erase([7], reason="asked by the person")
    fill(journal, 1)
    file = tmp_path / "archive" / "2026.jsonl"
    report = journal.compact(keep_after_seq=erased.seq, archive=file)
    assert report.archive == file
    assert report.records[0].data["archive"] == "2026.jsonl"
    assert report.records[0].data["archive_sha256"] == report.archive_sha256
    found = verify_archive(file)
    assert (found.ok, found.events, found.erased) == (True, report.rows, 1)
    assert found.head == report.records[0].data["link"]
    assert file.stat().st_mode & 0o077 == 0
    assert "Grüße".encode() in file.read_bytes()
    assert verify_workspace(journal.path).ok


def test_a_second_archive_follows_the_first(journal: Journal, tmp_path: Path):
    fill(journal, 20)
    fill(journal, 20)
    first = journal.compact(keep_after_seq=20, archive=tmp_path / "one")
    second = journal.compact(keep_after_seq=40, archive=tmp_path / "two")
    assert (first.until, second.until) == (20, 40)
    assert verify_archive(tmp_path / "two").ok
    last = fill(journal, 5)[-1]
    with pytest.raises(ConfigError, match="never overwritten"):
        journal.compact(keep_after_seq=last.seq, archive=tmp_path / "two")
    assert journal.first_seq() == 41


def test_large_journals_are_pruned_in_several_transactions(journal: Journal, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("reactor_core.events.retention.ROWS_AT_ONCE", 40)
    for _ in range(10):
        fill(journal, 20)
    report = journal.compact(keep_after_seq=195, archive=tmp_path / "all")
    assert (report.rows, report.until) == (180, 180)
    assert [record.data["count"] for record in report.records] == [40, 40, 40, 40, 20]
    assert verify_archive(tmp_path / "all").events == 180
    assert verify_workspace(journal.path).ok


@pytest.mark.parametrize("name", ["hub ws://host/ws/events", "handler:mailer"])
def test_what_a_reader_has_not_got_yet_is_not_pruned(journal: Journal, name: str):
    fill(journal, 10)
    fill(journal, 10)
    journal.set_cursor(name, '{"1":20,"2":0,"3":9,"4":0}').result(30)  # 10 is of lane 1; 2 and 4 are empty
    assert journal.compact(keep_after_seq=10).until == 10
    with pytest.raises(JournalError, match=name):
        journal.compact(keep_after_seq=20)
    assert journal.first_seq() == 11
    assert journal.compact(keep_after_seq=20, force=True).until == 20


@pytest.mark.parametrize(("name", "value"), [("redis#read", '{"1":0,"2":0,"3":0,"4":0}'), ("other", '"0-0"')])
def test_private_notes_of_a_relay_hold_nothing_back(journal: Journal, name: str, value: str):
    fill(journal, 10)
    journal.set_cursor(name, value).result(30)
    assert journal.compact(keep_after_seq=10).until == 10


@pytest.mark.parametrize("limits", [{}, {"keep_after_seq": 1, "before": new_event("user", "error", {})[0].timestamp}])
def test_exactly_one_limit_is_taken(journal: Journal, limits: dict):
    with pytest.raises(ConfigError, match="either"):
        journal.compact(**limits)


def test_an_id_that_was_pruned_is_forgotten_and_a_key_of_it_too(journal: Journal):
    event, payload = new_event("scout", "feedback", {"n": 1})
    journal.append(event, origin="hub").result(30)
    named, payload = new_event("user", "feedback", {"n": 2})
    journal.append(named, payload=payload, dedup_key="k").result(30)
    fill(journal, 1)
    journal.compact(keep_after_seq=3)
    assert not journal.append(event, origin="hub").result(30).duplicate
    other, payload = new_event("user", "feedback", {"n": 3})
    assert not journal.append(other, payload=payload, dedup_key="k").result(30).duplicate


def test_what_was_never_confirmed_is_not_listed_once_it_is_pruned(journal: Journal):
    event, _ = new_event("scout", "kill_switch_triggered", {"action": "x"}, priority=1)
    journal.append(event, origin="hub", uncommitted=True).result(30)
    assert [one.event_id for one in journal.unconfirmed()] == [event.event_id]
    journal.compact(keep_after_seq=1)
    assert journal.unconfirmed() == []


def test_rows_deleted_without_the_record_are_found(journal: Journal):
    fill(journal, 10)
    fill(journal, 10)
    journal.compact(keep_after_seq=10)
    fill(journal, 1)
    db = apsw.Connection(str(journal.path))
    db.execute("DELETE FROM events WHERE seq <= 20")
    db.close()
    assert not verify_workspace(journal.path).ok
    assert (journal.verify().ok, journal.verify().first_bad) == (False, 1)


def test_the_space_is_used_again_or_given_back(journal: Journal):
    fill(journal, 4000, text="x" * 400)
    journal.shrink()
    size = journal.path.stat().st_size
    journal.compact(keep_after_seq=4000)
    fill(journal, 3000, text="x" * 400)
    assert journal.path.stat().st_size < 1.2 * size
    journal.compact(keep_after_seq=7001)
    journal.shrink()
    assert journal.path.stat().st_size < size / 4
    assert verify_workspace(journal.path).ok
    assert fill(journal, 1)[0].seq == 7003


def test_payloads_are_erased_by_filter_and_records_are_not(journal: Journal, monkeypatch):
    monkeypatch.setattr("reactor_core.events.retention._ERASED_AT_ONCE", 8)
    fill(journal, 20, text="secret")
    put, payload = new_event("user", "error", {"text": "stays"})
    journal.append(put, payload=payload).result(30)
    journal.erase([1], reason="one")
    assert journal.erase_matching(event_filter("feedback"), reason="older than allowed") == 19
    assert journal.erase_matching(event_filter(), reason="all", source="user") == 1
    assert journal.erase_matching(event_filter(), reason="all") == 0
    events = journal.read()
    assert {event.event_type for event in events if event.metadata != {"erased": True}} == {"payload_erased"}
    assert [event.source for event in events if event.data.get("reason") == "all"] == ["user"]
    fill(journal, 1)
    assert verify_workspace(journal.path).ok


def test_erasing_what_was_pruned_is_an_error(journal: Journal):
    fill(journal, 5)
    journal.compact(keep_after_seq=5)
    with pytest.raises(NotFound):
        journal.erase([3], reason="too late")


def test_an_erased_event_that_comes_again_is_known(journal: Journal):
    event, _ = new_event("scout", "feedback", {"text": "secret"})
    seq = journal.append(event, origin="hub").result(30).event.seq
    journal.erase([seq], reason="asked by the person")
    again = journal.append(event, origin="hub").result(30)
    assert again.duplicate
    assert again.event.data == {}
