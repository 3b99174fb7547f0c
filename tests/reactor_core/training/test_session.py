"""Pausing, going on and stopping real runs of a tiny model."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reactor_core.errors import Interrupted, TrainingError
from reactor_core.integration import EventBridge, EventType
from reactor_core.training import EventHook, Trainer, TrainingConfig
from reactor_core.training.control import State, Wish, read_status
from reactor_core.training.hooks import StepInfo, TrainingHook
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]


@pytest.fixture
def config(model_folder: MakeModel) -> TrainingConfig:
    return TrainingConfig(
        model_name=str(model_folder("llama")), lora_rank=4, num_epochs=3, batch_size=3, learning_rate=0.01
    )


def adapter_hash(folder: Path) -> str:
    return hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()


class AtStep(TrainingHook):
    """Does something once, after a step."""

    def __init__(self, step: int, action: Callable[[], Any]) -> None:
        self.step, self.action = step, action
        self.told: list[tuple[str, int]] = []

    def on_step(self, step: StepInfo) -> None:
        if step.step == self.step:
            self.action()

    def on_pause(self, step: int) -> None:
        self.told.append(("paused", step))

    def on_resume(self, step: int) -> None:
        self.told.append(("running", step))


async def test_a_paused_run_ends_in_the_same_bytes(config: TrainingConfig, settings: Settings, rows_file: Path) -> None:
    untouched = Trainer(config, settings=settings).train(rows_file, resume=False)
    hook = AtStep(2, lambda: trainer.control.ask(Wish.PAUSE))
    trainer = Trainer(config, hooks=[hook], settings=settings)
    run = asyncio.create_task(trainer.train_async(rows_file, resume=False))
    assert await trainer.control.reached(State.PAUSED) is State.PAUSED
    assert await trainer.pause()  # already
    folder = next(path for path in (settings.workspace / "runs").iterdir() if path != untouched.run_dir)
    status = read_status(folder)
    assert status is not None
    assert (status.state, status.step) == (State.PAUSED, 2)
    assert list((folder / "checkpoints").glob("step-00000002"))
    assert await trainer.resume()
    result = await run
    assert hook.told == [("paused", 2), ("running", 2)]
    assert adapter_hash(result.adapter_dir) == adapter_hash(untouched.adapter_dir)
    assert (await trainer.pause(), await trainer.resume(), await trainer.stop()) == (False, False, False)


def test_a_handler_pauses_a_run_that_blocks_the_main_thread(
    config: TrainingConfig, settings: Settings, rows_file: Path
) -> None:
    """The published alert handler: it awaits ``trainer.pause()`` on the bridge's own loop."""
    paused, failed = threading.Event(), threading.Event()
    with EventBridge(workspace=settings.workspace, settings=settings) as bridge:

        def publish_and_be_heard() -> None:
            bridge.publish_sync(EventType.COST_ALERT, {"percentage": 96.0})
            while trainer.control.wish() is not Wish.PAUSE:  # as a long step would, give the handler time
                assert not failed.is_set()

        hook = AtStep(1, publish_and_be_heard)
        trainer = Trainer(config, hooks=[hook, EventHook(bridge)], settings=settings)

        @bridge.on_event(EventType.COST_ALERT)
        async def alert(event: Any) -> None:
            try:
                if event.data["percentage"] > 95:
                    assert await trainer.pause()
                    paused.set()
                    assert await trainer.resume()
            finally:
                if not paused.is_set():
                    failed.set()

        result = trainer.train(rows_file)
        assert paused.is_set()
        states = [
            event.data["state"]
            for event in bridge.get_events_by_type_sync(EventType.TRAINING_PROGRESS)
            if "state" in event.data
        ]
    assert states == ["paused", "running"]
    assert result.steps > 1


async def test_stop_saves_and_the_same_call_goes_on_to_the_same_end(
    config: TrainingConfig, settings: Settings, rows_file: Path
) -> None:
    untouched = Trainer(config, settings=settings).train(rows_file, resume=False)
    trainer = Trainer(config, hooks=[AtStep(2, lambda: trainer.control.ask(Wish.PAUSE))], settings=settings)
    run = asyncio.create_task(trainer.train_async(rows_file, resume=False))
    await trainer.control.reached(State.PAUSED)
    assert await trainer.stop()
    with pytest.raises(Interrupted, match="a request"):
        await run
    result = await Trainer(config, settings=settings).train_async(rows_file)
    assert result.resumed_from == 2
    assert adapter_hash(result.adapter_dir) == adapter_hash(untouched.adapter_dir)


async def test_a_cancelled_task_leaves_a_checkpoint(
    config: TrainingConfig, settings: Settings, rows_file: Path
) -> None:
    trainer = Trainer(config, hooks=[AtStep(1, lambda: trainer.control.ask(Wish.PAUSE))], settings=settings)
    run = asyncio.create_task(trainer.train_async(rows_file))
    await trainer.control.reached(State.PAUSED)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert trainer.control.state is State.IDLE
    assert Trainer(config, settings=settings).train(rows_file).resumed_from == 1


async def test_a_task_that_is_cancelled_at_once_trains_nothing(
    config: TrainingConfig, settings: Settings, rows_file: Path
) -> None:
    trainer = Trainer(config, settings=settings)
    run = asyncio.create_task(trainer.train_async(rows_file))
    await trainer.control.reached(State.STARTING)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert Trainer(config, settings=settings).train(rows_file).resumed_from == 0


async def test_a_second_run_of_one_trainer_is_refused(
    config: TrainingConfig, settings: Settings, rows_file: Path
) -> None:
    trainer = Trainer(config, hooks=[AtStep(1, lambda: trainer.control.ask(Wish.PAUSE))], settings=settings)
    run = asyncio.create_task(trainer.train_async(rows_file))
    await trainer.control.reached(State.PAUSED)
    with pytest.raises(TrainingError, match="training already"):
        await trainer.train_async(rows_file)
    await trainer.resume()
    assert (await run).stopped == "epochs"
