from __future__ import annotations

import threading

import pytest

from reactor_core.errors import JournalError
from reactor_core.events import Journal, event_filter, new_event
from reactor_core.events.reader import JournalReader


@pytest.fixture
def reader(journal: Journal):
    reader = journal.open_reader()
    yield reader
    reader.close()


def put(journal: Journal, number: int) -> str:
    event, payload = new_event("user", ("even", "odd")[number % 2], {"n": number})
    return journal.append(event, payload=payload).result(30).event.event_id


def test_it_sees_each_commit_and_that_there_was_one(journal, reader):
    before = reader.data_version()
    event_id = put(journal, 0)
    assert reader.data_version() != before
    assert reader.has(event_id)
    assert not reader.has("another")
    assert reader.head() == journal.head()


def test_without_a_commit_the_version_stays(reader):
    assert reader.data_version() == reader.data_version()


def test_reading_and_counting_use_the_same_filter(journal, reader):
    for number in range(5):
        put(journal, number)
    odd = event_filter("odd")
    assert [event.data["n"] for event in reader.read(odd)] == [1, 3]
    assert reader.count(odd) == {"odd": 2}
    assert reader.count() == {"even": 3, "odd": 2}


def test_threads_take_turns(journal, reader):
    for number in range(20):
        put(journal, number)
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(len(reader.read()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [20] * 8


def test_it_cannot_write(journal, reader):
    with pytest.raises(JournalError, match="readonly"):
        reader._query("DELETE FROM cursors", ())


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(JournalError, match=r"absent\.db"):
        JournalReader(tmp_path / "absent.db", "id")
    assert list(tmp_path.iterdir()) == []
