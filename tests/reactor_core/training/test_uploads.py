from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from reactor_core.cloud.blobs import FolderStore
from reactor_core.errors import StorageError
from reactor_core.training.mark import NOTHING, Mark
from reactor_core.training.remote import RemoteRun, TakenOver
from reactor_core.training.uploads import Uploads
from reactor_core.utils.clock import SystemClock

PATIENCE = 30.0


class Slow(RemoteRun):
    """Sends when it is let, and fails with what was planted."""

    def __init__(self, folder: Path) -> None:
        super().__init__(FolderStore(folder), {"dataset": "a"}, clock=SystemClock())
        self.begun, self.go = threading.Event(), threading.Event()
        self.plan: list[Exception] = []
        self.go.set()

    def save(self, mark: Mark, files: Mapping[str, Path]) -> None:
        self.begun.set()
        assert self.go.wait(PATIENCE)
        if self.plan:
            raise self.plan.pop()
        super().save(mark, files)


@pytest.fixture
def remote(tmp_path: Path) -> Slow:
    remote = Slow(tmp_path / "store")
    remote.look()
    remote.claim("train-1")
    return remote


def checkpoint(folder: Path, step: int) -> Path:
    place = folder / "checkpoints" / f"step-{step:08d}"
    place.mkdir(parents=True)
    (place / "trained.safetensors").write_text(f"weights {step}")
    return place


def test_a_checkpoint_arrives_though_its_folder_is_removed_meanwhile(remote: Slow, tmp_path: Path) -> None:
    run = tmp_path / "run"
    place = checkpoint(run, 1)
    (run / "loss.jsonl").write_text("one\n")
    remote.go.clear()
    with Uploads(remote, run) as uploads:
        uploads.offer(place)
        (place / "trained.safetensors").unlink()
        with (run / "loss.jsonl").open("a") as log:
            log.write("two\n")
        assert not uploads.settle(0.01)
        remote.go.set()
        assert uploads.settle(PATIENCE)
        assert uploads.durable == Mark(1)
    assert remote.bring(tmp_path / "new", newer_than=NOTHING) == Mark(1)
    assert (tmp_path / "new" / "loss.jsonl").read_text() == "one\n"
    assert [path for path in run.iterdir() if path.name.startswith(".tmp")] == []


def test_one_that_waits_is_replaced_by_a_newer_one(remote: Slow, tmp_path: Path) -> None:
    run = tmp_path / "run"
    remote.go.clear()
    with Uploads(remote, run) as uploads:
        uploads.offer(checkpoint(run, 1))
        assert remote.begun.wait(PATIENCE)
        for step in (2, 3, 4):
            uploads.offer(checkpoint(run, step))
        remote.go.set()
        assert uploads.settle(PATIENCE)
    assert remote.head is not None
    assert [saved.step for saved in remote.head.checkpoints] == [1, 4]


def test_at_an_ordinary_end_what_waits_is_sent_first(remote: Slow, tmp_path: Path) -> None:
    with Uploads(remote, tmp_path / "run") as uploads:
        uploads.offer(checkpoint(tmp_path / "run", 1))
    assert remote.newest == Mark(1)


def test_after_an_error_nothing_is_waited_for(remote: Slow, tmp_path: Path) -> None:
    remote.go.clear()
    with pytest.raises(ZeroDivisionError), Uploads(remote, tmp_path / "run") as uploads:
        uploads.offer(checkpoint(tmp_path / "run", 1))
        raise ZeroDivisionError
    remote.go.set()


def test_a_store_that_fails_is_warned_of_once_and_tried_again(remote: Slow, tmp_path: Path) -> None:
    remote.plan = [StorageError("the bucket is away")]
    with Uploads(remote, tmp_path / "run") as uploads:
        uploads.offer(checkpoint(tmp_path / "run", 1))
        assert uploads.settle(PATIENCE)
        with pytest.warns(UserWarning, match="the checkpoint of step 1 is on this machine only: the bucket is away"):
            uploads.check()
        uploads.check()
        uploads.offer(checkpoint(tmp_path / "run", 2))
        assert uploads.settle(PATIENCE)
        assert uploads.durable == Mark(2)


def test_a_run_that_another_machine_has_is_told_to_the_training_thread(remote: Slow, tmp_path: Path) -> None:
    remote.plan = [TakenOver("another machine")]
    with Uploads(remote, tmp_path / "run") as uploads:
        uploads.offer(checkpoint(tmp_path / "run", 1))
        assert uploads.settle(PATIENCE)
        with pytest.raises(TakenOver):
            uploads.check()
