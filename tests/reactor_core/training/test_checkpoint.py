from __future__ import annotations

from pathlib import Path

import pytest
import torch

from reactor_core.errors import CheckpointInvalid
from reactor_core.training.checkpoint import (
    Progress,
    latest_checkpoint,
    read_beside,
    read_partial,
    restore,
    save_checkpoint,
)
from reactor_core.training.mark import Mark
from reactor_core.training.optim import build_optimizer
from reactor_core.training.partial import Partial
from reactor_core.training.snapshot import Snapshot

IDENTITY = {"dataset": "a", "configuration": "b"}


def setting(seed: int) -> tuple[dict[str, torch.nn.Parameter], torch.optim.AdamW]:
    torch.manual_seed(seed)
    parameters = {"a": torch.nn.Parameter(torch.randn(3, 2)), "b": torch.nn.Parameter(torch.randn(4, 2))}
    return parameters, build_optimizer(parameters.values(), learning_rate=0.1, weight_decay=0.01, beta2=0.99)


def move(parameters: dict[str, torch.nn.Parameter], optimizer: torch.optim.AdamW, step: int) -> None:
    for parameter in parameters.values():
        parameter.grad = torch.sin(parameter.detach() * step)
    optimizer.step()


def run_and_save(folder: Path, steps: int) -> tuple[dict[str, torch.nn.Parameter], torch.optim.AdamW]:
    parameters, optimizer = setting(1)
    for step in range(1, steps + 1):
        move(parameters, optimizer, step)
        save_checkpoint(folder, Snapshot.of(parameters, optimizer), progress=Progress(step=step), identity=IDENTITY)
    return parameters, optimizer


def test_a_restored_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    parameters, optimizer = run_and_save(tmp_path, 3)
    move(parameters, optimizer, 4)
    fresh, fresh_optimizer = setting(2)
    checkpoint = latest_checkpoint(tmp_path)
    assert checkpoint is not None
    progress = restore(checkpoint, parameters=fresh, optimizer=fresh_optimizer, identity=IDENTITY)
    move(fresh, fresh_optimizer, 4)
    assert progress.step == 3
    assert all(torch.equal(fresh[name], parameters[name]) for name in parameters)


def half_a_step(parameters: dict[str, torch.nn.Parameter], turns: int) -> Partial:
    gradients = {name: torch.full_like(value, 0.5) for name, value in parameters.items()}
    return Partial("parts", 4, turns, 0.1, 7, 1.5, gradients, {"log_ratios": torch.ones(2, 2)})


def test_a_step_in_its_middle_comes_after_its_beginning_and_before_its_end(tmp_path: Path) -> None:
    parameters, optimizer = run_and_save(tmp_path, 1)
    for turns in (1, 3):
        save_checkpoint(
            tmp_path,
            Snapshot.of(parameters, optimizer, half_a_step(parameters, turns)),
            progress=Progress(step=1),
            identity=IDENTITY,
            beside={"reference": torch.ones(2)},
        )
    newest = latest_checkpoint(tmp_path)
    assert newest is not None
    assert [Mark.of(newest), len(list(tmp_path.iterdir()))] == [Mark(1, 3), 2]
    found = read_partial(newest, parameters)
    assert found is not None
    assert found.facts() == half_a_step(parameters, 3).facts()
    assert all(torch.equal(found.gradients[name], torch.full_like(parameters[name], 0.5)) for name in parameters)
    assert read_beside(newest).keys() == {"reference"}
    (newest / "partial.safetensors").write_bytes(b"torn")
    with pytest.warns(UserWarning, match="step-00000001-0003 is damaged"):
        assert latest_checkpoint(tmp_path) == tmp_path / Mark(1, 1).name


def test_a_checkpoint_between_two_steps_holds_no_part_of_one(tmp_path: Path) -> None:
    parameters, _ = run_and_save(tmp_path, 1)
    place = tmp_path / Mark(1).name
    assert read_partial(place, parameters) is None
    assert read_beside(place) == {}


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    run_and_save(tmp_path, 4)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["step-00000003", "step-00000004"]


@pytest.mark.parametrize("file", ["trained.safetensors", "optimizer.safetensors", "state.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_checkpoint_is_passed_over_with_a_warning(tmp_path: Path, file: str, damage: str) -> None:
    run_and_save(tmp_path, 2)
    victim = tmp_path / "step-00000002" / file
    if damage == "cut":
        victim.write_bytes(victim.read_bytes()[:-3])
    else:
        victim.unlink()
    with pytest.warns(UserWarning, match="step-00000002 is damaged"):
        assert latest_checkpoint(tmp_path) == tmp_path / "step-00000001"


def test_a_run_without_an_intact_checkpoint_does_not_start_afresh_in_silence(tmp_path: Path) -> None:
    run_and_save(tmp_path, 1)
    (tmp_path / "step-00000001" / "state.json").write_text("{}")
    with pytest.warns(UserWarning, match="damaged"), pytest.raises(CheckpointInvalid, match="resume=False"):
        latest_checkpoint(tmp_path)


def test_the_only_checkpoint_is_found_again_if_its_replacement_was_killed(tmp_path: Path) -> None:
    run_and_save(tmp_path, 1)
    place = tmp_path / "step-00000001"
    place.rename(tmp_path / ".tmp-was-step-00000001")  # as atomic_dir leaves it between its two renames
    (tmp_path / ".tmp-new").mkdir()
    assert latest_checkpoint(tmp_path) == place


def test_no_checkpoint_is_no_error(tmp_path: Path) -> None:
    assert latest_checkpoint(tmp_path) is None


def test_a_checkpoint_of_other_data_is_refused_by_name(tmp_path: Path) -> None:
    run_and_save(tmp_path, 1)
    parameters, optimizer = setting(1)
    with pytest.raises(CheckpointInvalid, match="another dataset"):
        restore(
            tmp_path / "step-00000001",
            parameters=parameters,
            optimizer=optimizer,
            identity=IDENTITY | {"dataset": "other"},
        )


def test_what_a_killed_save_left_behind_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / ".tmp-torn").mkdir()
    (tmp_path / ".tmp-torn" / "trained.safetensors").write_bytes(b"half")
    run_and_save(tmp_path, 1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["step-00000001"]
