import json

from reactor_core.events.audit import verify_workspace
from reactor_core.integration import EventBridge, EventType
from reactor_core.training.command import train_file
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


def test_what_it_costs_at_a_stated_price_is_charged(model_folder, rows_file, settings):
    config = TrainingConfig(model_name=str(model_folder("llama")), num_epochs=1, batch_size=4)
    priced = settings.model_copy(update={"machine_price_usd_per_hour": 2.5})
    result = train_file(config, rows_file, settings=priced, narrator=Silent(), resume=True)
    with EventBridge(workspace=settings.workspace) as bridge:
        charges = [event.data for event in bridge.get_events_by_type_sync(EventType.COST_UPDATE)]
    assert {charge["service"] for charge in charges} == {"training"}
    assert sum(charge["nano_usd"] for charge in charges) == result.cost_nano_usd > 0
