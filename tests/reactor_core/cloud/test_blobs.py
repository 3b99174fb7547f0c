from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from reactor_core.cloud.blobs import ABSENT, BlobStore, FolderStore
from reactor_core.cloud.stores import open_store
from reactor_core.errors import StorageError


@pytest.fixture(params=["folder", "memory", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlobStore]:
    if request.param == "bucket":
        url = f"{request.getfixturevalue('bucket').url}/some/where"
    else:
        url = str(tmp_path / "store") if request.param == "folder" else f"memory://{tmp_path.name}"
    with closing(open_store(url, project="test")) as store:
        yield store


def test_every_store_takes_back_what_it_was_given(store: BlobStore, tmp_path: Path) -> None:
    file, back = tmp_path / "file", tmp_path / "back"
    file.write_bytes(b"weights")
    store.upload("run/a/x", file)
    store.upload("run/b", file)
    store.download("run/a/x", back)
    assert back.read_bytes() == b"weights"
    assert store.names("run/") == ["run/a/x", "run/b"]
    store.delete("run/a/x")
    store.delete("run/never")
    assert store.names("run/") == ["run/b"]
    with pytest.raises(StorageError):
        store.download("run/a/x", back)


def test_a_swap_needs_the_version_that_is_there(store: BlobStore) -> None:
    assert store.read("head") is None
    first = store.swap("head", b"1", expected=ABSENT)
    assert first is not None
    assert store.read("head") == (b"1", first)
    assert store.swap("head", b"2", expected=ABSENT) is None
    second = store.swap("head", b"2", expected=first)
    assert second not in (None, first)
    assert store.swap("head", b"3", expected=first) is None
    assert store.read("head") == (b"2", second)


def test_of_many_that_swap_at_once_one_wins(tmp_path: Path) -> None:
    def attempt(number: int) -> bool:
        return FolderStore(tmp_path).swap("head", str(number).encode(), expected=ABSENT) is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(24))) == 1


def test_an_upload_that_fails_leaves_nothing_to_be_listed(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    with pytest.raises(StorageError):
        store.upload("a/b", tmp_path / "missing")
    assert store.names("") == []
