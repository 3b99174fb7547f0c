import json

import pytest

from reactor_core.errors import ConfigError
from reactor_core.events.audit import verify_workspace
from reactor_core.integration import EventBridge, EventType
from reactor_core.training.command import plan_file, train_file
from reactor_core.training.config import TrainingConfig
from reactor_core.utils.console import Silent


def test_a_file_is_trained_and_the_journal_knows(model_folder, rows_file, settings):
    config = TrainingConfig(model_name=str(model_folder("llama")), num_epochs=1, batch_size=4)
    result = train_file(config, rows_file, settings=settings, narrator=Silent(), resume=True)
    assert result.rows_trained == 12
    assert json.loads(result.card_path.read_text())["metrics"]["dataset_hash"] == result.dataset_hash
    with EventBridge(workspace=settings.workspace) as bridge:
        types = [EventType.TRAINING_START, EventType.TRAINING_COMPLETE]
        events = bridge.get_events_by_type_sync(types)
    assert [event.event_type for event in events] == types
    assert {event.data["run_id"] for event in events} == {result.run_id}
    assert verify_workspace(settings.workspace).ok


def test_what_is_trained_is_in_the_store_as_well(model_folder, rows_file, settings, tmp_path):
    config = TrainingConfig(model_name=str(model_folder("llama")), num_epochs=1, batch_size=4)
    store = tmp_path / "store"
    result = train_file(config, rows_file, settings=settings, narrator=Silent(), resume=True, store=str(store))
    (head,) = store.glob("*/head.json")
    stored = json.loads(head.read_text())
    assert stored["run_id"] == result.run_id
    assert "adapter/adapter_model.safetensors" in stored["result"]["files"]


def test_what_it_costs_at_a_stated_price_is_charged(model_folder, rows_file, settings):
    config = TrainingConfig(model_name=str(model_folder("llama")), num_epochs=1, batch_size=4)
    priced = settings.model_copy(update={"machine_price_usd_per_hour": 2.5})
    result = train_file(config, rows_file, settings=priced, narrator=Silent(), resume=True)
    with EventBridge(workspace=settings.workspace) as bridge:
        charges = [event.data for event in bridge.get_events_by_type_sync(EventType.COST_UPDATE)]
    assert {charge["service"] for charge in charges} == {"training"}
    assert sum(charge["nano_usd"] for charge in charges) == result.cost_nano_usd > 0


def test_a_plan_trains_nothing_and_the_run_finds_its_tokens(model_folder, rows_file, settings):
    config = TrainingConfig(model_name=str(model_folder("llama")), num_epochs=2, batch_size=4, eval_dataset=None)
    priced = settings.model_copy(update={"machine_price_usd_per_hour": 2.5})
    plan, helpful = plan_file(config, rows_file, settings=priced)
    assert not (settings.workspace / "runs").exists()
    assert (plan.fits, helpful, plan.work.steps) == (True, [], 6)
    assert plan.pace is not None
    assert "a probe of this machine" in plan.pace.source
    tokens = list((settings.workspace / "cache" / "tokens").glob("*/manifest.json"))
    result = train_file(config, rows_file, settings=settings, narrator=Silent(), resume=True)
    assert list((settings.workspace / "cache" / "tokens").glob("*/manifest.json")) == tokens
    assert (plan.work.tokens, plan.work.steps) == (result.tokens_trained, result.steps)
    assert plan.work.computed == pytest.approx(result.tokens_computed, rel=0.05)
    again, _ = plan_file(config, rows_file, settings=priced)
    assert again.pace is not None
    assert result.run_id in again.pace.source
    assert again.seconds == pytest.approx(result.seconds, rel=0.3)
    assert again.as_dict()["cost"]["usd"] == pytest.approx(again.seconds * 2.5 / 3600, abs=1e-9)


def test_a_family_that_cannot_be_rehearsed_is_named_with_what_to_do(model_folder, rows_file, settings, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("Tensor.item() cannot be called")

    monkeypatch.setattr("reactor_core.training.command.plan_run", fail)
    with pytest.raises(ConfigError, match=r"cannot be planned without its weights.*max_steps=3"):
        plan_file(TrainingConfig(model_name=str(model_folder("llama"))), rows_file, settings=settings)
