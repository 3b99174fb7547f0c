from __future__ import annotations

from pathlib import Path

import pytest

from reactor_core.errors import UnknownModel
from reactor_core.models.names import KNOWN_MODELS, parse_model_name


def test_an_alias_is_found_in_any_case() -> None:
    name = parse_model_name("SmolLM2-135M")
    assert name.kind == "alias"
    assert name.hub_id == "HuggingFaceTB/SmolLM2-135M-Instruct"


def test_a_hub_id_stands_for_itself() -> None:
    name = parse_model_name("Qwen/Qwen2.5-0.5B")
    assert (name.kind, name.hub_id) == ("hub", "Qwen/Qwen2.5-0.5B")


def test_a_folder_wins_over_a_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "org" / "name").mkdir(parents=True)
    (tmp_path / "org" / "name" / "config.json").write_text("{}")
    assert parse_model_name("org/name").kind == "folder"


@pytest.mark.parametrize("text", ["", " ", "lama", "a/b/c", "../x", "org/", "smollm2-135m\n"])
def test_anything_else_lists_what_is_known(text: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        parse_model_name(text)
    assert all(alias in str(caught.value) for alias in KNOWN_MODELS)


def test_a_near_miss_is_named() -> None:
    with pytest.raises(UnknownModel, match="did you mean 'smollm2-135m'"):
        parse_model_name("smollm-135m")
