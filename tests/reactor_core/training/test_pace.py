import json

import pytest
import torch

from reactor_core.models.entry import ModelEntry
from reactor_core.training.card import describe_environment
from reactor_core.training.config import TrainingConfig
from reactor_core.training.pace import EFFICIENCY, gemm_rate, pace_of_last_run, probed_pace

CPU = torch.device("cpu")


@pytest.fixture
def entry(tmp_path):
    return ModelEntry("tiny", tmp_path, "folder", "here", {"a.safetensors": "0" * 64}, 10)


def finish(workspace, entry, name, *, tokens, seconds, **options):
    folder = workspace / "runs" / name
    folder.mkdir(parents=True)
    card = {
        "run_id": name,
        "base": entry.card(),
        "environment": describe_environment(CPU),
        "config": TrainingConfig(**options).model_dump(mode="json"),
        "metrics": {"tokens_computed": tokens, "seconds": seconds},
    }
    (folder / "card.json").write_text(json.dumps(card))


def test_the_newest_run_of_the_same_kind_gives_the_pace(tmp_path, entry):
    finish(tmp_path, entry, "train-1", tokens=100, seconds=10.0)
    finish(tmp_path, entry, "train-2", tokens=400, seconds=10.0)
    finish(tmp_path, entry, "train-3", tokens=9000, seconds=10.0, method="dpo")
    (tmp_path / "runs" / "train-4").mkdir()  # not finished
    found = pace_of_last_run(tmp_path, entry, TrainingConfig(), device=CPU)
    assert found is not None
    assert found.seconds(tokens=80, flops=1e30, parts=5) == pytest.approx(2.0)
    assert "train-2" in found.source


def test_a_run_of_other_weights_or_of_another_machine_gives_none(tmp_path, entry):
    finish(tmp_path, entry, "train-1", tokens=100, seconds=10.0)
    other = ModelEntry("tiny", tmp_path, "folder", "here", {"a.safetensors": "1" * 64}, 10)
    assert pace_of_last_run(tmp_path, other, TrainingConfig(), device=CPU) is None
    card = tmp_path / "runs" / "train-1" / "card.json"
    text = json.loads(card.read_text())
    text["environment"]["threads"] = 1000
    card.write_text(json.dumps(text))
    assert pace_of_last_run(tmp_path, entry, TrainingConfig(), device=CPU) is None


def test_a_probe_counts_operations_and_parts():
    pace = probed_pace("fast", 1e9, layers=10)
    share = EFFICIENCY["fast"]
    assert pace.seconds(tokens=1, flops=5e9, parts=0) == pytest.approx(5 / share)
    assert pace.seconds(tokens=1, flops=0, parts=100) > 0
    assert "a probe of this machine: 1 GFLOP/s" in pace.source


def test_this_machine_can_be_probed():
    assert gemm_rate(64, 64, seconds=0.01) > 1e6
