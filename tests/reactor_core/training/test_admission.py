import dataclasses
import warnings

import pytest
import torch

from reactor_core.data.records import read_dataset
from reactor_core.errors import ConfigError
from reactor_core.models.store import resolve_model
from reactor_core.training import admission
from reactor_core.training.admission import (
    admit,
    prepare_subject,
    require_room,
    require_training,
    room_on,
    surely_fits,
)
from reactor_core.training.config import TrainingConfig
from reactor_core.training.plan import plan_run
from reactor_core.training.trainer import Trainer
from reactor_core.utils.environment import GIB, Probes, detect_environment
from reactor_core.utils.environment_memory import MemoryRoom

CPU = torch.device("cpu")
LINUX = detect_environment(Probes(system="Linux", machine="x86_64", memory_bytes=24 * GIB, usable_cpus=2))
SMALL = detect_environment(Probes(system="Linux", machine="x86_64", memory_bytes=4 * GIB, usable_cpus=2))
APPLE = detect_environment(Probes(system="Darwin", machine="arm64", memory_bytes=16 * GIB, usable_cpus=8))
CLOUD = detect_environment(
    Probes(system="Linux", machine="x86_64", memory_bytes=32 * GIB, usable_cpus=8, dmi_product="Google Compute Engine")
)
NO_ROOM = MemoryRoom(GIB, 1000, "a test has 1000 bytes free")


@pytest.fixture
def config(model_folder):
    return TrainingConfig(model_name=str(model_folder("llama")), lora_rank=4)


def test_a_16_gb_apple_machine_does_not_train_and_says_why(config, settings, rows_file):
    with pytest.raises(ConfigError, match=r"inference only: .*16.0 GiB of memory, at most 16 GiB.*anyway=True"):
        Trainer(config, settings=settings, environment=APPLE).train(rows_file)
    assert not (settings.workspace / "runs").exists()


def test_it_trains_where_the_user_insists(config, settings, rows_file):
    insisting = config.model_copy(update={"anyway": True, "max_steps": 1})
    assert Trainer(insisting, settings=settings, environment=APPLE).train(rows_file).steps == 1
    assert insisting.hash == config.model_copy(update={"max_steps": 1}).hash


@pytest.mark.parametrize("environment", [LINUX, CLOUD, SMALL])
def test_every_other_machine_may_train(environment):
    require_training(environment)


def test_a_run_without_room_is_refused_before_any_weight_is_loaded(config, settings, rows_file, monkeypatch):
    monkeypatch.setattr(admission, "probe_memory", lambda: NO_ROOM)
    monkeypatch.setattr("reactor_core.training.trainer.load_model", lambda *a, **k: pytest.fail("it was loaded"))
    monkeypatch.setattr(admission, "remedies", lambda *_: [])
    with pytest.raises(ConfigError, match=r"would peak at about .* a test has 1000 bytes free.*smaller model.*--plan"):
        Trainer(config, settings=settings, environment=LINUX).train(rows_file)
    assert not (settings.workspace / "runs").exists()


def test_what_would_fit_is_named(config, settings, rows_file, monkeypatch):
    subject = prepare_subject(
        config,
        resolve_model(config.model_name, None, settings),
        read_dataset(rows_file),
        start=None,
        held=None,
        settings=settings,
        device=CPU,
    )
    plan = plan_run(subject, NO_ROOM)
    smaller = dataclasses.replace(plan, memory=dataclasses.replace(plan.memory, activations=0))
    monkeypatch.setattr(admission, "remedies", lambda *_: [("use_lora=True", config, smaller)])
    with pytest.raises(ConfigError, match=r"use_lora=True \(about \d+\.\d GiB\); anyway=True"):
        require_room(subject, plan)
    require_room(subject, dataclasses.replace(plan, room=dataclasses.replace(NO_ROOM, available=plan.memory.to_come)))


def test_what_surely_fits_is_not_rehearsed(config, settings, rows_file, monkeypatch):
    monkeypatch.setattr(admission, "prepare_subject", lambda *a, **k: pytest.fail("it was rehearsed"))
    entry = resolve_model(config.model_name, None, settings)
    dataset = read_dataset(rows_file)
    options = {"start": None, "settings": settings, "device": CPU}
    admit(config, entry, dataset, environment=LINUX, **options)
    assert surely_fits(config, entry, room_on(CPU))
    assert not surely_fits(config, entry, NO_ROOM)
    with pytest.raises(pytest.fail.Exception):  # a small machine always plans
        admit(config, entry, dataset, environment=SMALL, **options)


def test_a_model_that_cannot_be_rehearsed_is_let_in_with_a_warning(config, settings, rows_file, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("asks for values\nand more")

    monkeypatch.setattr(admission, "plan_run", fail)
    entry = resolve_model(config.model_name, None, settings)
    with pytest.warns(UserWarning, match=r"cannot be estimated beforehand \(asks for values\)"):
        admit(config, entry, read_dataset(rows_file), start=None, settings=settings, environment=SMALL, device=CPU)


def test_the_bound_lies_above_the_estimate(config, settings, rows_file):
    """What the bound lets in must fit: it is compared with the plan of the same run."""
    entry = resolve_model(config.model_name, None, settings)
    for options in ({}, {"use_lora": False}):
        changed = config.model_copy(update=options)
        subject = prepare_subject(
            changed, entry, read_dataset(rows_file), start=None, held=None, settings=settings, device=CPU
        )
        needed = plan_run(subject, NO_ROOM).memory.to_come
        assert not surely_fits(changed, entry, dataclasses.replace(NO_ROOM, available=needed))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        admit(config, entry, read_dataset(rows_file), start=None, settings=settings, environment=SMALL, device=CPU)
