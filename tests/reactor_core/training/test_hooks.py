from __future__ import annotations

from pathlib import Path

from reactor_core.events import EventType
from reactor_core.integration import EventBridge, EventSource
from reactor_core.training.hooks import EventHook, Hooks, RunInfo, StepInfo, TrainingHook
from reactor_core.utils.settings import Settings

RUN = RunInfo("train-1", Path("/runs/train-1"), "tiny", 12, 4, 0, None, "hash")


def step(number: int) -> StepInfo:
    return StepInfo(number, 0.5, 0.5, 1.25, 1e-3, 1.0, 40, 30, 0.5, 1.0)


class Outcome:
    def summary(self) -> dict[str, object]:
        return {"steps": 4, "adapter_dir": "/runs/train-1/adapter"}


def test_a_run_is_told_in_events(settings: Settings) -> None:
    with EventBridge(source=EventSource.REACTOR_CORE, workspace=settings.workspace, settings=settings) as bridge:
        hook = EventHook(bridge, every=2)
        hook.on_start(RUN)
        for number in (1, 2, 3, 4):
            hook.on_step(step(number))
        hook.on_end(Outcome())
        hook.on_error(ValueError("broken"))
        kinds = [
            EventType.TRAINING_START,
            EventType.TRAINING_PROGRESS,
            EventType.TRAINING_COMPLETE,
            EventType.TRAINING_FAILED,
        ]
        events = bridge.get_events_by_type_sync(kinds)
    assert [event.event_type for event in events] == [kinds[0], kinds[1], kinds[1], kinds[2], kinds[3]]
    assert all(event.data["run_id"] == "train-1" for event in events)
    assert events[1].data["step"] == 2
    assert events[-1].data["error"] == "ValueError"


def test_a_hook_needs_only_the_methods_it_cares_about() -> None:
    class Stopper:
        def should_stop(self) -> str | None:
            return "enough"

    class Counter:
        steps = 0

        def on_step(self, step: StepInfo) -> None:
            self.steps += 1

    counter = Counter()
    hooks = Hooks((TrainingHook(), counter, Stopper()))
    hooks.on_start(RUN)
    hooks.on_step(step(1))
    assert counter.steps == 1
    assert hooks.should_stop() == "enough"
