import errno
import os

import pytest

from a1_reactor.storage.sources import SourceStore
from reactor_core.errors import ArtifactCorrupt, NotFound, StorageFull


@pytest.fixture
def store(tmp_path):
    return SourceStore(tmp_path / "a1r")


def put(store, path):
    with store.held(path) as source:
        return source


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "Ferien \udcff.MP4"
    path.write_bytes(b"film" * 1000)
    return path


def test_a_file_is_kept_once_and_found_by_its_hash(store, film):
    kept = put(store, film)
    assert put(store, film) == kept == store.open(kept.sha256)
    assert (kept.path.read_bytes(), kept.size) == (film.read_bytes(), 4000)
    assert (kept.path.name, kept.name) == ("original.mp4", "Ferien ?.MP4")
    assert not os.access(kept.path, os.W_OK) or os.getuid() == 0


def test_what_changes_afterwards_is_not_what_is_kept(store, film):
    kept = put(store, film)
    film.write_bytes(b"another")
    assert kept.path.read_bytes() == b"film" * 1000


def test_a_file_that_changes_while_it_is_copied_is_refused_and_nothing_is_kept(store, film, monkeypatch):
    def copy(source, target):
        target.write_bytes(b"half of it")

    monkeypatch.setattr("a1_reactor.storage.sources.shutil.copyfile", copy)
    with pytest.raises(ArtifactCorrupt, match="changed while"):
        put(store, film)
    assert list(store.folder.iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(store, film, monkeypatch):
    def full(source, target):
        target.write_bytes(b"some")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("a1_reactor.storage.sources.shutil.copyfile", full)
    with pytest.raises(StorageFull):
        put(store, film)
    assert list(store.folder.iterdir()) == []


@pytest.mark.parametrize("name", ["0" * 64, "../..", "", "x"])
def test_what_is_not_kept_is_not_found(store, name):
    with pytest.raises(NotFound, match="not kept"):
        store.open(name)


def test_a_damaged_folder_is_said(store, film):
    kept = put(store, film)
    kept.path.chmod(0o644)
    kept.path.write_bytes(b"short")
    with pytest.raises(ArtifactCorrupt, match="5 bytes"):
        store.open(kept.sha256)
    (kept.path.parent / "source.json").write_text('{"name": "x", "size": 5, "file": "../../../etc/hostname"}')
    with pytest.raises(ArtifactCorrupt):
        store.open(kept.sha256)


def test_only_what_no_clip_needs_is_swept(store, film, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(b"other")
    kept, gone = put(store, film), put(store, other)
    (store.folder / "notes.txt").write_text("somebody's own")
    assert store.sweep({kept.sha256}) == [gone.sha256]
    assert sorted(path.name for path in store.folder.iterdir()) == sorted([kept.sha256, "notes.txt"])
    assert SourceStore(tmp_path / "none").sweep(set()) == []


def test_a_file_that_a_clip_is_being_made_of_is_not_swept(store, film):
    with store.held(film) as kept:
        assert SourceStore(store.folder.parent).sweep(set()) == []
        assert kept.path.is_file()
    assert store.sweep(set()) == [kept.sha256]
