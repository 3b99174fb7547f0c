"""A run that goes on on another machine: real runs of a tiny model, two workspaces, one store."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.servers.gcs import Bucket

from reactor_core.errors import ConfigError, Interrupted
from reactor_core.gcp import SpotVMCheckpointer
from reactor_core.gcp.metadata_server import RehearsalMetadataServer
from reactor_core.training import Trainer, TrainingConfig
from reactor_core.training.checkpointer import Checkpointer, automatic_checkpointer, find_place
from reactor_core.training.control import Wish
from reactor_core.training.hooks import StepInfo, TrainingHook
from reactor_core.training.remote import TakenOver
from reactor_core.utils import environment
from reactor_core.utils.clock import SystemClock
from reactor_core.utils.environment import GIB, Environment, Kind, Probes, detect_environment
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]


@pytest.fixture
def config(model_folder: MakeModel) -> TrainingConfig:
    return TrainingConfig(
        model_name=str(model_folder("llama")), lora_rank=4, num_epochs=2, batch_size=3, learning_rate=0.01
    )


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., Settings]:
    """Another machine: a workspace of its own."""

    def make(name: str, **options: Any) -> Settings:
        return Settings(workspace=tmp_path / name, cache_dir=tmp_path / "cache", **options)

    return make


def adapter_hash(folder: Path) -> str:
    return hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()


class AtStep(TrainingHook):
    def __init__(self, step: int, action: Callable[[], object]) -> None:
        self.step, self.action = step, action

    def on_step(self, step: StepInfo) -> None:
        if step.step == self.step:
            self.action()


def gce() -> Environment:
    probes = Probes(
        system="Linux", machine="x86_64", memory_bytes=32 * GIB, usable_cpus=8, dmi_product="Google Compute Engine"
    )
    return detect_environment(probes)


def interrupted(config: TrainingConfig, settings: Settings, rows: Path, at: int, **options: Any) -> Path:
    """Train until a step; the run's folder."""
    hook = AtStep(at, lambda: trainer.control.ask(Wish.STOP))
    trainer = Trainer(config, hooks=[hook], settings=settings, **options)
    with pytest.raises(Interrupted):
        trainer.train(rows)
    (folder,) = (settings.workspace / "runs").iterdir()
    return folder


def test_a_preempted_run_ends_on_the_next_machine_in_the_same_bytes(
    config: TrainingConfig, machine: Callable[..., Settings], rows_file: Path, bucket: Bucket
) -> None:
    untouched = Trainer(config, settings=machine("whole")).train(rows_file)
    with RehearsalMetadataServer() as metadata:
        checkpointer = SpotVMCheckpointer(500, bucket.url, metadata_host=metadata.host)
        noticed = threading.Event()

        def lose_the_machine() -> None:
            metadata.preempt()
            deadline = threading.Event()
            while not list((machine("first").workspace / "runs").glob("*/checkpoints/step-00000003")):
                assert not deadline.wait(0.01)  # the step that is going on has not ended, and the state is durable
            noticed.set()

        trainer = Trainer(
            config, hooks=[AtStep(3, lose_the_machine)], settings=machine("first"), checkpointer=checkpointer
        )
        with pytest.raises(Interrupted, match=r"preemption notice; gs://checkpoints/\w+ has it too"):
            trainer.train(rows_file)
        assert noticed.is_set()
    (first,) = (machine("first").workspace / "runs").iterdir()
    result = Trainer(config, settings=machine("second"), checkpointer=SpotVMCheckpointer(500, bucket.url)).train(
        rows_file
    )
    assert result.resumed_from == 3
    assert result.run_id == first.name
    assert adapter_hash(result.adapter_dir) == adapter_hash(untouched.adapter_dir)
    steps = [json.loads(line)["step"] for line in result.loss_path.read_text().splitlines()]
    assert steps == list(range(1, result.steps + 1))
    assert result.final_loss == untouched.final_loss
    names = bucket.names()
    head = json.loads(bucket.content(next(name for name in names if name.endswith("head.json"))))
    stored = head["result"]["files"]["adapter/adapter_model.safetensors"]
    assert stored["sha256"] == adapter_hash(result.adapter_dir)
    assert head["checkpoints"] == []
    assert {piece["name"] for piece in head["result"]["files"].values()} == set(names) - {
        f"{names[0].partition('/')[0]}/head.json"
    }


def test_a_bare_trainer_on_compute_engine_uses_the_bucket_of_the_environment(
    config: TrainingConfig,
    machine: Callable[..., Settings],
    rows_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    firmware = tmp_path / "product_name"
    firmware.write_text("Google Compute Engine\n")
    monkeypatch.setattr(environment, "_DMI_PRODUCT", firmware)
    with RehearsalMetadataServer() as metadata:
        there = {"gcs_checkpoint_bucket": str(tmp_path / "store"), "gce_metadata_host": metadata.host}
        interrupted(config, machine("first", **there), rows_file, 2)
        assert Trainer(config, settings=machine("second", **there)).train(rows_file).resumed_from == 2
        assert metadata.requests > 0


def test_elsewhere_the_bucket_of_the_environment_is_left_alone(
    config: TrainingConfig, machine: Callable[..., Settings], rows_file: Path, tmp_path: Path
) -> None:
    settings = machine("laptop", gcs_checkpoint_bucket=str(tmp_path / "store"))
    Trainer(config, settings=settings).train(rows_file)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("kind", "bucket_name", "used"), [(Kind.GCE, "gs://b", True), (Kind.GCE, None, False), (Kind.CPU, "gs://b", False)]
)
def test_what_a_bare_trainer_does(kind: Kind, bucket_name: str | None, used: bool) -> None:
    found = gce()
    at = Environment(kind=kind, mode=found.mode, device="cpu", quantized=False, reasons=(), probes=found.probes)
    made = automatic_checkpointer(Settings(gcs_checkpoint_bucket=bucket_name), at)
    assert (made is not None) == used


