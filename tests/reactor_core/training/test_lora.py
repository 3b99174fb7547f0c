from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reactor_core.errors import ArtifactCorrupt, ConfigError, NotFound
from reactor_core.training.lora import (
    adapter_config,
    adapter_off,
    inject_lora,
    load_adapter,
    lora_modules,
    merge_adapter,
    save_adapter,
)

# peft 0.21 still uses a name that transformers 5.23 calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")

IDS = torch.tensor([[5, 9, 40, 77, 8, 30, 60]])
FAMILIES = ["llama", "qwen2", "gpt2"]
MakeModel = Callable[[str], Path]


def load(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")


def randomize(model: Any) -> None:
    """B starts at zero; give it values so that the adapter does something."""
    generator = torch.Generator().manual_seed(1)
    for _, module in lora_modules(model):
        module.lora_B.data.normal_(std=0.1, generator=generator)


def save(model: Any, folder: Path, **options: Any) -> None:
    facts = {"base": "base", "rank": 4, "alpha": 8.0, "dropout_p": 0.0, "layers": None, "rslora": False, **options}
    folder.mkdir(exist_ok=True)
    save_adapter(model, adapter_config(model, **facts), folder)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("options", [{}, {"rslora": True}, {"layers": 1}], ids=["plain", "rslora", "top layer"])
def test_peft_loads_what_we_save(family: str, options: dict[str, Any], model_folder: MakeModel, tmp_path: Path) -> None:
    from peft import PeftModel

    model = load(model_folder(family))
    inject_lora(model, rank=4, alpha=8.0, **options)
    randomize(model)
    save(model, tmp_path / "adapter", **options)
    theirs = PeftModel.from_pretrained(load(model_folder(family)), str(tmp_path / "adapter")).eval()
    assert torch.allclose(model(IDS).logits, theirs(IDS).logits, atol=1e-5)
    assert not torch.allclose(model(IDS).logits, load(model_folder(family))(IDS).logits, atol=1e-2)


@pytest.mark.parametrize("family", FAMILIES)
def test_we_load_what_peft_saves(family: str, model_folder: MakeModel, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    config.fan_in_fan_out = family == "gpt2"
    theirs = get_peft_model(load(model_folder(family)), config).eval()
    theirs.save_pretrained(str(tmp_path / "adapter"))
    ours = load(model_folder(family))
    load_adapter(ours, tmp_path / "adapter")
    assert torch.allclose(ours(IDS).logits, theirs(IDS).logits, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_equal_peft_with_plain_autograd(family: str, model_folder: MakeModel, tmp_path: Path) -> None:
    from peft import PeftModel

    model = load(model_folder(family))
    inject_lora(model, rank=4, alpha=8.0)
    randomize(model)
    save(model, tmp_path / "adapter")
    theirs = PeftModel.from_pretrained(load(model_folder(family)), str(tmp_path / "adapter"), is_trainable=True)
    for each in (model, theirs):
        each(IDS, labels=IDS).loss.backward()
    reference = {name: value.grad for name, value in theirs.named_parameters() if value.requires_grad}
    compared = 0
    for path, module in lora_modules(model):
        for leaf in ("lora_A", "lora_B"):
            expected = reference[f"base_model.model.{path}.{leaf}.default.weight"]
            assert torch.allclose(getattr(module, leaf).grad, expected, atol=1e-5), f"{path} {leaf}"
            compared += 1
    assert compared == len(reference)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_merged_adapter_answers_the_same(family: str, model_folder: MakeModel) -> None:
    model = load(model_folder(family))
    inject_lora(model, rank=4, alpha=8.0)
    randomize(model)
    before = model(IDS).logits
    merge_adapter(model)
    assert not list(lora_modules(model))
    assert torch.allclose(model(IDS).logits, before, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_an_adapter_that_is_off_is_as_if_it_were_not_there(
    family: str, dropout: float, model_folder: MakeModel
) -> None:
    model = load(model_folder(family))
    before = model(IDS).logits
    inject_lora(model, rank=4, alpha=8.0, dropout_p=dropout)
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


def test_a_folder_without_an_adapter_is_refused(model_folder: MakeModel, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"adapter_config\.json"):
        load_adapter(load(model_folder("llama")), tmp_path)


def test_an_adapter_of_another_model_is_refused(model_folder: MakeModel, tmp_path: Path) -> None:
    model = load(model_folder("llama"))
    inject_lora(model, rank=4, alpha=8.0)
    save(model, tmp_path / "adapter")
    config = tmp_path / "adapter" / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"layers_to_transform": [2]}))
    with pytest.raises(ArtifactCorrupt, match="does not fit"):
        load_adapter(load(model_folder("llama")), tmp_path / "adapter")


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_an_adapter_that_cannot_be_read_is_refused(damage: str, model_folder: MakeModel, tmp_path: Path) -> None:
    model = load(model_folder("llama"))
    inject_lora(model, rank=4, alpha=8.0)
    save(model, tmp_path / "adapter")
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-9])
    else:
        file.unlink()
    with pytest.raises(ArtifactCorrupt, match="no readable"):
        load_adapter(load(model_folder("llama")), tmp_path / "adapter")
