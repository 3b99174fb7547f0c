from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from reactor_core.errors import ArtifactCorrupt, ConfigError
from reactor_core.models.entry import ModelEntry, describe_folder
from reactor_core.models.load import load_model, load_tokenizer

MakeModel = Callable[[str], Path]


def entry_of(folder: Path) -> ModelEntry:
    return describe_folder(folder, name="tiny", source="folder", origin=str(folder), details={})


@pytest.mark.parametrize("family", ["llama", "qwen2", "gpt2"])
def test_a_loaded_model_answers_as_transformers_own(model_folder: MakeModel, family: str) -> None:
    folder = model_folder(family)
    loaded, reference = load_model(entry_of(folder)), AutoModelForCausalLM.from_pretrained(folder).eval()
    ids = torch.arange(3, 40)[None]
    with torch.no_grad():
        torch.testing.assert_close(loaded.model(ids).logits, reference(ids).logits)


def test_a_loaded_model_is_frozen_in_float32_and_evaluation_mode(model_folder: MakeModel) -> None:
    model = load_model(entry_of(model_folder("llama"))).model
    assert not model.training
    assert {(parameter.dtype, parameter.requires_grad) for parameter in model.parameters()} == {(torch.float32, False)}


def test_a_tokenizer_comes_from_the_folder_alone(model_folder: MakeModel) -> None:
    tokenizer = load_tokenizer(model_folder("llama"))
    assert tokenizer.decode(tokenizer("Hello").input_ids) == "Hello"


def test_a_folder_without_a_tokenizer_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArtifactCorrupt, match="no readable tokenizer"):
        load_tokenizer(tmp_path)


def test_a_family_with_attentions_of_its_own_only_is_refused(tokenizer: Any, tmp_path: Path) -> None:
    from transformers import GPTJConfig, GPTJForCausalLM

    config = GPTJConfig(vocab_size=len(tokenizer), n_embd=32, n_layer=1, n_head=4, n_positions=64, rotary_dim=4)
    GPTJForCausalLM(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="fixed list of attentions"):
        load_model(entry_of(tmp_path))
