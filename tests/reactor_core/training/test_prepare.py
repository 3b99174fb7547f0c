"""A loaded model made ready to be trained."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reactor_core.data.packing import Document
from reactor_core.training import prepare as room
from reactor_core.training.config import TrainingConfig
from reactor_core.training.prepare import fast_form, prepare

MakeModel = Callable[[str], Path]

DOCUMENTS = [
    Document((5, 6, 7, 8, 20, 21, 2), (False,) * 5 + (True,) * 2, 0),
    Document((5, 6, 7, 30, 2), (False,) * 3 + (True,) * 2, 1),
]


def load(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    import reactor_core.models.attention  # noqa: F401  registers the function

    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="reactor_documents")


def test_an_adapter_moves_and_the_base_stays(model_folder: MakeModel) -> None:
    model = load(model_folder("llama"))
    parameters, optimizer = prepare(model, TrainingConfig(lora_rank=4), None)
    assert parameters
    assert {name.rsplit(".", 1)[1] for name in parameters} == {"lora_A", "lora_B"}
    assert list(parameters.values()) == [value for group in optimizer.param_groups for value in group["params"]]


def test_all_weights_are_named_in_the_order_of_the_optimizer(model_folder: MakeModel) -> None:
    model = load(model_folder("llama"))
    parameters, _ = prepare(model, TrainingConfig(use_lora=False), None)
    assert set(parameters) == {name for name, _ in model.named_parameters()}
    matrices = [value.ndim >= 2 for value in parameters.values()]
    assert matrices == sorted(matrices, reverse=True)
    assert not all(matrices)


def test_a_llama_gets_its_fast_form_unless_activations_are_recomputed(model_folder: MakeModel) -> None:
    model = load(model_folder("llama"))
    config = TrainingConfig(lora_rank=4)
    prepare(model, config, None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fast_form(model, DOCUMENTS, config) is not None
        assert fast_form(model, DOCUMENTS, config.model_copy(update={"gradient_checkpointing": True})) is None


def test_a_form_that_differs_is_left_alone_and_named(model_folder: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(room.FastLlama):
        def hidden(self, batch: Any) -> torch.Tensor:
            return super().hidden(batch) * 1.1

    model = load(model_folder("llama"))
    config = TrainingConfig(lora_rank=4)
    prepare(model, config, None)
    monkeypatch.setattr(room, "FastLlama", Wrong)
    with pytest.warns(UserWarning, match="the fast path differs from the generic one"):
        assert fast_form(model, DOCUMENTS, config) is None
