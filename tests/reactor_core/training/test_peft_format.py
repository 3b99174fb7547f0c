from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from reactor_core.errors import ArtifactCorrupt, ConfigError, NotFound
from reactor_core.models.quantize import quantize_layers
from reactor_core.training.lora import inject_lora, lora_modules, merge_adapter, trained_biases
from reactor_core.training.peft_format import adapter_config, adapter_tensors, load_adapter, save_adapter

# peft 0.21 still uses a name that transformers 5.23 calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")

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


def save(model: Any, folder: Path, **options: Any) -> None:
    facts = {"base": "base", "rank": 4, "alpha": 8.0, "dropout_p": 0.0, "layers": None, "rslora": False, **options}
    folder.mkdir(exist_ok=True)
    save_adapter(model, adapter_config(model, **facts), folder)


def saved_by_peft(family: str, folder: Path, model_folder: MakeModel, **options: Any) -> Any:
    """A PEFT model with random values everywhere, saved; in evaluation mode."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=4, lora_alpha=8, task_type="CAUSAL_LM", init_lora_weights=False, **options)
    config.fan_in_fan_out = family == "gpt2"
    theirs = get_peft_model(load(model_folder(family)), config).eval()
    generator = torch.Generator().manual_seed(4)
    for parameter in theirs.parameters():
        if parameter.requires_grad:
            parameter.data.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)
    theirs.save_pretrained(str(folder))
    return theirs


def options_of(family: str) -> dict[str, dict[str, Any]]:
    options: dict[str, dict[str, Any]] = {"plain": {}, "rslora": {"rslora": True}, "top layer": {"layers": 1}}
    if family != "llama":
        options |= {"its biases": {"bias": "lora_only"}, "all biases": {"bias": "all"}}
    if family == "gpt2":
        options["one of two c_proj"] = {"target_modules": ("attn.c_proj",)}
    return options


def named_parameters_of_adapter(model: Any) -> dict[str, Any]:
    """Trained parameters under the names that they are saved by."""
    by_address = {value.data_ptr(): value for value in model.parameters() if value.requires_grad}
    return {name: by_address[value.data_ptr()] for name, value in adapter_tensors(model).items()}


@pytest.mark.parametrize(("family", "named"), [(family, name) for family in FAMILIES for name in options_of(family)])
def test_peft_loads_what_we_save(family: str, named: str, model_folder: MakeModel, tmp_path: Path) -> None:
    from peft import PeftModel

    options = options_of(family)[named]
    model = load(model_folder(family))
    inject_lora(model, rank=4, alpha=8.0, **options)
    randomize(model)
    save(model, tmp_path / "adapter", **{name: value for name, value in options.items() if name != "target_modules"})
    theirs = PeftModel.from_pretrained(load(model_folder(family)), str(tmp_path / "adapter")).eval()
    assert torch.allclose(model(IDS).logits, theirs(IDS).logits, atol=1e-5)
    assert not torch.allclose(model(IDS).logits, load(model_folder(family))(IDS).logits, atol=1e-2)
    again = load(model_folder(family))
    load_adapter(again, tmp_path / "adapter")
    assert torch.equal(again(IDS).logits, model(IDS).logits)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "options",
    [
        {"target_modules": "all-linear"},
        {"target_modules": "all-linear", "use_rslora": True},
        {"target_modules": "all-linear", "bias": "lora_only"},
        {"target_modules": "all-linear", "bias": "all"},
        {"target_modules": ["up_proj", "c_fc"], "layers_to_transform": [0]},
        {"target_modules": "all-linear", "exclude_modules": ["down_proj", "mlp.c_proj"]},
        {"target_modules": r".*\.1\..*(up_proj|c_fc)"},
    ],
    ids=["plain", "rslora", "its biases", "all biases", "lowest layer", "all but one", "pattern"],
)
def test_we_load_what_peft_saves(family: str, options: dict[str, Any], model_folder: MakeModel, tmp_path: Path) -> None:
    theirs = saved_by_peft(family, tmp_path / "adapter", model_folder, **options)
    ours = load(model_folder(family))
    load_adapter(ours, tmp_path / "adapter")
    expected = theirs(IDS).logits
    assert torch.allclose(ours(IDS).logits, expected, atol=1e-5)
    assert adapter_tensors(ours).keys() == load_file(tmp_path / "adapter" / "adapter_model.safetensors").keys()
    merge_adapter(ours)
    assert torch.allclose(ours(IDS).logits, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("family", "bias"), [("llama", "none"), ("qwen2", "all"), ("gpt2", "all"), ("gpt2", "lora_only")]
)
def test_gradients_equal_peft_with_plain_autograd(
    family: str, bias: Any, model_folder: MakeModel, tmp_path: Path
) -> None:
    from peft import PeftModel

    model = load(model_folder(family))
    inject_lora(model, rank=4, alpha=8.0, bias=bias)
    randomize(model)
    save(model, tmp_path / "adapter", bias=bias)
    theirs = PeftModel.from_pretrained(load(model_folder(family)), str(tmp_path / "adapter"), is_trainable=True)
    for each in (model, theirs):
        each(IDS, labels=IDS).loss.backward()
    reference = {
        name.replace(".default.", "."): value.grad for name, value in theirs.named_parameters() if value.requires_grad
    }
    ours = {name: value.grad for name, value in named_parameters_of_adapter(model).items()}
    assert ours.keys() == reference.keys()
    for name, grad in ours.items():
        assert torch.allclose(grad, reference[name], atol=1e-5), name


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize(("family", "bias"), [("llama", "none"), ("qwen2", "lora_only"), ("gpt2", "all")])
def test_loss_and_gradients_on_four_bits_equal_peft_and_bitsandbytes(
    family: str, bias: Any, double: bool, model_folder: MakeModel, tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    model = load(model_folder(family))
    quantize_layers(model, double_quantization=double, device="cpu")
    inject_lora(model, rank=4, alpha=8.0, bias=bias)
    randomize(model)
    save(model, tmp_path / "adapter", bias=bias)
    options = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=double,
        bnb_4bit_compute_dtype=torch.float32,
    )
    base = AutoModelForCausalLM.from_pretrained(
        model_folder(family), attn_implementation="eager", quantization_config=options
    )
    theirs = PeftModel.from_pretrained(base, str(tmp_path / "adapter"), is_trainable=True)
    losses = [each(IDS, labels=IDS).loss for each in (model, theirs)]
    torch.testing.assert_close(*losses)
    for loss in losses:
        loss.backward()
    reference = {
        name.replace(".default.", "."): value.grad for name, value in theirs.named_parameters() if value.requires_grad
    }
    ours = {name: value.grad for name, value in named_parameters_of_adapter(model).items()}
    assert ours.keys() == reference.keys()
    for name, grad in ours.items():
        assert torch.allclose(grad, reference[name], atol=1e-5), name
    with torch.no_grad():
        before = model(IDS).logits
        merge_adapter(model)
        assert torch.allclose(model(IDS).logits, before, atol=1e-5)


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


@pytest.mark.parametrize(
    "options",
    [
        {"use_dora": True},
        {"rank_pattern": {"q_proj": 2}},
        {"alpha_pattern": {"q_proj": 2}},
        {"modules_to_save": ["lm_head"]},
        {"lora_bias": True},
        {"trainable_token_indices": [1, 2]},
        {"layer_replication": [[0, 2], [1, 3]]},
        {"init_lora_weights": "pissa"},
        {"peft_type": "LOHA"},
        {"bias": "some"},
        {"a_name_of_tomorrow": True},
    ],
    ids=lambda options: next(iter(options)),
)
def test_what_would_be_left_out_is_refused(options: dict[str, Any], model_folder: MakeModel, tmp_path: Path) -> None:
    model = load(model_folder("llama"))
    inject_lora(model, rank=4, alpha=8.0)
    save(model, tmp_path / "adapter")
    config = tmp_path / "adapter" / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | options))
    with pytest.raises(ConfigError, match=next(iter(options))):
        load_adapter(load(model_folder("llama")), tmp_path / "adapter")


def test_an_adapter_of_the_head_is_refused(model_folder: MakeModel, tmp_path: Path) -> None:
    model = load(model_folder("llama"))
    inject_lora(model, rank=4, alpha=8.0)
    save(model, tmp_path / "adapter")
    config = tmp_path / "adapter" / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"target_modules": ["q_proj", "lm_head"]}))
    with pytest.raises(ConfigError, match="adapts the head"):
        load_adapter(load(model_folder("llama")), tmp_path / "adapter")


@pytest.mark.parametrize("text", ["{", "[]", '{"peft_type": "LORA"}'], ids=["cut", "a list", "no rank"])
def test_an_adapter_with_a_broken_configuration_is_refused(text: str, model_folder: MakeModel, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(text)
    with pytest.raises(ArtifactCorrupt, match=r"adapter_config\.json"):
        load_adapter(load(model_folder("llama")), tmp_path)
