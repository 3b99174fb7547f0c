from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import logsigmoid
from transformers import AutoModelForCausalLM

from reactor_core.data.packing import Document
from reactor_core.data.pairs import Pair
from reactor_core.models.attention import DOCUMENT_ATTENTION
from reactor_core.training import TrainingConfig
from reactor_core.training.lora import inject_lora, lora_modules
from reactor_core.training.naive import naive_loss, naive_references, own_attention

MakeModel = Callable[[str], Path]

PROMPT = (5, 9, 40)
GOOD = Document((*PROMPT, 77, 12, 3), (False, False, False, True, True, True), 0)
BAD = Document((*PROMPT, 20, 8), (False, False, False, True, True), 0)


def load(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation=DOCUMENT_ATTENTION).eval()


def labels_of(document: Document) -> torch.Tensor:
    return torch.tensor([[t if flag else -100 for t, flag in zip(document.ids, document.trained, strict=True)]])


def their_loss(model: Any, document: Document) -> float:
    """Mean over the trained tokens, by transformers' own labels."""
    return float(model(input_ids=torch.tensor([document.ids]), labels=labels_of(document)).loss.detach())


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_the_loss_is_the_one_that_transformers_gives(family: str, model_folder: MakeModel) -> None:
    model = load(model_folder(family))
    expected = (3 * their_loss(model, GOOD) + 2 * their_loss(model, BAD)) / 5
    assert naive_loss(model, [GOOD, BAD], TrainingConfig()) == pytest.approx(expected, rel=1e-5)
    assert model.config._attn_implementation == DOCUMENT_ATTENTION


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_an_adapter_counts_and_a_preference_leaves_it_out_of_its_reference(
    family: str, model_folder: MakeModel
) -> None:
    model = load(model_folder(family))
    without = [-their_loss(model, document) * document.num_trained for document in (GOOD, BAD)]
    inject_lora(model, rank=2, alpha=4.0, seed=1)
    for _, module in lora_modules(model):
        torch.nn.init.normal_(module.lora_B, std=0.1)
    adapted = [-their_loss(model, document) * document.num_trained for document in (GOOD, BAD)]
    margin = (adapted[0] - without[0]) - (adapted[1] - without[1])
    assert abs(margin) > 1e-3
    config = TrainingConfig(method="dpo", dpo_beta=0.5)
    expected = -float(logsigmoid(torch.tensor(0.5 * margin)))
    references = naive_references(model, [Pair(GOOD, BAD, 0)], config)
    assert references[0] == pytest.approx(without, rel=1e-4)
    assert naive_loss(model, [Pair(GOOD, BAD, 0)], config, references) == pytest.approx(expected, rel=1e-4)
    going_on = config.model_copy(update={"adapter": "some"})
    assert naive_references(model, [Pair(GOOD, BAD, 0)], going_on)[0] == pytest.approx(adapted, rel=1e-4)
    assert all("forward" not in vars(module) for _, module in lora_modules(model))


def test_gradients_are_added_to_the_parameters(model_folder: MakeModel) -> None:
    model = load(model_folder("llama"))
    naive_loss(model, [GOOD], TrainingConfig())
    once = model.model.norm.weight.grad.clone()
    naive_loss(model, [GOOD], TrainingConfig())
    assert torch.allclose(model.model.norm.weight.grad, 2 * once)


def test_a_model_that_caps_its_logits_uses_the_attention_that_does(model_folder: MakeModel) -> None:
    model = load(model_folder("llama"))
    assert own_attention(model) == "sdpa"
    model.config.attn_logit_softcapping = 50.0
    assert own_attention(model) == "eager"
