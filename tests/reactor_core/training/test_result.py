from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from reactor_core.training.result import TrainingResult

RESULT = TrainingResult(
    run_id="train-1",
    run_dir=Path("runs/train-1"),
    adapter_dir=Path("runs/train-1/adapter"),
    steps=3,
    rows_trained=24,
    tokens_trained=960,
    tokens_computed=600,
    tokens_per_second=480.0,
    seconds=2.0,
    peak_memory_bytes=2**30,
    first_loss=3.5,
    final_loss=1.25,
    dataset_hash="0" * 64,
    card_path=Path("runs/train-1/card.json"),
    loss_path=Path("runs/train-1/loss.jsonl"),
    plot_path=Path("runs/train-1/loss.png"),
    stopped="epochs",
    resumed_from=0,
)


def test_the_summary_is_json_and_holds_every_field() -> None:
    summary = RESULT.summary()
    assert json.loads(json.dumps(summary)) == summary
    assert set(summary) == {field.name for field in fields(TrainingResult)}


def test_paths_in_the_summary_are_text() -> None:
    assert RESULT.summary()["adapter_dir"] == str(Path("runs/train-1/adapter"))


def test_a_result_comes_back_from_its_summary() -> None:
    assert TrainingResult.from_summary(json.loads(json.dumps(RESULT.summary()))) == RESULT
