from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import linear
from transformers import AutoModelForCausalLM, BitsAndBytesConfig
from transformers.pytorch_utils import Conv1D

from reactor_core.errors import MissingExtra
from reactor_core.models.quantize import Nf4Linear, holds_quantized, quantize_layers, restore_layers, stored_dtype

IDS = torch.tensor([[5, 9, 40, 77, 8, 30, 60]])
MakeModel = Callable[[str], Path]

# The 16 levels as the paper prints them (appendix E of https://arxiv.org/abs/2305.14314).
LEVELS = torch.tensor([
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
])  # fmt: skip


def rounded(weight: torch.Tensor) -> torch.Tensor:
    """Each block of 64 weights by its nearest levels, written down anew."""
    blocks = weight.reshape(-1, 64)
    scale = blocks.abs().amax(dim=1, keepdim=True)
    nearest = ((blocks / scale)[..., None] - LEVELS).abs().argmin(dim=-1)
    return (LEVELS[nearest] * scale).view_as(weight)


def layer(inputs: int = 96, outputs: int = 128, seed: int = 0) -> nn.Linear:
    made = nn.Linear(inputs, outputs)
    made.weight.data.normal_(generator=torch.Generator().manual_seed(seed))
    return made.requires_grad_(False)


def load(folder: Path, **options: Any) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", **options).eval()


def test_what_is_stored_is_the_nearest_of_sixteen_levels() -> None:
    full = layer()
    torch.testing.assert_close(Nf4Linear(full, double_quantization=False).weight, rounded(full.weight))


def test_double_quantization_moves_the_scales_a_little() -> None:
    full = layer()
    double = Nf4Linear(full, double_quantization=True).weight
    once = rounded(full.weight)
    assert not torch.equal(double, once)
    # Eight bits over the scales' range: half a step of the dynamic code is below two hundredths of it.
    assert (double - once).abs().max() < 0.02 * full.weight.abs().max()


@pytest.mark.parametrize(("double", "bits"), [(False, 4.5), (True, 4 + 8 / 64 + 32 / (64 * 256))])
def test_a_weight_takes_an_eighth_of_its_memory(double: bool, bits: float) -> None:
    stored = Nf4Linear(layer(1024, 1024), double_quantization=double)
    tables = (16 + 256 + 1) * 4  # levels of both codes, and the mean of the scales
    assert stored.nbytes == pytest.approx(1024 * 1024 * bits / 8, abs=tables)


@pytest.mark.parametrize("double", [False, True])
def test_forward_and_backward_multiply_by_what_is_stored(double: bool) -> None:
    quantized = Nf4Linear(layer(), double_quantization=double)
    x = torch.randn(2, 5, 96, generator=torch.Generator().manual_seed(1)).requires_grad_()
    same = x.detach().clone().requires_grad_()
    assert quantized.bias is not None
    quantized.bias.requires_grad_()
    bias = quantized.bias.detach().clone().requires_grad_()
    ours, theirs = quantized(x), linear(same, quantized.weight, bias)
    assert torch.equal(ours, theirs)
    for out in (ours, theirs):
        out.square().sum().backward()
    for mine, reference in ((x.grad, same.grad), (quantized.bias.grad, bias.grad)):
        torch.testing.assert_close(mine, reference)


@pytest.mark.parametrize("base", [layer(), Conv1D(128, 96)], ids=["linear", "conv1d"])
def test_a_restored_layer_is_of_its_kind_and_computes_the_same(base: nn.Module) -> None:
    quantized = Nf4Linear(base, double_quantization=True)
    restored = quantized.restored()
    x = torch.randn(5, 96, generator=torch.Generator().manual_seed(1))
    assert type(restored) is type(base)
    torch.testing.assert_close(restored(x), quantized(x))


@pytest.mark.parametrize("family", ["llama", "qwen2", "gpt2"])
@pytest.mark.parametrize("double", [False, True])
def test_a_quantized_model_answers_as_transformers_quantizes_it(
    family: str, double: bool, model_folder: MakeModel
) -> None:
    ours = load(model_folder(family))
    quantize_layers(ours, double_quantization=double, device="cpu")
    options = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=double,
        bnb_4bit_compute_dtype=torch.float32,
    )
    theirs = load(model_folder(family), quantization_config=options)
    torch.testing.assert_close(ours(IDS).logits, theirs(IDS).logits)
    assert not torch.allclose(ours(IDS).logits, load(model_folder(family))(IDS).logits, atol=1e-2)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_restored_model_can_be_saved_and_loaded(family: str, model_folder: MakeModel, tmp_path: Path) -> None:
    model = load(model_folder(family))
    quantize_layers(model, double_quantization=True, device="cpu")
    before = model(IDS).logits
    restore_layers(model)
    assert not holds_quantized(model)
    model.save_pretrained(tmp_path)
    torch.testing.assert_close(load(tmp_path)(IDS).logits, before)


def test_only_linear_layers_are_quantized_and_not_the_head(model_folder: MakeModel) -> None:
    model, full = load(model_folder("llama")), load(model_folder("llama"))
    quantize_layers(model, double_quantization=True, device="cpu")
    kept = dict(model.named_parameters())
    assert {name.split(".")[-2] for name in kept} == {
        "embed_tokens", "norm", "input_layernorm", "post_attention_layernorm",
    }  # fmt: skip
    assert all(torch.equal(value, full.get_parameter(name)) for name, value in kept.items())
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_weights_are_read_in_the_type_that_they_are_stored_in(
    dtype: torch.dtype, model_folder: MakeModel, tmp_path: Path
) -> None:
    load(model_folder("llama")).to(dtype).save_pretrained(tmp_path)
    assert stored_dtype(sorted(tmp_path.glob("*.safetensors"))) == dtype
    narrow, wide = load(tmp_path, dtype=dtype), load(tmp_path, dtype=torch.float32)
    for model in (narrow, wide):
        quantize_layers(model, double_quantization=True, device="cpu")
    assert narrow.get_input_embeddings().weight.dtype == torch.float32
    assert torch.equal(narrow(IDS).logits, wide(IDS).logits)


def test_without_bitsandbytes_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reactor_core.utils.extras.installed", lambda _: False)
    with pytest.raises(MissingExtra, match=r"quantization='nf4' needs the extra \[train\]"):
        Nf4Linear(layer(), double_quantization=True)
