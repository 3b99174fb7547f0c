from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from reactor_core.cloud.blobs import FolderStore
from reactor_core.errors import CheckpointInvalid, StorageError
from reactor_core.training.mark import NOTHING, Mark
from reactor_core.training.remote import Head, RemoteRun, TakenOver
from reactor_core.utils.clock import SystemClock

IDENTITY = {"dataset": "a", "configuration": "b"}


class Counting(FolderStore):
    """A folder that counts, and can be made to fail."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.uploads = 0
        self.before_swap: Callable[[], object] = lambda: None
        self.broken = False

    def upload(self, name: str, file: Path) -> None:
        if self.broken:
            raise StorageError("planted")
        self.uploads += 1
        super().upload(name, file)

    def swap(self, name: str, data: bytes, *, expected: str) -> str | None:
        self.before_swap()
        return super().swap(name, data, expected=expected)


@pytest.fixture
def store(tmp_path: Path) -> Counting:
    return Counting(tmp_path / "store")


def machine(store: FolderStore, *, keep: int = 2, claim: bool = True) -> RemoteRun:
    remote = RemoteRun(store, IDENTITY, clock=SystemClock(), keep=keep)
    remote.look()
    if claim:
        remote.claim("train-1")
    return remote


def checkpoint(folder: Path, step: int) -> dict[str, Path]:
    """Files of a run's folder after a step."""
    place = folder / "checkpoints" / f"step-{step:08d}"
    place.mkdir(parents=True, exist_ok=True)
    (place / "trained.safetensors").write_text(f"weights {step}")
    (folder / "loss.jsonl").write_text("\n".join(map(str, range(step))))
    (folder / "best-00000001").mkdir(exist_ok=True)
    (folder / "best-00000001" / "trained.safetensors").write_text("best")
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_another_machine_gets_every_file_of_the_newest_checkpoint(store: Counting, tmp_path: Path) -> None:
    first = machine(store)
    for step in (1, 2):
        first.save(Mark(step), checkpoint(tmp_path / str(step), step))
    second = machine(store, claim=False)
    assert second.newest == Mark(2)
    assert second.bring(tmp_path / "new", newer_than=NOTHING) == Mark(2)
    assert contents(tmp_path / "new") == contents(tmp_path / "2")


def test_nothing_is_brought_that_is_not_newer(store: Counting, tmp_path: Path) -> None:
    machine(store).save(Mark(2), checkpoint(tmp_path / "a", 2))
    assert machine(store).bring(tmp_path / "new", newer_than=Mark(2)) is None
    assert not (tmp_path / "new").exists()


def test_the_newest_ones_are_kept_and_nothing_else(store: Counting, tmp_path: Path) -> None:
    remote = machine(store, keep=2)
    for step in (1, 2, 3):
        remote.save(Mark(step), checkpoint(tmp_path / str(step), step))
    assert remote.head is not None
    assert [saved.step for saved in remote.head.checkpoints] == [2, 3]
    # head, two weights, two logs, and the best weights, which both checkpoints share
    assert len(store.names("")) == 6


def test_a_file_that_is_there_is_not_sent_again(store: Counting, tmp_path: Path) -> None:
    remote = machine(store)
    run = tmp_path / "run"
    remote.save(Mark(1), checkpoint(run, 1))
    assert store.uploads == 3
    (run / "checkpoints" / "step-00000001" / "trained.safetensors").unlink()
    remote.save(Mark(2), checkpoint(run, 2))
    assert store.uploads == 5  # weights and log


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_checkpoint_is_passed_over_with_a_warning(store: Counting, tmp_path: Path, damage: str) -> None:
    remote = machine(store)
    for step in (1, 2):
        remote.save(Mark(step), checkpoint(tmp_path / str(step), step))
    assert remote.head is not None
    path = tmp_path / "store" / remote.head.checkpoints[1].files["checkpoints/step-00000002/trained.safetensors"].name
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if damage == "cut" else b"W" + content[1:])
    with pytest.warns(UserWarning, match="checkpoint of step 2 .* is damaged"):
        assert machine(store).bring(tmp_path / "new", newer_than=NOTHING) == Mark(1)
    assert contents(tmp_path / "new") == contents(tmp_path / "1")


def test_a_run_that_goes_on_from_before_a_damaged_checkpoint_replaces_it(store: Counting, tmp_path: Path) -> None:
    remote = machine(store)
    for step in (2, 6):
        remote.save(Mark(step), checkpoint(tmp_path / str(step), step))
    assert remote.head is not None
    store.delete(remote.head.checkpoints[1].files["checkpoints/step-00000006/trained.safetensors"].name)
    other = machine(store)
    with pytest.warns(UserWarning, match="checkpoint of step 6"):
        assert other.bring(tmp_path / "new", newer_than=NOTHING) == Mark(2)
    other.save(Mark(3), checkpoint(tmp_path / "3", 3))
    assert machine(store, claim=False).newest == Mark(3)
    assert machine(store).bring(tmp_path / "newer", newer_than=NOTHING) == Mark(3)


def test_where_nothing_is_intact_a_machine_without_a_checkpoint_does_not_start_afresh(
    store: Counting, tmp_path: Path
) -> None:
    remote = machine(store)
    remote.save(Mark(1), checkpoint(tmp_path / "1", 1))
    for name in store.names(""):
        if not name.endswith("head.json"):
            store.delete(name)
    other = machine(store)
    with pytest.warns(UserWarning, match="damaged"), pytest.raises(CheckpointInvalid, match="resume=False"):
        other.bring(tmp_path / "new", newer_than=NOTHING)
    with pytest.warns(UserWarning, match="damaged"):
        assert other.bring(tmp_path / "new", newer_than=Mark(0)) is None  # there is one here


