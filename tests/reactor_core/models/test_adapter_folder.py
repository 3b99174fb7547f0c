from __future__ import annotations

import json
from pathlib import Path

import pytest

from reactor_core.errors import ArtifactCorrupt, NotFound
from reactor_core.models.adapter_folder import hash_adapter, read_card, require_same_base
from reactor_core.models.entry import ModelEntry


def adapter(folder: Path, weights: bytes = b"weights", card: str | None = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(weights)
    if card is not None:
        (folder / "card.json").write_text(card)
    return folder


def entry(digest: str) -> ModelEntry:
    return ModelEntry("tiny", Path("tiny"), "folder", "tiny", {"model.safetensors": digest}, 1)


def test_the_hash_covers_names_and_bytes(tmp_path: Path) -> None:
    same = hash_adapter(adapter(tmp_path / "a"))
    assert same == hash_adapter(adapter(tmp_path / "b"))
    assert same != hash_adapter(adapter(tmp_path / "c", b"x"))
    assert same != hash_adapter(adapter(tmp_path / "d", card="{}"))


def test_a_folder_that_is_no_adapter_has_no_hash(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(NotFound, match=r"adapter_model\.safetensors"):
        hash_adapter(tmp_path)


def test_an_adapter_of_other_base_weights_is_refused(tmp_path: Path) -> None:
    folder = adapter(tmp_path / "a", card=json.dumps({"base": {"weights_hash": entry("1").weights_hash}}))
    require_same_base(folder, entry("1"))
    with pytest.raises(ArtifactCorrupt, match="other base weights"):
        require_same_base(folder, entry("2"))


def test_an_adapter_without_a_card_says_nothing_about_its_base(tmp_path: Path) -> None:
    folder = adapter(tmp_path / "a")
    assert read_card(folder) is None
    require_same_base(folder, entry("1"))


def test_a_card_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactCorrupt, match=r"card\.json"):
        read_card(adapter(tmp_path / "a", card="{"))
