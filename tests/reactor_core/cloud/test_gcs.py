"""Google's client against a server that honours preconditions, with faults between the two."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.servers.gcs import Bucket

from reactor_core.cloud.blobs import ABSENT
from reactor_core.cloud.gcs import GcsStore
from reactor_core.errors import StorageError


@pytest.fixture
def store(bucket: Bucket) -> Iterator[GcsStore]:
    with closing(GcsStore(f"{bucket.url}/runs", project="test", retry_seconds=6.0)) as store:
        yield store


def once(what: str, when: Callable[[str, str], bool]) -> Callable[[str, str], str | None]:
    """A fault that happens to the first request of a kind."""
    left = [what]
    return lambda method, path: left.pop() if left and when(method, path) else None


def uploads(method: str, path: str) -> bool:
    return method == "POST" and "/upload/" in path


@pytest.mark.parametrize("what", ["429", "503", "cut", "lost"])
def test_an_upload_is_repeated_until_it_is_there(store: GcsStore, bucket: Bucket, tmp_path: Path, what: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 100_000)
    bucket.fault = once(what, uploads)
    store.upload("a", file)
    assert bucket.content("runs/a") == file.read_bytes()
    assert sum(uploads(*seen) for seen in bucket.seen) == 2


def test_a_swap_whose_answer_was_lost_is_known_to_have_happened(store: GcsStore, bucket: Bucket) -> None:
    bucket.fault = once("lost", uploads)
    version = store.swap("head", b"mine", expected=ABSENT)
    assert version is not None
    assert sum(uploads(*seen) for seen in bucket.seen) == 2
    assert store.swap("head", b"next", expected=version) is not None


def test_a_swap_after_somebody_else_is_refused_even_if_its_first_answer_was_lost(
    store: GcsStore, bucket: Bucket
) -> None:
    bucket.put("runs/head", b"theirs")
    bucket.fault = once("503", uploads)
    assert store.swap("head", b"mine", expected=ABSENT) is None
    assert bucket.content("runs/head") == b"theirs"


@pytest.mark.parametrize("what", ["403", "401"])
def test_who_may_not_is_told_at_once_and_what_to_do(store: GcsStore, bucket: Bucket, what: str) -> None:
    bucket.fault = lambda _method, _path: what
    with pytest.raises(StorageError, match="service account"):
        store.read("head")
    with warnings.catch_warnings():  # Google's client leaves the answer open if it cannot renew its credentials
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    assert len(set(bucket.seen)) == len(bucket.seen), "no request is repeated"


def test_a_changed_byte_is_noticed_on_the_way_down(store: GcsStore, bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("runs/a", b"weights")
    bucket.fault = lambda _method, _path: "flip"
    with pytest.raises(StorageError):
        store.download("a", tmp_path / "back")


def test_a_bucket_that_does_not_exist_is_an_error_and_not_an_empty_one(bucket: Bucket) -> None:
    with closing(GcsStore("gs://nowhere", project="test")) as nowhere, pytest.raises(StorageError, match="nowhere"):
        nowhere.swap("head", b"1", expected=ABSENT)
