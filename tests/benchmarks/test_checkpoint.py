import importlib.util
from pathlib import Path

import pytest
import torch

from reactor_core.training.checkpoint import latest_checkpoint, restore
from reactor_core.training.optim import build_optimizer

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "checkpoint.py"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("checkpoint", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def state():
    parameters = {"a": torch.nn.Parameter(torch.ones(4, 3)), "b": torch.nn.Parameter(torch.zeros(2, 2))}
    optimizer = build_optimizer(list(parameters.values()), learning_rate=0.1, weight_decay=0.0, beta2=0.999)
    for value in parameters.values():
        value.grad = torch.ones_like(value)
    optimizer.step()
    return parameters, optimizer


def test_ours_saves_what_a_run_would_and_it_can_be_read_back(benchmark, state, tmp_path):
    parameters, optimizer = state
    side = benchmark.ours(parameters, optimizer, tmp_path)
    for number in range(3):
        side.begin(number)
        side.settle()
        side.durable()
    newest = latest_checkpoint(tmp_path / "ours" / "checkpoints")
    assert newest is not None
    expected = {name: value.detach().clone() for name, value in parameters.items()}
    for value in parameters.values():
        value.data.zero_()
    assert restore(newest, parameters=parameters, optimizer=optimizer, identity={}).step > 0
    assert all(torch.equal(parameters[name], value) for name, value in expected.items())


def test_the_peers_save_the_same_tensors(benchmark, state, tmp_path):
    parameters, optimizer = state
    side = benchmark.by_torch(parameters, optimizer, tmp_path)
    side.begin(0)
    side.durable()
    found = torch.load(tmp_path / "torch.pt", weights_only=True)
    assert all(torch.equal(found["model"][name], value) for name, value in parameters.items())
    assert set(found["optimizer"]["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}


def test_a_side_that_writes_behind_is_waited_for_and_what_it_takes_is_counted(benchmark):
    calls, left = [], [True, True, False]
    side = benchmark.Side(
        calls.append, lambda: calls.append("settle"), lambda: calls.append("durable"), lambda: left.pop(0)
    )
    stall, slowed = benchmark.held_up(side, 3, 2)
    assert calls == [3, "settle", "durable"]
    assert left == []
    assert isinstance(stall, float)
    assert isinstance(slowed, float)


def test_a_tree_is_synced_whatever_lies_in_it(benchmark, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_text("x")
    benchmark.sync_tree(tmp_path)
    assert benchmark.compute(2) > 0
