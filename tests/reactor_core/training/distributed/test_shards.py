from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.reactor_core.conftest import build_model

from reactor_core.training.distributed.shards import blocks_of, held_bytes, is_shared_out

Together = Callable[..., list[Any]]


@pytest.mark.parametrize("kind", ["lora", "full", "gpt2"])
def test_a_step_together_is_the_step_alone(together: Together, kind: str) -> None:
    one, other = together("step", kind=kind)
    assert one["loss"] < 1e-6
    assert one["gradients"] < 1e-5
    assert one["tokens"] == [0, 0]
    assert one["shared_out"] == [False, True]
    assert one["nothing"] == {}
    for name in ("loss", "gradient", "tail"):
        assert one[name] == other[name], "both processes have the same bits"


@pytest.mark.parametrize("kind", ["lora", "full"])
def test_a_part_that_one_process_has_alone_counts_once(together: Together, kind: str) -> None:
    for answer in together("step", kind=kind):
        assert answer["tail"] == pytest.approx(answer["tail_alone"], rel=1e-6)


def test_each_process_holds_its_share_of_the_weights(together: Together) -> None:
    """Whole rows are dealt out. Of the tiny model with an adapter a seventh is trained, and kept whole."""
    answers = together("step", kind="full", size=3)
    whole = answers[0]["bytes"][0]
    assert sum(answer["bytes"][1] for answer in answers) == whole
    assert max(answer["bytes"][1] for answer in answers) < 1.05 * whole / 3
    for answer in together("step", kind="lora"):
        before, after = answer["bytes"]
        assert after < 0.6 * before


def test_the_layers_of_a_model_are_found() -> None:
    llama, gpt2 = build_model("llama", 40), build_model("gpt2", 40)
    assert blocks_of(llama) == list(llama.model.layers)
    assert blocks_of(gpt2) == list(gpt2.transformer.h)
    assert not is_shared_out(llama)
    assert held_bytes(llama) == 4 * llama.num_parameters()
