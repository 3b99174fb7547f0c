import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "benchmarks" / "train_gpu.py"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("train_gpu", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_needed_work_is_that_of_the_real_layers(benchmark):
    from transformers import LlamaConfig, LlamaForCausalLM

    from reactor_core.training.lora import inject_lora

    shape = benchmark.SHAPES["small"]
    model = LlamaForCausalLM(LlamaConfig(**shape))
    inject_lora(model, rank=benchmark.RANK, alpha=32)
    adapter = sum(p.numel() for p in model.parameters() if p.requires_grad)
    body = sum(p.numel() for p in model.base_model.layers.parameters() if p.ndim == 2 and not p.requires_grad)
    head = model.get_output_embeddings().weight.numel()
    assert benchmark.operations(shape, 100, 30) == 100 * (4 * body + 6 * adapter) + 30 * 4 * head


def test_the_shapes_are_those_of_their_names(benchmark):
    def weights(shape):
        layers = shape["num_hidden_layers"] * sum(out * into for out, into in benchmark.linear_shapes(shape))
        tables = shape["vocab_size"] * shape["hidden_size"] * (1 if shape["tie_word_embeddings"] else 2)
        return (layers + tables) / 1e9

    assert weights(benchmark.SHAPES["1B"]) == pytest.approx(1.24, abs=0.01)
    assert weights(benchmark.SHAPES["8B"]) == pytest.approx(8.03, abs=0.01)


@pytest.mark.peer
def test_without_a_device_each_claim_says_so():
    pytest.importorskip("trl")
    done = subprocess.run(
        [sys.executable, SCRIPT, "--quick"], capture_output=True, text=True, timeout=240, check=True,
        env={"PATH": "/usr/bin:/bin", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    claims = [json.loads(line) for line in done.stdout.splitlines()]
    assert [claim["unit"] for claim in claims] == ["tokens/s", "MiB", "share"]
    assert {(claim["ours"], claim["holds"], claim["reason"]) for claim in claims} == {
        (None, None, "no CUDA device is visible")
    }