@pytest.mark.parametrize(
    ("own", "setting", "kind", "host"),
    [
        (None, "metadata.google.internal", Kind.GCE, "metadata.google.internal"),
        (None, "metadata.google.internal", Kind.CPU, None),
        (None, "127.0.0.1:80", Kind.CPU, "127.0.0.1:80"),
        ("127.0.0.1:81", "127.0.0.1:80", Kind.CPU, "127.0.0.1:81"),
    ],
)
def test_only_a_machine_that_has_a_metadata_server_asks_one(
    own: str | None, setting: str, kind: Kind, host: str | None
) -> None:
    settings = Settings(gce_metadata_host=setting)
    assert Checkpointer(metadata_host=own).watched_host(settings, kind) == host


def test_the_machine_is_not_looked_at_where_it_does_not_matter() -> None:
    place = find_place(None, {}, Settings(), clock=SystemClock(), keep=2, environment=pytest.fail)
    assert place.remote is None


def test_a_checkpointer_without_a_bucket_is_refused_before_the_first_step(
    config: TrainingConfig, settings: Settings, rows_file: Path
) -> None:
    with pytest.raises(ConfigError, match="GCS_CHECKPOINT_BUCKET"):
        Trainer(config, settings=settings, checkpointer=SpotVMCheckpointer()).train(rows_file)


def test_steps_decide_what_is_sent(
    config: TrainingConfig, machine: Callable[..., Settings], rows_file: Path, tmp_path: Path
) -> None:
    seen: list[int] = []
    checkpointer = Checkpointer(store=str(tmp_path / "store"), interval=2)

    def look() -> None:
        (head,) = (tmp_path / "store").glob("*/head.json")
        seen.append(max(saved["step"] for saved in json.loads(head.read_text())["checkpoints"]))

    def wait_and_look() -> None:
        while any(
            path.name.startswith(".tmp-upload") for path in next((machine("m").workspace / "runs").iterdir()).iterdir()
        ):
            pass
        look()

    Trainer(config, hooks=[AtStep(4, wait_and_look)], settings=machine("m"), checkpointer=checkpointer).train(rows_file)
    assert seen == [2]  # step 4 is sent after its hooks


def test_a_machine_that_is_overtaken_stops_and_the_other_one_finishes(
    config: TrainingConfig, machine: Callable[..., Settings], rows_file: Path, tmp_path: Path
) -> None:
    checkpointer = Checkpointer(store=str(tmp_path / "store"), interval=1)
    results: list[Any] = []

    def another_machine_goes_on() -> None:
        results.append(Trainer(config, settings=machine("second"), checkpointer=checkpointer).train(rows_file))

    first = Trainer(
        config, hooks=[AtStep(4, another_machine_goes_on)], settings=machine("first"), checkpointer=checkpointer
    )
    with pytest.raises(TakenOver):
        first.train(rows_file)
    untouched = Trainer(config, settings=machine("whole")).train(rows_file)
    assert adapter_hash(results[0].adapter_dir) == adapter_hash(untouched.adapter_dir)


def test_starting_over_does_not_go_on_from_the_store(
    config: TrainingConfig, machine: Callable[..., Settings], rows_file: Path, tmp_path: Path
) -> None:
    checkpointer = Checkpointer(store=str(tmp_path / "store"))
    interrupted(config, machine("first"), rows_file, 2, checkpointer=checkpointer)
    result = Trainer(config, settings=machine("second"), checkpointer=checkpointer).train(rows_file, resume=False)
    assert result.resumed_from == 0


def test_insisting_on_going_on_is_satisfied_by_the_store(
    config: TrainingConfig, machine: Callable[..., Settings], rows_file: Path, tmp_path: Path
) -> None:
    checkpointer = Checkpointer(store=str(tmp_path / "store"))
    with pytest.raises(ConfigError, match="no unfinished run"):
        Trainer(config, settings=machine("second"), checkpointer=checkpointer).train(rows_file, resume=True)
    interrupted(config, machine("first"), rows_file, 2, checkpointer=checkpointer)
    result = Trainer(config, settings=machine("second"), checkpointer=checkpointer).train(rows_file, resume=True)
    assert result.resumed_from == 2


def test_a_machine_that_has_more_than_the_store_goes_on_from_its_own(
    config: TrainingConfig, machine: Callable[..., Settings], rows_file: Path, tmp_path: Path
) -> None:
    checkpointer = Checkpointer(store=str(tmp_path / "store"))
    interrupted(config, machine("m"), rows_file, 2, checkpointer=checkpointer)
    interrupted(config, machine("m"), rows_file, 4)  # without the store
    assert Trainer(config, settings=machine("m"), checkpointer=checkpointer).train(rows_file).resumed_from == 4
