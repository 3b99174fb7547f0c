from __future__ import annotations

from pathlib import Path

import pytest

from reactor_core.errors import ConfigError
from reactor_core.jobs.train_request import TrainRequest
from reactor_core.training.config import TrainingConfig


def test_a_request_is_stored_and_read_back_with_what_was_given_and_no_more():
    config = TrainingConfig(model_name="m", lora_rank=4)
    request = TrainRequest(config=config, dataset=Path("/data/rows.jsonl"), resume=False, store="gs://bucket/x")
    stored = request.to_json()
    assert stored == {
        "config": {"model_name": "m", "lora_rank": 4},
        "dataset": "/data/rows.jsonl",
        "resume": False,
        "store": "gs://bucket/x",
    }
    read = TrainRequest.parse(stored)
    assert (read, read.config.model_fields_set) == (request, {"model_name", "lora_rank"})


def test_paths_that_are_relative_to_the_folder_of_who_asks_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    config = TrainingConfig(
        model_name="model", adapter="train-1", eval_dataset="held.jsonl", output_dir="out", chat_template="bare"
    )
    request = TrainRequest.of(config, Path("rows.jsonl"), store="bucket")
    assert request.dataset == tmp_path / "rows.jsonl"
    assert request.store == str(tmp_path / "bucket")
    named = request.config
    assert (named.model_name, named.eval_dataset, named.output_dir) == tuple(
        str(tmp_path / name) for name in ("model", "held.jsonl", "out")
    )
    assert (named.adapter, named.chat_template) == ("train-1", "bare")  # the name of a run, and of a template


def test_names_stay_names_and_no_option_is_given_that_was_not():
    config = TrainingConfig(model_name="smollm2-135m")
    request = TrainRequest.of(config, Path("/rows.jsonl"), store="gs://bucket")
    assert request == TrainRequest(config=config, dataset=Path("/rows.jsonl"), store="gs://bucket")
    assert request.config.model_fields_set == {"model_name"}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"dataset": "/rows", "epochs": 2}, "no field 'epochs'"),
        ({"dataset": "rows"}, "no absolute path"),
        ({}, "dataset=None is no str"),
        ({"dataset": "/rows", "config": []}, r"config=\[\] is no Mapping"),
        ({"dataset": "/rows", "store": 7}, "store=7 is no str or null"),
        ({"dataset": "/rows", "config": {"lora_rnak": 4}}, "did you mean 'lora_rank'"),
    ],
)
def test_what_cannot_be_used_is_named(document, message):
    with pytest.raises(ConfigError, match=message):
        TrainRequest.parse(document)
