from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reactor_core.cost.prices import NANO_USD, MachinePrice, stated_price
from reactor_core.errors import ConfigError
from reactor_core.integration import EventBridge, EventType
from reactor_core.training import Trainer, TrainingConfig
from reactor_core.training.hooks import RunInfo, StepInfo, TrainingHook
from reactor_core.training.spending import NO_PRICE, BudgetHook, CostHook, cost_facts, note_redone, redone
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]

A_CENT_A_SECOND = MachinePrice(nano_usd_per_hour=36 * NANO_USD, as_of=None, source="test")


def info(tmp_path: Path, *, step: int = 0, elapsed: float = 0.0) -> RunInfo:
    return RunInfo("train-1", tmp_path, "tiny", 10, 100, step, None, "0", elapsed)


def stepped(step: int, elapsed: float, seconds: float) -> StepInfo:
    return StepInfo(step, 0.0, 0.0, 1.0, 0.1, 1.0, 10, 10, seconds, elapsed)


def curve(tmp_path: Path, *lines: tuple[int, float, float]) -> Path:
    log = tmp_path / "loss.jsonl"
    log.write_text("".join(json.dumps({"step": s, "seconds": t, "elapsed": e}) + "\n" for s, t, e in lines))
    return log


def test_what_is_behind_the_last_checkpoint_is_noted_once(tmp_path: Path) -> None:
    log = curve(tmp_path, (1, 0.5, 0.5), (2, 0.5, 1.0), (3, 0.25, 1.25), (4, 0.75, 2.0))
    assert redone(tmp_path) == (0, 0.0)
    for _ in range(2):  # killed between the note and the cut of the curve: read again
        note_redone(tmp_path, log, step=2)
    assert redone(tmp_path) == (2, 1.0)
    note_redone(tmp_path, curve(tmp_path, (1, 0.5, 0.5), (2, 0.5, 1.0), (3, 0.5, 1.5)), step=2)
    assert redone(tmp_path) == (3, 1.5)
    note_redone(tmp_path, log, step=4)
    note_redone(tmp_path, tmp_path / "none.jsonl", step=0)
    assert redone(tmp_path) == (3, 1.5)


def test_without_a_price_there_is_a_reason_and_no_cost() -> None:
    facts = cost_facts(None, seconds=3.0, tokens=5)
    assert (facts["nano_usd"], facts["usd"], facts["usd_per_million_tokens"], facts["price"]) == (None,) * 4
    assert facts["reason"] == NO_PRICE
    assert facts["seconds"] == 3.0


