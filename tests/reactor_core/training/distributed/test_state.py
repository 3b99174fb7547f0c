from __future__ import annotations

import json

import pytest
import torch
from tests.reactor_core.training.distributed.conftest import Runs

from reactor_core.training.checkpoint import Progress
from reactor_core.training.distributed.state import give_out, give_tensor
from reactor_core.training.distributed.world import World
from reactor_core.training.optim import build_optimizer

FULL = {"use_lora": False, "learning_rate": 0.001}


def test_a_process_alone_keeps_what_it_has() -> None:
    tensor = torch.ones(2)
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = build_optimizer([parameter], learning_rate=0.1, weight_decay=0.0, beta2=0.9)
    assert give_tensor(World(), None) is None
    assert give_tensor(World(), tensor) is tensor
    assert give_out(World(), Progress(step=3, elapsed=0.1), {"w": parameter}, optimizer) == Progress(
        step=3, elapsed=0.1
    )
    assert not optimizer.state


@pytest.mark.slow
def test_a_full_run_that_was_stopped_ends_in_the_same_bytes(runs: Runs) -> None:
    """Its moments are shared out, brought together for the checkpoint, and shared out again."""
    untouched = runs.end("untouched", **FULL)
    first, _ = runs("run", say={"step": 3, "what": "SIGTERM"}, **FULL)
    assert first["error"] == "Interrupted"
    again = runs.end("run", **FULL)
    assert again["resumed_from"] == 3
    assert again["sha256"] == untouched["sha256"]


@pytest.mark.slow
def test_a_certificate_of_a_full_run_is_refused(runs: Runs) -> None:
    first, other = runs("run", certificate=True, **FULL)
    assert first["error"] == other["error"] == "ConfigError"
    assert "shard=False" in first["message"]


@pytest.mark.slow
def test_preferences_of_a_full_run_keep_their_reference(runs: Runs) -> None:
    rows = [{"prompt": f"{n} + {n} = ", "chosen": f"{2 * n}", "rejected": "?"} for n in range(8)]
    options = {"method": "dpo", "rows": rows, **FULL}
    alone = runs.end("alone", size=1, **options)
    runs("run", say={"step": 2, "what": "SIGTERM"}, **options)
    again = runs.end("run", **options)
    assert again["losses"] == pytest.approx(alone["losses"], rel=1e-3)
    (state,) = (runs.folder / "run" / "runs").glob("*/card.json")
    assert json.loads(state.read_text())["processes"] == 2
