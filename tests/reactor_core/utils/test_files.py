import errno
import hashlib
import os
import subprocess
import sys

import pytest

from reactor_core.errors import StorageError, StorageFull
from reactor_core.utils import failpoints
from reactor_core.utils.files import atomic_dir, atomic_write, put_back_replaced, sha256_file, sweep_unfinished

KILLED_BETWEEN = """
import os, sys
from pathlib import Path
from reactor_core.utils import failpoints
from reactor_core.utils.files import atomic_dir
failpoints.install(lambda name: os._exit(7) if name == "files.replaced" else None)
with atomic_dir(Path(sys.argv[1])) as folder:
    (folder / "new").touch()
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def full_disk(*_args, **_kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_is_replaced_whole(tmp_path):
    target = tmp_path / "new" / "a.txt"
    atomic_write(target, "one")
    atomic_write(target, b"two")
    assert target.read_bytes() == b"two"
    assert names(target.parent) == ["a.txt"]


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "a.txt"
    atomic_write(target, "old")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(StorageFull, match=r"a\.txt.*free space"):
        atomic_write(target, "new")
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_other_failures_name_the_path(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file/below"):
        atomic_write(tmp_path / "file" / "below", "x")


def test_a_folder_appears_whole(tmp_path):
    with atomic_dir(tmp_path / "run") as folder:
        (folder / "a").write_text("1")
        assert names(tmp_path) != ["run"]
    assert names(tmp_path) == ["run"]
    with atomic_dir(tmp_path / "run") as folder:
        (folder / "b").write_text("2")
    assert names(tmp_path / "run") == ["b"]
    assert names(tmp_path) == ["run"]


@pytest.mark.parametrize("then", [put_back_replaced, sweep_unfinished, "write"])
def test_a_folder_that_was_being_replaced_is_found_again_after_a_kill(tmp_path, then):
    place = tmp_path / "run"
    place.mkdir()
    (place / "old").touch()
    assert subprocess.run([sys.executable, "-c", KILLED_BETWEEN, str(place)]).returncode == 7
    assert not place.exists()
    if then == "write":
        with atomic_dir(place) as folder:
            (folder / "newest").touch()
    else:
        assert then(tmp_path) == 1
    assert names(place) == ["newest" if then == "write" else "old"]
    sweep_unfinished(tmp_path)
    assert names(tmp_path) == ["run"]


def test_what_stops_a_replacement_leaves_the_old_folder(tmp_path):
    (tmp_path / "run").mkdir()

    def stop(_name):
        raise KeyboardInterrupt

    failpoints.install(stop)
    try:
        with pytest.raises(KeyboardInterrupt), atomic_dir(tmp_path / "run") as folder:
            (folder / "new").touch()
    finally:
        failpoints.install(None)
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == []


def test_what_was_replaced_already_is_swept(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / ".tmp-was-run").mkdir()
    assert put_back_replaced(tmp_path) == 0
    assert sweep_unfinished(tmp_path) == 1
    assert names(tmp_path) == ["run"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_folder_leaves_nothing(tmp_path, error):
    with pytest.raises(error), atomic_dir(tmp_path / "run") as folder:
        (folder / "a").write_text("1")
        raise error
    assert names(tmp_path) == []


def test_a_full_disk_inside_a_folder_is_typed(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(StorageFull), atomic_dir(tmp_path / "run") as folder:
        (folder / "a").write_text("1")
    assert names(tmp_path) == []


def test_leftovers_of_a_killed_process_are_swept(tmp_path):
    (tmp_path / ".tmp-1").mkdir()
    (tmp_path / ".tmp-2").write_text("")
    (tmp_path / "kept").write_text("")
    assert sweep_unfinished(tmp_path) == 2
    assert names(tmp_path) == ["kept"]


def test_file_hash_equals_hashlib(tmp_path):
    data = os.urandom(100_000)
    (tmp_path / "x").write_bytes(data)
    assert sha256_file(tmp_path / "x") == hashlib.sha256(data).hexdigest()