def test_the_cost_is_an_integer_and_counts_what_was_made_again() -> None:
    facts = cost_facts(A_CENT_A_SECOND, seconds=3.0, tokens=1000, again=(2, 1.0))
    assert (facts["nano_usd"], facts["usd"], facts["reason"]) == (4 * NANO_USD // 100, 0.04, None)
    assert facts["usd_per_million_tokens"] == pytest.approx(40.0)
    assert facts["price"] == {"nano_usd_per_hour": 36 * NANO_USD, "as_of": None, "source": "test"}
    assert json.loads(json.dumps(facts)) == facts


def test_a_budget_ends_before_the_step_that_would_pass_it(tmp_path: Path) -> None:
    hook = BudgetHook(A_CENT_A_SECOND, 0.05)
    hook.on_start(info(tmp_path))
    assert hook.should_stop() is None
    hook.on_step(stepped(3, 4.0, 1.0))
    assert hook.should_stop() is None  # the fourth ends at five seconds, five cents
    hook.on_step(stepped(4, 4.1, 1.0))
    assert hook.should_stop() == "budget"


def test_a_budget_counts_what_a_kill_cost(tmp_path: Path) -> None:
    note_redone(tmp_path, curve(tmp_path, (1, 2.0, 2.0)), step=0)
    hook = BudgetHook(A_CENT_A_SECOND, 0.05)
    hook.on_start(info(tmp_path))
    hook.on_step(stepped(1, 2.0, 2.0))
    assert hook.should_stop() == "budget"


def test_a_budget_without_a_price_is_refused(model_folder: MakeModel, settings: Settings) -> None:
    with pytest.raises(ConfigError, match=r"max_cost_usd=2 needs a price.*REACTOR_MACHINE_PRICE_USD_PER_HOUR"):
        Trainer(TrainingConfig(model_name=str(model_folder("llama")), max_cost_usd=2.0), settings=settings)


class Bridge:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.events: list[tuple[dict[str, Any], str]] = []

    def publish_sync(self, event_type: EventType, data: dict[str, Any], *, dedup_key: str) -> None:
        assert event_type is EventType.COST_UPDATE
        self.events.append((data, dedup_key))


def test_charges_add_up_to_the_whole_time_at_the_price(tmp_path: Path) -> None:
    odd = MachinePrice(nano_usd_per_hour=1_234_567, as_of=None, source="test")
    bridge = Bridge()
    hook = CostHook(bridge, odd, every=3)
    hook.on_start(info(tmp_path, step=10, elapsed=7.7))
    elapsed = 7.7
    for step in range(11, 21):
        elapsed += 0.3337
        hook.on_step(stepped(step, elapsed, 0.3337))
    hook.on_error(RuntimeError("enough"))
    hook.on_error(RuntimeError("again"))
    ranges = [(data["first_step"], data["last_step"]) for data, _ in bridge.events]
    assert ranges == [(11, 12), (13, 15), (16, 18), (19, 20)]
    assert sum(data["nano_usd"] for data, _ in bridge.events) == odd.cost(elapsed - 7.7)
    assert all(isinstance(data["nano_usd"], int) for data, _ in bridge.events)
    assert len({key for _, key in bridge.events}) == 4


def test_no_price_no_charge(tmp_path: Path) -> None:
    bridge = Bridge()
    hook = CostHook(bridge, None, every=1)
    hook.on_start(info(tmp_path))
    hook.on_step(stepped(1, 1.0, 1.0))
    hook.on_error(RuntimeError("enough"))
    assert bridge.events == []


def test_a_run_charges_its_budget_ends_it_and_the_card_has_the_sum(
    model_folder: MakeModel, settings: Settings, rows_file: Path
) -> None:
    settings = settings.model_copy(update={"machine_price_usd_per_hour": 3600.0})  # a dollar a second
    config = TrainingConfig(
        model_name=str(model_folder("llama")), lora_rank=2, batch_size=3, num_epochs=100_000, max_cost_usd=1.0
    )
    with EventBridge(workspace=settings.workspace, settings=settings) as bridge:
        price = stated_price(settings.machine_price_usd_per_hour)
        assert price is not None
        result = Trainer(config, hooks=[CostHook(bridge, price, every=4)], settings=settings).train(rows_file)
        charged = [event.data["nano_usd"] for event in bridge.get_events_by_type_sync(EventType.COST_UPDATE)]
    assert result.stopped == "budget"
    cost = json.loads(result.card_path.read_text())["cost"]
    assert cost["nano_usd"] == result.cost_nano_usd == price.cost(result.seconds)
    assert sum(charged) == cost["nano_usd"]
    assert len(charged) > 1
    assert cost["redone_steps"] == 0


def test_a_killed_run_says_what_its_kill_cost(model_folder: MakeModel, settings: Settings, rows_file: Path) -> None:
    class Bomb(TrainingHook):
        def on_step(self, step: StepInfo) -> None:
            if step.step == 3:
                os.kill(os.getpid(), signal.SIGKILL)

    config = TrainingConfig(model_name=str(model_folder("llama")), lora_rank=2, batch_size=3)
    child = os.fork()
    if child == 0:
        Trainer(config, hooks=[Bomb()], settings=settings).train(rows_file)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    result = Trainer(config, settings=settings).train(rows_file)
    cost = json.loads(result.card_path.read_text())["cost"]
    assert (result.resumed_from, result.steps, cost["redone_steps"]) == (0, 4, 3)
    assert cost["redone_seconds"] > 0
    assert (cost["nano_usd"], cost["reason"]) == (None, NO_PRICE)
    assert result.cost_nano_usd is None
