from __future__ import annotations

import pytest

from reactor_core.training.checkpoint import Progress
from reactor_core.training.config import TrainingConfig
from reactor_core.training.course import Course


def course(steps: int = 10, **options: object) -> Course:
    return Course(TrainingConfig(learning_rate=1.0, lr_schedule="linear", warmup_ratio=0.0, **options), steps)


def test_the_way_is_measured_in_steps() -> None:
    way = course()
    assert [way.share(Progress(step=step)) for step in (0, 5, 10)] == [0.0, 0.5, 1.0]
    assert way.learning_rate(Progress(step=5)) == pytest.approx(0.5)


def test_a_way_is_as_long_as_its_rows_and_its_limit() -> None:
    config = TrainingConfig(batch_size=4, num_epochs=2)
    assert Course.of(config, 9).total_steps == 6
    assert Course.of(config.model_copy(update={"max_steps": 5}), 9).total_steps == 5
    assert Course.of(config.model_copy(update={"max_steps": 50}), 9).total_steps == 6


def test_with_a_time_limit_whichever_is_further_counts() -> None:
    way = course(max_seconds=100.0)
    assert way.share(Progress(step=5, elapsed=20.0)) == 0.5
    assert way.share(Progress(step=5, elapsed=80.0)) == 0.8
    assert way.share(Progress(step=5, elapsed=200.0)) == 1.0
    assert way.learning_rate(Progress(step=5, elapsed=80.0)) == pytest.approx(0.2)


def test_the_warm_up_begins_above_nothing() -> None:
    way = Course(TrainingConfig(learning_rate=1.0, warmup_ratio=0.5, max_seconds=100.0), 100)
    assert way.learning_rate(Progress()) == pytest.approx(0.02)
    assert way.learning_rate(Progress(last_step_seconds=5.0)) == pytest.approx(0.1)


def test_why_a_run_ends() -> None:
    assert course().ended(Progress(step=9)) is None
    assert course().ended(Progress(step=10)) == "epochs"
    assert course(max_steps=10).ended(Progress(step=10)) == "max_steps"
    limited = course(max_seconds=100.0)
    assert limited.ended(Progress(step=0, elapsed=99.0, last_step_seconds=2.0)) is None
    assert limited.ended(Progress(step=1, elapsed=97.0, last_step_seconds=2.0)) is None
    assert limited.ended(Progress(step=1, elapsed=99.0, last_step_seconds=2.0)) == "max_seconds"
