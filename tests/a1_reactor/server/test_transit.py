from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.server.transit import KEPT_SECONDS, Transit, file_name
from reactor_core.errors import NotFound
from reactor_core.utils.ids import new_id


@pytest.fixture
def transit(tmp_path):
    return Transit(tmp_path / "exports")


def aged(transit, *, seconds):
    key = new_id()
    path = transit.place(key, "a.mp4")
    path.write_bytes(b"x")
    then = path.stat().st_mtime - seconds
    os.utime(path.parent, (then, then))
    return key


def test_a_file_is_found_until_it_is_removed(transit):
    key = new_id()
    path = transit.place(key, "a.mp4")
    path.write_bytes(b"x")
    assert transit.find(key, "a.mp4") == path
    transit.remove(key)
    transit.remove(key)
    with pytest.raises(NotFound, match="day"):
        transit.find(key, "a.mp4")


def test_after_a_day_it_goes_unless_it_is_needed(transit):
    old, needed, fresh = (aged(transit, seconds=age) for age in (KEPT_SECONDS + 60, KEPT_SECONDS + 60, 3600))
    assert transit.sweep({needed}) == 1
    assert {path.name for path in transit.folder.iterdir()} == {needed, fresh}
    assert old not in {needed, fresh}


def test_what_is_not_its_own_stays(transit):
    other = transit.folder / "notes"
    other.mkdir(parents=True)
    os.utime(other, (0, 0))
    assert transit.sweep() == 0
    assert other.is_dir()


@pytest.mark.parametrize(
    ("given_", "name"),
    [
        ("street.mp4", "street.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\Straße am Mittag.MOV", "Straße am Mittag.MOV"),
        ("a\nb\x00?.webm", "a_b_.webm"),
        (".hidden", "hidden"),
        ("..", "video"),
        ("", "video"),
        ("\U00020000" * 200 + ".webm", "\U00020000" * 38 + ".webm"),
        ("0'" + "0" * 300, "0_" + "0" * 158),
        ("a. " * 100 + "." + "b" * 11, "a. " * 53 + "a"),
    ],
)
def test_a_name_becomes_that_of_one_plain_file(given_, name):
    assert file_name(given_, default="video") == name


@given(st.text(max_size=300) | st.text("a. '", min_size=150, max_size=300))
def test_whatever_it_is_called_it_stays_in_its_folder(tmp_path_factory, given_):
    name = file_name(given_, default="video")
    assert 0 < len(name.encode()) <= 160
    assert "/" not in name
    assert name not in {".", ".."}
    assert name == file_name(name, default="video")
