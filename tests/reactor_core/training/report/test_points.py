from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.training.report.points import Point, RunLog


def loss(step: int, **metrics: float) -> dict[str, Any]:
    return {
        "step": step, "epoch": step / 4, "progress": step / 8, "loss": 2.0 / step, "learning_rate": 1e-3,
        "grad_norm": 1.5, "tokens": 40, "tokens_computed": 30, "seconds": 0.5, "elapsed": 0.5 * step,
        "metrics": metrics,
    }  # fmt: skip


def held(step: int, **metrics: float) -> dict[str, Any]:
    return {"step": step, "loss": 3.0 / step, "best": True, "seconds": 0.1, "metrics": metrics}


def add(file: Path, *rows: dict[str, Any]) -> None:
    with file.open("a") as stream:
        stream.write("".join(json.dumps(row) + "\n" for row in rows))


def test_a_step_is_told_with_its_rates_and_the_tokens_so_far(tmp_path: Path) -> None:
    add(tmp_path / "loss.jsonl", loss(1), loss(2, margin=0.25))
    assert RunLog(tmp_path).read(ended=True)[1] == Point(
        2,
        {
            "train/loss": 1.0,
            "train/learning_rate": 1e-3,
            "train/grad_norm": 1.5,
            "train/epoch": 0.5,
            "train/tokens": 80,
            "train/tokens_per_second": 80.0,
            "train/margin": 0.25,
        },
    )


def test_the_newest_step_waits_for_the_measurement_that_may_follow_it(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    add(tmp_path / "loss.jsonl", loss(1), loss(2))
    assert [p.step for p in log.read(ended=False)] == [1]
    add(tmp_path / "eval.jsonl", held(2, accuracy=0.5))
    assert log.read(ended=False) == []
    add(tmp_path / "loss.jsonl", loss(3))
    (second,) = log.read(ended=False)
    assert (second.values["eval/loss"], second.values["eval/accuracy"]) == (1.5, 0.5)
    (third,) = log.read(ended=True)
    assert third.step == 3
    assert "eval/loss" not in third.values


def test_a_line_that_is_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    log, line = RunLog(tmp_path), json.dumps(loss(1)) + "\n"
    (tmp_path / "loss.jsonl").write_text(line[:20])
    assert log.read(ended=True) == []
    (tmp_path / "loss.jsonl").write_text(line)
    assert [p.step for p in log.read(ended=True)] == [1]


def test_no_log_yet_is_no_point(tmp_path: Path) -> None:
    assert RunLog(tmp_path).read(ended=True) == []


@settings(deadline=None, max_examples=40)
@given(looks=st.lists(st.integers(0, 3), max_size=12), measured=st.sets(st.integers(1, 20)))
def test_whenever_it_looks_every_step_and_measurement_is_told_once(
    tmp_path_factory: Any, looks: list[int], measured: set[int]
) -> None:
    folder, step, told = tmp_path_factory.mktemp("log"), 0, []
    log = RunLog(folder)
    for steps in looks:
        for _ in range(steps):
            step += 1
            add(folder / "loss.jsonl", loss(step))
            if step in measured:
                add(folder / "eval.jsonl", held(step))
        told += log.read(ended=False)
    told += log.read(ended=True)
    assert [p.step for p in told] == list(range(1, step + 1))
    assert {p.step for p in told if "eval/loss" in p.values} == {s for s in measured if s <= step}
