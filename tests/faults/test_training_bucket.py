"""Checkpoints in a bucket whose network and server fail: what the bucket names is whole, whatever happened."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from tests.faults.harness.tally import Tally
from tests.servers.gcs import Bucket, Fault

from reactor_core.cloud.gcs import GcsStore
from reactor_core.errors import CheckpointInvalid, StorageError
from reactor_core.training.mark import NOTHING, Mark
from reactor_core.training.remote import Head, RemoteRun
from reactor_core.utils.clock import SystemClock

# Google's client leaves the answer open where it is refused and cannot renew its credentials.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

FAULTS = ("403", "429", "500", "503", "cut", "lost", "flip", "slow", "short")
SAVES = 12


@pytest.fixture
def store(bucket: Bucket) -> Iterator[GcsStore]:
    """Gives up soon, so that most faults are not overcome."""
    with closing(GcsStore(f"{bucket.url}/runs", project="test", retry_seconds=0.3)) as store:
        yield store
    gc.collect()  # while its warnings are ignored


def machine(store: GcsStore) -> RemoteRun:
    remote = RemoteRun(store, {"dataset": "a"}, clock=SystemClock())
    remote.look()
    remote.claim("train-1")
    return remote


def checkpoint(folder: Path, mark: Mark) -> dict[str, Path]:
    """Files of a run's folder at a mark."""
    place = folder / str(mark) / "checkpoints" / mark.name
    place.mkdir(parents=True)
    (place / "trained.safetensors").write_text(f"weights of {mark} " * 1000)
    (place.parent.parent / "loss.jsonl").write_text(f"{mark}\n")
    return {file.relative_to(folder / str(mark)).as_posix(): file for file in place.parents[1].rglob("*.*")}


def head_of(bucket: Bucket) -> Head:
    (name,) = (name for name in bucket.names() if name.endswith("head.json"))
    return msgspec.json.decode(bucket.content(name), type=Head)


def require_whole(bucket: Bucket) -> None:
    """Every file that the head names is there, with its content."""
    head = head_of(bucket)
    for saved in head.checkpoints:
        for piece in saved.files.values():
            assert hashlib.sha256(bucket.content(f"runs/{piece.name}")).hexdigest() == piece.sha256


def fault_of(tally: Tally) -> Fault:
    """A quarter of all requests fails, in any way."""

    def fault(_method: str, path: str) -> str | None:
        what = tally.chance.choice(FAULTS) if tally.chance.random() < 0.25 else None
        if what is None or (what == "short" and "prefix=" not in path):
            return None  # only a listing can be cut short
        tally.count(f"bucket: {what}")
        return what

    return fault


def test_whatever_fails_the_bucket_names_only_what_is_whole_and_never_less_than_it_had(
    store: GcsStore, bucket: Bucket, tmp_path: Path, tally: Tally
) -> None:
    for run in tally.times(1):
        bucket.fault = lambda _method, _path: None
        bucket.empty()
        remote, durable = machine(store), NOTHING

        for number in range(SAVES):
            mark = Mark(number // 2, number % 2)
            bucket.fault = fault_of(tally)
            try:
                remote.save(mark, checkpoint(tmp_path / str(run), mark))
                durable = mark
                tally.count("bucket: checkpoints stored")
            except StorageError:
                tally.count("bucket: checkpoints refused")
            bucket.fault = lambda _method, _path: None
            require_whole(bucket)
            assert max((saved.mark for saved in head_of(bucket).checkpoints), default=NOTHING) >= durable
        tally.run()
        last = checkpoint(tmp_path / str(run), Mark(SAVES))
        remote.save(Mark(SAVES), last)
        assert len(bucket.names()) == 1 + len(
            {piece.name for saved in head_of(bucket).checkpoints for piece in saved.files.values()}
        )
        other = machine(store)
        assert other.bring(tmp_path / f"{run}-new", newer_than=NOTHING) == Mark(SAVES)
        brought = tmp_path / f"{run}-new" / "checkpoints" / Mark(SAVES).name / "trained.safetensors"
        assert brought.read_text().startswith("weights of step 12")


def test_a_write_whose_answer_and_proof_were_lost_is_not_taken_for_another_machine(
    store: GcsStore, bucket: Bucket, tmp_path: Path
) -> None:
    remote = machine(store)
    remote.save(Mark(1), checkpoint(tmp_path, Mark(1)))
    naming: list[str] = []

    def fault(method: str, path: str) -> str | None:
        if method == "POST" and "ifGenerationMatch" in path:
            naming.append(path)
        return ("lost" if len(naming) == 1 else "503") if naming else None

    bucket.fault = fault
    with pytest.raises(StorageError):
        remote.save(Mark(2), checkpoint(tmp_path, Mark(2)))
    bucket.fault = lambda _method, _path: None
    assert head_of(bucket).checkpoints[-1].mark == Mark(2), "it was carried out"
    remote.save(Mark(3), checkpoint(tmp_path, Mark(3)))
    assert head_of(bucket).checkpoints[-1].mark == Mark(3)
    require_whole(bucket)


def test_bytes_that_change_on_the_way_down_pass_a_checkpoint_over(
    store: GcsStore, bucket: Bucket, tmp_path: Path
) -> None:
    remote = machine(store)
    for step in (1, 2):
        remote.save(Mark(step), checkpoint(tmp_path, Mark(step)))
    newest = head_of(bucket).checkpoints[-1].files[f"checkpoints/{Mark(2).name}/trained.safetensors"].sha256
    bucket.fault = lambda method, path: "flip" if method == "GET" and newest in path else None
    with pytest.warns(UserWarning, match="of step 2 .* is damaged"):
        assert machine(store).bring(tmp_path / "new", newer_than=NOTHING) == Mark(1)


@pytest.mark.parametrize("what", ["503", "403", "cut"])
def test_a_bucket_that_cannot_be_read_is_not_an_empty_one(store: GcsStore, bucket: Bucket, what: str) -> None:
    machine(store)
    bucket.fault = lambda _method, _path: what
    with pytest.raises((StorageError, CheckpointInvalid)):
        RemoteRun(store, {"dataset": "a"}, clock=SystemClock()).look()


def test_a_listing_that_is_cut_short_loses_nothing_and_the_next_one_sweeps(
    store: GcsStore, bucket: Bucket, tmp_path: Path
) -> None:
    remote = machine(store)
    bucket.fault = lambda method, path: "short" if method == "GET" and "prefix=" in path else None
    for step in (1, 2, 3, 4):
        remote.save(Mark(step), checkpoint(tmp_path, Mark(step)))
    require_whole(bucket)
    assert len(bucket.names()) > 5
    bucket.fault = lambda method, path: "slow" if method == "GET" and "prefix=" in path else None
    remote.save(Mark(5), checkpoint(tmp_path, Mark(5)))
    require_whole(bucket)
    assert len(bucket.names()) == 5  # the head, and two files of each of two checkpoints
