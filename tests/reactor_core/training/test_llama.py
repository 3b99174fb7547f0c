from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from reactor_core.data.packing import Document, pack
from reactor_core.training.llama import FastLlama, why_not_fast
from reactor_core.training.lora import inject_lora, lora_modules
from reactor_core.training.step import agrees, predicting_states

MakeModel = Callable[[str], Path]

DOCUMENTS = [
    Document((5, 6, 7, 8, 20, 21, 2), (False,) * 5 + (True,) * 2, 0),
    Document((5, 6, 7, 8, 30, 2), (False,) * 4 + (True,) * 2, 1),
    Document((5, 6, 7, 8, 31, 2), (False,) * 4 + (True,) * 2, 2),
    Document(tuple(range(9, 40)), (False,) * 3 + (True,) + (False,) * 26 + (True,), 3),
]


def load(folder: Path, **lora: Any) -> Any:
    from transformers import AutoModelForCausalLM

    import reactor_core.models.attention  # noqa: F401  registers the function

    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="reactor_documents")
    model.requires_grad_(False)
    if lora:
        inject_lora(model, rank=4, alpha=8.0, **lora)
        generator = torch.Generator().manual_seed(1)
        for _, module in lora_modules(model):
            module.lora_B.data.normal_(std=0.1, generator=generator)
    return model


@pytest.mark.parametrize(
    "lora",
    [{"seed": 1}, {"layers": 1}, {"target_modules": ("q_proj", "v_proj", "down_proj")}, {"rslora": True}],
    ids=["all", "top layer", "some", "rslora"],
)
def test_loss_and_gradients_equal_the_generic_path(lora: dict[str, Any], model_folder: MakeModel) -> None:
    model = load(model_folder("llama"), **lora)
    assert why_not_fast(model) is None
    same, by_loss, by_grad = agrees(model, FastLlama(model), DOCUMENTS, tolerance=2e-5)
    assert same, f"loss differs by {by_loss}, gradients by {by_grad}"


def test_a_model_without_additions_gives_the_same_states(model_folder: MakeModel) -> None:
    model = load(model_folder("llama"))
    batch = pack(DOCUMENTS)
    with torch.no_grad():
        generic = predicting_states(model, batch)
        assert torch.allclose(FastLlama(model).hidden(batch), generic, atol=1e-5)


def test_the_model_goes_on_working_and_shares_its_memory(model_folder: MakeModel) -> None:
    model = load(model_folder("llama"))
    ids = torch.tensor([[5, 9, 40, 77]])
    before = model(ids).logits
    FastLlama(model)
    assert torch.equal(model(ids).logits, before)
    attention = model.model.layers[0].self_attn
    assert attention.q_proj.weight.untyped_storage().data_ptr() == attention.v_proj.weight.untyped_storage().data_ptr()


def test_no_weight_stays_in_the_mapped_file(model_folder: MakeModel) -> None:
    model = load(model_folder("llama"), seed=1)
    places = {name: value.data_ptr() for name, value in model.named_parameters()}
    FastLlama(model)
    stayed = {name for name, value in model.named_parameters() if value.data_ptr() == places[name]}
    assert stayed == {name for name, value in model.named_parameters() if value.requires_grad}


def test_a_wrong_fast_form_is_found_out(model_folder: MakeModel) -> None:
    model = load(model_folder("llama"), seed=1)
    fast = FastLlama(model)
    layer = fast._layers[1]
    heads = layer.attention.heads
    fast._layers[1] = replace(layer, attention=replace(layer.attention, heads=replace(heads, scale=0.9 * heads.scale)))
    same, _, by_grad = agrees(model, fast, DOCUMENTS)
    assert not same
    assert by_grad > 1e-3


def test_what_is_not_llama_shaped_or_trains_more_stays_generic(model_folder: MakeModel) -> None:
    assert why_not_fast(load(model_folder("gpt2"))) == "the model is gpt2, not llama"
    full = load(model_folder("llama"))
    full.requires_grad_(True)
    assert why_not_fast(full) == "more than low-rank additions is trained"
    assert why_not_fast(load(model_folder("llama"), dropout_p=0.1)) == "there is dropout"


def test_a_long_document_and_a_short_one(model_folder: MakeModel) -> None:
    model = load(model_folder("llama"), seed=1)
    long = Document(tuple(3 + i * i % 200 for i in range(600)), (False,) * 100 + (True,) * 500, 4)
    same, by_loss, by_grad = agrees(model, FastLlama(model), [*DOCUMENTS, long], tolerance=2e-5)
    assert same, f"loss differs by {by_loss}, gradients by {by_grad}"
