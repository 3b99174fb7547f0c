from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reactor_core.data.chat import BARE_TEMPLATE, ChatFormat
from reactor_core.models.load import LoadedModel, load_model
from reactor_core.models.store import resolve_model
from reactor_core.training.config import TrainingConfig
from reactor_core.training.export import export
from reactor_core.training.lora import inject_lora
from reactor_core.utils.settings import Settings


@pytest.fixture
def loaded(model_folder: Callable[[str], Path], settings: Settings) -> LoadedModel:
    return load_model(resolve_model(str(model_folder("llama")), settings=settings))


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_an_adapter_goes_with_the_template_of_its_prompts(loaded: LoadedModel, tmp_path: Path) -> None:
    inject_lora(loaded.model, rank=16, alpha=32.0)
    export(loaded, ChatFormat(loaded.tokenizer, "bare"), TrainingConfig(), tmp_path)
    assert names(tmp_path) == {"adapter_config.json", "adapter_model.safetensors", "chat_template.jinja"}
    assert (tmp_path / "chat_template.jinja").read_text() == BARE_TEMPLATE


def test_without_lora_the_folder_is_a_model_that_loads(loaded: LoadedModel, tmp_path: Path, settings: Settings) -> None:
    export(loaded, ChatFormat(loaded.tokenizer), TrainingConfig(use_lora=False), tmp_path)
    again = load_model(resolve_model(str(tmp_path), settings=settings))
    assert again.entry.weights == {"model.safetensors": loaded.entry.weights["model.safetensors"]}
