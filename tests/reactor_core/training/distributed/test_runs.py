"""Whole runs of several processes, beside the same run of one."""

from __future__ import annotations

import pytest
from tests.reactor_core.training.distributed.conftest import DPO, HELD, Runs


def close(losses: list[float], others: list[float]) -> bool:
    return losses == pytest.approx(others, rel=1e-4)


@pytest.mark.parametrize("shard", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_two_processes_take_the_loss_path_of_one(runs: Runs, shard: bool) -> None:
    alone = runs.end("alone", size=1)
    first, other = runs("together", shard=shard)
    assert first == other
    assert (first["steps"], first["processes"], alone["processes"]) == (6, 2, 1)
    assert close(first["losses"], alone["losses"])
    assert first["path"] == ("generic" if shard else "fast")


def test_preferences_take_the_loss_path_of_one_process(runs: Runs) -> None:
    held = runs.rows("held", [{"prompt": r["prompt"], "chosen": r["completion"], "rejected": "!"} for r in HELD])
    alone = runs.end("alone", size=1, rows=DPO, method="dpo", eval_dataset=held, certificate=True)
    first = runs.end("together", rows=DPO, method="dpo", eval_dataset=held, certificate=True)
    assert close(first["losses"], alone["losses"])
    assert first["eval_loss"] == pytest.approx(alone["eval_loss"], rel=1e-4)
    assert (first["best_step"], first["certified"]) == (alone["best_step"], True)


def test_a_model_that_is_trained_in_full_comes_out_whole(runs: Runs) -> None:
    from transformers import AutoModelForCausalLM

    held = runs.rows("held", HELD)
    options = {"use_lora": False, "learning_rate": 0.001, "weight_decay": 0.1, "eval_dataset": held, "eval_steps": 2}
    alone = runs.end("alone", size=1, **options)
    first = runs.end("together", **options)
    assert close(first["losses"], alone["losses"])
    assert first["eval_loss"] == pytest.approx(alone["eval_loss"], rel=1e-4)
    one, other = (
        dict(AutoModelForCausalLM.from_pretrained(run["folder"]).named_parameters()) for run in (alone, first)
    )
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert tensor.allclose(other[name], rtol=1e-3, atol=1e-4), name


@pytest.mark.slow
def test_a_base_in_four_bits_is_kept_by_every_process(runs: Runs) -> None:
    alone = runs.end("alone", size=1, quantization="nf4")
    first = runs.end("together", quantization="nf4")
    assert close(first["losses"], alone["losses"])
