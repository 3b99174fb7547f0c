from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.reactor_core.conftest import build_model

from reactor_core.training.distributed.shards import blocks_of, held_bytes, is_shared_out

Together = Callable[..., list[Any]]


@pytest.mark.parametrize("kind", ["lora", "full", pytest.param("gpt2", marks=pytest.mark.slow)])
def test_a_step_together_is_the_step_alone(together: Together, kind: str) -> None:
    one, other = together("step", kind=kind)
    assert one["loss"] < 1e-6
    assert one["gradients"] < 1e-5
    assert one["tokens"] == [0, 0]
    assert one["shared_out"] == [False, True]
    assert one["nothing"] == {}
    assert one["tail"] == pytest.approx(one["tail_alone"], rel=1e-6), "a part that the other one does not have"
    before, after = one["bytes"]
    assert after < 0.6 * before, "a seventh of the tiny model is its adapter, which is kept whole"
    for name in ("loss", "gradient", "tail"):
        assert one[name] == other[name], "both processes have the same bits"


@pytest.mark.slow
def test_each_process_holds_its_share_of_the_weights(together: Together) -> None:
    """Whole rows are dealt out, so that the last process may have less."""
    answers = together("step", kind="full", size=3)
    whole = answers[0]["bytes"][0]
    assert sum(answer["bytes"][1] for answer in answers) == whole
    assert max(answer["bytes"][1] for answer in answers) < 1.05 * whole / 3


def test_the_layers_of_a_model_are_found() -> None:
    llama, gpt2 = build_model("llama", 40), build_model("gpt2", 40)
    assert blocks_of(llama) == list(llama.model.layers)
    assert blocks_of(gpt2) == list(gpt2.transformer.h)
    assert not is_shared_out(llama)
    assert held_bytes(llama) == 4 * llama.num_parameters()
