from __future__ import annotations

import shutil

import pytest

from a1_reactor.server.clips import ClipShelf
from a1_reactor.types import Window
from reactor_core.errors import NotFound
from reactor_core.events import Journal


@pytest.fixture(scope="module")
def made(tmp_path_factory, make_engine):
    """A clip and two takes of a window of it: their folder and their keys."""
    folder = tmp_path_factory.mktemp("made")
    engine, spec = make_engine(folder)
    small = {"seconds": "1/4", "width": 32, "height": 32}
    first = engine.generate(spec(**small)).clip
    takes = [engine.regen(spec(**small, windows=(Window(1, 3),), seed=n), parent=first).clip for n in (1, 2)]
    return folder, [clip.key for clip in (first, *takes)]


@pytest.fixture
def shelf(tmp_path):
    return ClipShelf(tmp_path / "a1r", journal=tmp_path / "reactor" / "reactor.db")


@pytest.fixture
def clips(made, tmp_path):
    folder, keys = made
    shutil.copytree(folder, tmp_path / "a1r")
    return keys


def test_a_choice_carries_what_the_take_cost(made, tmp_path):
    folder, keys = made
    shutil.copytree(folder, tmp_path / "a1r")
    path = tmp_path / "reactor" / "reactor.db"
    shelf = ClipShelf(tmp_path / "a1r", journal=path, usd_per_hour=3.6)
    shelf.choose(keys[1], "keep", actor="ui", branch="main")
    with Journal(path) as journal:
        (cost,) = [event.data["take"]["cost"] for event in journal.read() if "take" in event.data]
    assert cost["usd"] == pytest.approx(cost["wall_ms"] / 1e6)  # 3.6 dollars an hour are a millionth a millisecond


def test_an_empty_workspace_has_none(shelf):
    assert shelf.newest(before=None, limit=5) == ([], None)


def test_the_newest_come_first_page_by_page(shelf, clips):
    page, following = shelf.newest(before=None, limit=2)
    assert [clip["id"] for clip in page] == clips[:0:-1]
    rest, end = shelf.newest(before=following, limit=2)
    assert ([clip["id"] for clip in rest], end) == (clips[:1], None)
    with pytest.raises(NotFound):
        shelf.newest(before="f" * 16, limit=2)


def test_a_clip_knows_its_parent_and_the_other_takes(shelf, clips):
    shown = shelf.show(clips[2])
    assert (shown["parent"], shown["lineage"], shown["takes"]) == (clips[0], [clips[0]], clips[1:])
    assert shown["windows"] == [{"start_frame": 1, "stop_frame": 3, "asked_seconds": None}]
    assert shelf.show(clips[0])["takes"] == [clips[0]]


@pytest.mark.parametrize("name", ["f" * 16, "../cache", "/etc/passwd", "", "artifact.mp4"])
def test_nothing_but_an_id_of_a_clip_opens_one(shelf, clips, name):
    with pytest.raises(NotFound):
        shelf.open(name)


def test_a_damaged_clip_is_left_out(shelf, clips, tmp_path):
    shelf.newest(before=None, limit=9)
    path = tmp_path / "a1r" / "cache" / clips[0] / "job.json"
    path.unlink()
    path.write_text("{}")
    assert [clip["id"] for clip in shelf.newest(before=None, limit=9)[0]] == clips[:0:-1]


def test_a_choice_is_seen_at_once_told_to_the_journal_and_can_be_undone(shelf, clips, tmp_path):
    kept = shelf.choose(clips[1], "keep", actor="ada", branch="main")
    rejected = shelf.choose(clips[2], "reject", actor="ada", branch="main")
    assert (kept["verdict"]["verdict"], kept["branches"]) == ("keep", ["main"])
    assert rejected["verdict"]["verdict"] == "reject"
    assert shelf.undo(actor="ada") == {
        "undone": rejected["event_id"],
        "action": "reject",
        "clip": clips[2],
    }
    assert shelf.show(clips[2])["verdict"] is None
    with pytest.raises(NotFound):
        shelf.undo(actor="bob")
    with Journal(tmp_path / "reactor" / "reactor.db") as journal:
        assert [event.data["action"] for event in journal.read()] == ["keep", "reject", "undo"]
