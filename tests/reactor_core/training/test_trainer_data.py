"""What a run does with its rows before the first step."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reactor_core.data.chat import ChatFormat
from reactor_core.errors import DatasetError
from reactor_core.training import Trainer, TrainingConfig
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]


@pytest.fixture
def config(model_folder: MakeModel) -> TrainingConfig:
    return TrainingConfig(model_name=str(model_folder("llama")), lora_rank=2, batch_size=4, max_steps=2)


def change(config: TrainingConfig, **options: Any) -> TrainingConfig:
    return TrainingConfig(**(config.model_dump() | options))


def write(file: Path, *rows: Any) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def test_near_duplicates_are_dropped_counted_and_listed(
    config: TrainingConfig, settings: Settings, tmp_path: Path
) -> None:
    long = "The same sentence, long enough that one character more or less makes little of a difference to it"
    file = write(tmp_path / "twice.jsonl", {"text": long}, {"text": "another"}, {"text": long + "."}, {"text": "third"})
    kept = Trainer(config, settings=settings).train(file)
    dropped = Trainer(change(config, near_duplicates="drop"), settings=settings).train(file)
    cards = [json.loads(result.card_path.read_text()) for result in (kept, dropped)]
    assert [card["dataset"]["rows"] for card in cards] == [4, 3]
    assert [card["near_duplicates"] for card in cards] == [None, {"dropped": 1, "similarity": 0.9}]
    assert cards[0]["identity"]["configuration"] != cards[1]["identity"]["configuration"]
    (line,) = map(json.loads, (dropped.run_dir / "near-duplicates.jsonl").read_text().splitlines())
    assert (line["line"], line["repeats"]) == (3, 1)
    assert not (kept.run_dir / "near-duplicates.jsonl").exists()


def test_rows_are_held_out_whole_also_where_the_same_file_was_trained_without_near_duplicates(
    config: TrainingConfig, settings: Settings, tmp_path: Path
) -> None:
    long = "The same sentence, long enough that one character more or less makes little of a difference to it"
    twice = write(tmp_path / "twice.jsonl", {"text": long}, {"text": long + "."})
    once = change(config, near_duplicates="drop")
    Trainer(once, settings=settings).train(twice)
    other = write(tmp_path / "other.jsonl", {"text": "another"})
    result = Trainer(change(once, eval_dataset=str(twice)), settings=settings).train(other)
    assert json.loads(result.card_path.read_text())["held_out"]["rows"] == 2
    stored = [json.loads(file.read_text())["made_from"] for file in settings.workspace.glob("cache/tokens/*/*.json")]
    assert sorted(made_from["rows"] for made_from in stored) == [1, 1, 2]


def test_a_second_run_does_not_tokenize_again(
    config: TrainingConfig, settings: Settings, rows_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode, asked = ChatFormat.encode, []

    def counted(self: ChatFormat, *args: Any, **options: Any) -> Any:
        asked.append(args)
        return encode(self, *args, **options)

    monkeypatch.setattr(ChatFormat, "encode", counted)
    first = Trainer(config, settings=settings).train(rows_file, resume=False)
    assert len(asked) == 12
    second = Trainer(config, settings=settings).train(rows_file, resume=False)
    assert len(asked) == 12
    weights = [(result.adapter_dir / "adapter_model.safetensors").read_bytes() for result in (first, second)]
    assert weights[0] == weights[1]
    Trainer(change(config, max_length=64), settings=settings).train(rows_file)
    assert len(asked) == 24


def test_a_row_longer_than_the_models_positions_is_refused(
    config: TrainingConfig, settings: Settings, tmp_path: Path
) -> None:
    file = write(tmp_path / "long.jsonl", {"text": "short"}, {"text": "x" * 300})
    with pytest.raises(DatasetError, match=r"long\.jsonl:2: this row has 301 tokens.*set max_length=256"):
        Trainer(config, settings=settings).train(file)


def test_tokens_that_the_model_does_not_know_are_refused(
    config: TrainingConfig, settings: Settings, tokenizer: Any, tmp_path: Path
) -> None:
    from tests.reactor_core.conftest import build_model, build_tokenizer

    folder = tmp_path / "mismatched"
    build_model("llama", len(tokenizer)).save_pretrained(folder)
    grown = build_tokenizer()
    grown.add_tokens(["<added>"])
    grown.save_pretrained(folder)
    file = write(tmp_path / "rows.jsonl", {"text": "fine"}, {"text": "a <added> token"})
    with pytest.raises(DatasetError, match=r"rows\.jsonl:2: .*token id 259, and the model has 259 embeddings"):
        Trainer(change(config, model_name=str(folder)), settings=settings).train(file)
