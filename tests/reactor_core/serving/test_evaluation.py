from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reactor_core.data.records import read_dataset
from reactor_core.errors import ConfigError, DatasetError
from reactor_core.eval import PerplexityReport, PreferenceReport, VerdictReport, verdict_messages
from reactor_core.serving.evaluation import headline, measure, read_eval_file, summary, trained_on_weights
from reactor_core.training.trainer import Trainer, TrainingConfig
from reactor_core.utils.console import Silent
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]

ACTION = {"action": "ls", "kind": "shell", "label": "allow"}
PAIR = {"prompt": "q", "chosen": "good", "rejected": "bad"}
ANSWER = {"prompt": "q", "completion": "good"}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def model(model_folder: MakeModel) -> str:
    return str(model_folder("llama"))


@pytest.mark.parametrize(
    ("row", "kind", "report"),
    [
        (ACTION, "verdicts", VerdictReport),
        (PAIR, "preferences", PreferenceReport),
        (ANSWER, "answers", PerplexityReport),
    ],
)
def test_what_is_measured_follows_from_the_rows(
    row: Any, kind: str, report: type, model: str, settings: Settings, tmp_path: Path
) -> None:
    file = write(tmp_path / "rows.jsonl", row, row)
    assert read_eval_file(file).kind == kind
    found = measure(file, adapter="none", model=model, settings=settings, narrator=Silent())
    assert isinstance(found, report)
    assert headline(found).rows == 2
    assert json.loads(json.dumps(summary(found)))["kind"] == kind


def test_actions_are_rows_with_the_question_of_training(tmp_path: Path) -> None:
    (row,) = read_eval_file(write(tmp_path / "rows.jsonl", ACTION)).rows
    asked = [{"role": turn.role, "content": turn.content} for turn in row.messages]
    assert asked == [*verdict_messages("ls", "shell"), {"role": "assistant", "content": "allow"}]


def test_perplexity_is_the_loss_that_training_measures(model: str, settings: Settings, tmp_path: Path) -> None:
    """With no learning rate to speak of, the held-out loss of a run is that of the untuned model."""
    held = write(tmp_path / "held.jsonl", *({"prompt": f"say {n}", "completion": f"{n} it is"} for n in range(6)))
    train = write(tmp_path / "train.jsonl", ANSWER)
    config = TrainingConfig(model_name=model, learning_rate=1e-12, eval_dataset=str(held))
    trained = Trainer(config, settings=settings).train(train)
    report = measure(held, adapter="none", model=model, settings=settings, narrator=Silent())
    assert isinstance(report, PerplexityReport)
    assert report.perplexity == pytest.approx(math.exp(trained.eval_loss or 0.0), rel=1e-5)


def test_preferences_agree_with_the_metrics_of_training(model: str, settings: Settings, tmp_path: Path) -> None:
    rows = [{"prompt": f"say {n}", "chosen": f"{n} yes", "rejected": f"no {n}"} for n in range(6)]
    held = write(tmp_path / "held.jsonl", *rows)
    train = write(tmp_path / "train.jsonl", *({**row, "prompt": row["prompt"] + "!"} for row in rows))
    config = TrainingConfig(
        model_name=model, method="dpo", learning_rate=5e-3, num_epochs=4, batch_size=2, eval_dataset=str(held),
        keep_best=False,
    )  # fmt: skip
    run = Trainer(config, settings=settings).train(train)
    last = json.loads((run.run_dir / "eval.jsonl").read_text().splitlines()[-1])["metrics"]
    report = measure(
        held, adapter=str(run.adapter_dir), model=model, settings=settings, narrator=Silent(), reward="implicit"
    )
    assert isinstance(report, PreferenceReport)
    assert report.accuracy.estimate.mean == pytest.approx(last["accuracy"])
    assert report.margin.estimate.mean == pytest.approx(last["margin"], rel=1e-3)
    assert not np.isclose(report.margin.estimate.mean, 0.0)


def test_an_untuned_model_has_no_implicit_reward(model: str, settings: Settings, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", PAIR)
    with pytest.raises(ConfigError, match="its own reference"):
        measure(file, adapter="none", model=model, settings=settings, narrator=Silent(), reward="implicit")


def test_rows_of_both_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"rows\.jsonl:2"):
        read_eval_file(write(tmp_path / "rows.jsonl", PAIR, ANSWER))


@pytest.mark.parametrize("text", ["{", "", '{"prompt": 3}\n', '{"action": "ls"}\n'])
def test_what_is_wrong_with_a_file_is_told_by_its_reader(text: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(text)
    with pytest.raises(DatasetError, match=r"rows\.jsonl"):
        read_eval_file(tmp_path / "rows.jsonl")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such file"):
        read_eval_file(tmp_path / "rows.jsonl")


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", ANSWER)
    assert read_eval_file(file).sha256 == read_dataset(file).sha256


def test_the_untuned_model_is_kept_as_the_adapters_base_was(tmp_path: Path) -> None:
    assert trained_on_weights(None) is None
    assert trained_on_weights(tmp_path) is None  # no card
    (tmp_path / "card.json").write_text('{"config": {"quantization": "nf4"}}')
    assert trained_on_weights(tmp_path) == "nf4"
    (tmp_path / "card.json").write_text('{"config": {}}')  # of a run before there was a choice
    assert trained_on_weights(tmp_path) is None