def test_a_head_that_cannot_be_read_is_no_empty_one(store: Counting) -> None:
    remote = machine(store)
    name = next(name for name in store.names("") if name.endswith("head.json"))
    (Path(store.where) / name).write_text("{}")
    with pytest.raises(CheckpointInvalid, match=r"head\.json"):
        remote.look()


def test_a_path_that_leads_out_of_the_run_is_refused(store: Counting, tmp_path: Path) -> None:
    remote = machine(store)
    remote.save(Mark(1), checkpoint(tmp_path / "1", 1))
    head = Path(store.where) / next(name for name in store.names("") if name.endswith("head.json"))
    data = json.loads(head.read_text())
    files = data["checkpoints"][0]["files"]
    files["../../evil"] = files.pop("loss.jsonl")
    head.write_text(json.dumps(data))
    with pytest.warns(UserWarning, match="outside the run"), pytest.raises(CheckpointInvalid):
        machine(store, claim=False).bring(tmp_path / "new", newer_than=NOTHING)
    assert not (tmp_path.parent / "evil").exists()


def test_whoever_claims_the_run_stops_the_one_before(store: Counting, tmp_path: Path) -> None:
    old = machine(store)
    old.save(Mark(1), checkpoint(tmp_path / "1", 1))
    new = machine(store)
    with pytest.raises(TakenOver, match="has taken over"):
        old.save(Mark(2), checkpoint(tmp_path / "2", 2))
    assert machine(store, claim=False).newest == Mark(1)
    new.save(Mark(3), checkpoint(tmp_path / "3", 3))
    assert machine(store, claim=False).newest == Mark(3)


def test_what_the_one_before_was_uploading_costs_the_new_one_nothing(store: Counting, tmp_path: Path) -> None:
    """The old owner is between its last upload and its head when the new one claims, sweeps and saves."""
    old = machine(store)
    old.save(Mark(1), checkpoint(tmp_path / "1", 1))
    done: list[int] = []

    def take_over() -> None:
        store.before_swap = lambda: None
        new = machine(store)
        new.save(Mark(5), checkpoint(tmp_path / "5", 5))
        done.append(5)

    store.before_swap = take_over
    with pytest.raises(TakenOver):
        old.save(Mark(2), checkpoint(tmp_path / "2", 2))
    assert done == [5]
    assert machine(store).bring(tmp_path / "new", newer_than=NOTHING) == Mark(5)


def test_of_machines_that_claim_at_once_one_wins(store: Counting, tmp_path: Path) -> None:
    machine(store).save(Mark(1), checkpoint(tmp_path / "1", 1))
    meet = threading.Barrier(4)
    won: list[RemoteRun] = []
    lost: list[TakenOver] = []

    def resume() -> None:
        remote = machine(FolderStore(Path(store.where)), claim=False)
        meet.wait()
        try:
            remote.claim("train-1")
            won.append(remote)
        except TakenOver as error:
            lost.append(error)

    threads = [threading.Thread(target=resume) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 3)
    won[0].save(Mark(2), checkpoint(tmp_path / "2", 2))


def test_an_upload_that_fails_leaves_what_was_there(store: Counting, tmp_path: Path) -> None:
    remote = machine(store)
    remote.save(Mark(1), checkpoint(tmp_path / "1", 1))
    store.broken = True
    with pytest.raises(StorageError, match="planted"):
        remote.save(Mark(2), checkpoint(tmp_path / "2", 2))
    store.broken = False
    assert machine(store, claim=False).newest == Mark(1)
    remote.save(Mark(2), checkpoint(tmp_path / "2", 2))  # it may still write
    assert machine(store, claim=False).newest == Mark(2)


def test_what_an_interrupted_upload_left_is_removed_by_the_next_machine(store: Counting, tmp_path: Path) -> None:
    machine(store).save(Mark(1), checkpoint(tmp_path / "1", 1))
    folder = store.names("")[0].partition("/")[0]
    store.upload(f"{folder}/some-token/half", tmp_path / "1" / "loss.jsonl")
    machine(store)
    assert not [name for name in store.names("") if name.endswith("half")]
    assert len(store.names("")) == 4


def test_a_run_that_began_again_forgets_what_was_there(store: Counting, tmp_path: Path) -> None:
    machine(store).save(Mark(1), checkpoint(tmp_path / "1", 1))
    again = machine(store, claim=False)
    again.claim("train-2", over=True)
    assert again.head is not None
    assert (again.head.run_id, again.newest, len(store.names(""))) == ("train-2", NOTHING, 1)


def test_a_finished_run_leaves_its_result_and_is_not_gone_on_with(store: Counting, tmp_path: Path) -> None:
    remote = machine(store)
    files = checkpoint(tmp_path / "1", 1)
    remote.save(Mark(1), files)
    remote.finish(1, {"loss.jsonl": files["loss.jsonl"]})
    after = machine(store, claim=False)
    assert isinstance(after.head, Head)
    assert after.head.result is not None
    assert (after.newest, list(after.head.result.files)) == (NOTHING, ["loss.jsonl"])
    assert len(store.names("")) == 2
    after.claim("train-2")
    assert after.head.result is None


def test_another_identity_is_another_run(store: Counting, tmp_path: Path) -> None:
    machine(store).save(Mark(1), checkpoint(tmp_path / "1", 1))
    other = RemoteRun(store, {**IDENTITY, "dataset": "c"}, clock=SystemClock())
    assert other.look() is None
