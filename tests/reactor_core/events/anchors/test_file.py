from __future__ import annotations

import threading

import pytest
from tests.reactor_core.events.anchors.records import HOUR_US, record

from reactor_core.errors import StorageError
from reactor_core.events.anchors import Record
from reactor_core.events.anchors.file import FileAnchor


def sizes(anchor: FileAnchor, journal_id: str = "j") -> list[int]:
    return [found.size for found in anchor.read(journal_id) if isinstance(found, Record)]


@pytest.fixture
def anchor(tmp_path):
    return FileAnchor(tmp_path / "far" / "journal.checkpoints")


def test_checkpoints_are_kept_in_order(anchor):
    for size in (3, 5, 9):
        anchor.write(record(size))
    assert list(anchor.read("j")) == [record(3), record(5), record(9)]
    assert anchor.path.stat().st_mode & 0o777 == 0o600


def test_journals_can_share_a_file(anchor):
    anchor.write(record(3))
    anchor.write(record(4, journal_id="other"))
    assert (sizes(anchor), sizes(anchor, "other")) == ([3], [4])


@pytest.mark.parametrize("kept", [0, 1, 100, 300])
def test_a_line_torn_by_a_crash_was_never_kept_and_harms_no_other(anchor, kept):
    anchor.write(record(3))
    whole = anchor.path.stat().st_size
    anchor.write(record(4))
    with anchor.path.open("rb+") as stream:
        stream.truncate(whole + kept)
    assert list(anchor.read("j")) == [record(3)]
    anchor.write(record(5))
    assert list(anchor.read("j")) == [record(3), record(5)]


def test_a_damaged_line_is_named(anchor):
    for size in (3, 4, 5):
        anchor.write(record(size))
    lines = anchor.path.read_bytes().splitlines(keepends=True)
    anchor.path.write_bytes(lines[0] + lines[1].replace(b"\\n4\\n", b"\\n6\\n") + lines[2])
    found = list(anchor.read("j"))
    assert [found[0], found[2]] == [record(3), record(5)]
    assert "line 2" in found[1]


def test_several_writers_lose_nothing(anchor):
    anchors = [FileAnchor(anchor.path) for _ in range(4)]

    def work(first: int) -> None:
        for size in range(first, 80, 4):
            anchors[first % 4].write(record(size))

    threads = [threading.Thread(target=work, args=(first,)) for first in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sizes(anchor)) == list(range(1, 80))


def test_the_file_is_thinned_to_the_newest_and_one_an_hour(anchor, monkeypatch):
    monkeypatch.setattr("reactor_core.events.anchors.file.MAX_BYTES", 10_000)
    monkeypatch.setattr("reactor_core.events.anchors.file.KEEP", 10)
    thinned = FileAnchor(anchor.path)
    other = record(1, journal_id="other")
    thinned.write(other)
    for size in range(1, 201):
        thinned.write(record(size, made_us=size * HOUR_US // 10))
    found = sizes(thinned)
    assert found[-10:] == list(range(191, 201))
    assert all(size in found for size in range(9, 190, 10))  # the last of each hour
    assert len(found) < 100
    assert list(thinned.read("other")) == [other]
    assert thinned.path.stat().st_mode & 0o777 == 0o600


def test_a_place_that_cannot_be_written_is_an_error_of_storage(tmp_path):
    (tmp_path / "file").write_text("in the way")
    anchor = FileAnchor(tmp_path / "file" / "anchor")
    with pytest.raises(StorageError):
        anchor.write(record(1))
    with pytest.raises(StorageError):
        list(anchor.read("j"))
