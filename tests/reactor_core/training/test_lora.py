from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from reactor_core.errors import ConfigError
from reactor_core.training.lora import adapter_off, inject_lora, lora_modules, merge_adapter, trained_biases

IDS = torch.tensor([[5, 9, 40, 77, 8, 30, 60]])
FAMILIES = ["llama", "qwen2", "gpt2"]
MakeModel = Callable[[str], Path]


def load(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")


def randomize(model: Any) -> None:
    """B starts at zero, and biases as they were; give both values so that the adapter does something."""
    generator = torch.Generator().manual_seed(1)
    for _, module in lora_modules(model):
        module.lora_B.data.normal_(std=0.1, generator=generator)
    for bias in trained_biases(model).values():
        bias.data.add_(torch.randn(bias.shape, generator=generator), alpha=0.1)


class _Holder(nn.Module):
    """The least that counts as a model: one layer, no head."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def get_output_embeddings(self) -> None:
        return None


def holder(layer: nn.Module) -> Any:
    return _Holder(copy.deepcopy(layer))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_merged_adapter_answers_the_same(family: str, model_folder: MakeModel) -> None:
    model = load(model_folder(family))
    inject_lora(model, rank=4, alpha=8.0, bias="none" if family == "llama" else "all")
    randomize(model)
    before = model(IDS).logits
    merge_adapter(model)
    assert not list(lora_modules(model))
    assert torch.allclose(model(IDS).logits, before, atol=1e-5)


@pytest.mark.parametrize(
    ("family", "bias"), [*((family, "none") for family in FAMILIES), ("qwen2", "all"), ("gpt2", "all")]
)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_an_adapter_that_is_off_is_as_if_it_were_not_there(
    family: str, dropout: float, bias: Any, model_folder: MakeModel
) -> None:
    model = load(model_folder(family))
    before = model(IDS).logits
    inject_lora(model, rank=4, alpha=8.0, dropout_p=dropout, bias=bias)
    randomize(model)
    model.train()
    with adapter_off(model):
        assert torch.equal(model(IDS).logits, before)
    model.eval()
    assert not torch.allclose(model(IDS).logits, before)


def test_a_fresh_adapter_changes_nothing(model_folder: MakeModel) -> None:
    model = load(model_folder("llama"))
    before = model(IDS).logits
    inject_lora(model, rank=4, alpha=8.0)
    assert torch.equal(model(IDS).logits, before)


def test_equal_seeds_start_equal(model_folder: MakeModel) -> None:
    def first(seed: int) -> torch.Tensor:
        model = load(model_folder("llama"))
        inject_lora(model, rank=4, alpha=8.0, seed=seed)
        return next(iter(lora_modules(model)))[1].lora_A.detach()

    assert torch.equal(first(3), first(3))
    assert not torch.equal(first(3), first(4))


def test_dropout_acts_in_training_only(model_folder: MakeModel) -> None:
    model = load(model_folder("llama"))
    inject_lora(model, rank=4, alpha=8.0, dropout_p=0.5)
    randomize(model)
    plain = copy.deepcopy(model)
    for _, module in lora_modules(plain):
        module.dropout_p = 0.0
    assert torch.equal(model.eval()(IDS).logits, plain.eval()(IDS).logits)
    assert not torch.equal(model.train()(IDS).logits, plain(IDS).logits)


def test_dropout_keeps_the_gradients_of_plain_autograd() -> None:
    base = nn.Linear(6, 5)
    plain, written = holder(base), holder(base)
    inject_lora(written, rank=2, alpha=4.0, dropout_p=0.5, bias="all", target_modules=("layer",))
    randomize(written)
    module = written.layer.train()
    first, second = (torch.randn(7, 6, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    first.requires_grad_(), second.requires_grad_()
    torch.manual_seed(0)
    module(first).square().sum().backward()
    torch.manual_seed(0)
    a, b = (value.detach().clone().requires_grad_() for value in (module.lora_A, module.lora_B))
    bias = module.bias.detach().clone().requires_grad_()
    low = nn.functional.dropout(second, 0.5) @ a.t() @ b.t()
    (second @ plain.layer.weight.t() + bias + 2.0 * low).square().sum().backward()
    for ours, theirs in ((first, second), (module.lora_A, a), (module.lora_B, b), (module.bias, bias)):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_only_named_targets_are_adapted(model_folder: MakeModel) -> None:
    model = load(model_folder("llama"))
    paths = inject_lora(model, rank=4, alpha=8.0, target_modules=("q_proj", "v_proj"), layers=1)
    assert paths == ["model.layers.2.self_attn.q_proj", "model.layers.2.self_attn.v_proj"]


@pytest.mark.parametrize(
    ("options", "match"),
    [({"target_modules": ("q_proj", "qproj")}, "qproj"), ({"layers": 9}, "the model has 3 layers")],
)
def test_a_target_that_is_not_there_is_refused(options: dict[str, Any], match: str, model_folder: MakeModel) -> None:
    with pytest.raises(ConfigError, match=match):
        inject_lora(load(model_folder("llama")), rank=4, alpha=8.0, **options)


@pytest.mark.parametrize(
    ("family", "bias", "expected"),
    [
        ("qwen2", "lora_only", {"q_proj.base.bias", "v_proj.base.bias"}),
        ("qwen2", "all", {"q_proj.base.bias", "k_proj.bias", "v_proj.base.bias"}),
        ("gpt2", "lora_only", {"c_attn.base.bias"}),
        ("gpt2", "all", {"c_attn.base.bias", "c_proj.bias", "c_fc.bias", "ln_1.bias", "ln_2.bias", "ln_f.bias"}),
    ],
)
def test_the_biases_that_were_asked_for_are_trained(
    family: str, bias: Any, expected: set[str], model_folder: MakeModel
) -> None:
    model = load(model_folder(family))
    targets = ("q_proj", "v_proj") if family == "qwen2" else ("c_attn",)
    inject_lora(model, rank=4, alpha=8.0, target_modules=targets, bias=bias)
    trained = {name for name, value in model.named_parameters() if value.requires_grad and "lora_" not in name}
    ends = {".".join(name.split(".")[-3 if ".base." in name else -2 :]) for name in trained}
    assert ends == expected
    assert trained == trained_biases(model).keys()


def test_biases_of_a_model_without_any_are_refused(model_folder: MakeModel) -> None:
    with pytest.raises(ConfigError, match="lora_bias='all'"):
        inject_lora(load(model_folder("llama")), rank=4, alpha=8.0, bias="all")
