from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from reactor_core.errors import ArtifactCorrupt
from reactor_core.models.entry import CARD, ModelEntry, describe_folder, read_entry, write_card
from reactor_core.utils.canonical import content_hash


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two weight files and one that is none."""
    (tmp_path / "a.safetensors").write_bytes(b"one")
    (tmp_path / "b.safetensors").write_bytes(b"four")
    (tmp_path / "config.json").write_text("{}")
    return tmp_path


def describe(folder: Path) -> ModelEntry:
    return describe_folder(folder, name="mine", source="folder", origin="here", details={"license": "MIT"})


def test_a_folder_is_described_by_its_weight_files_alone(folder: Path) -> None:
    entry = describe(folder)
    assert entry.weights == {
        "a.safetensors": hashlib.sha256(b"one").hexdigest(),
        "b.safetensors": hashlib.sha256(b"four").hexdigest(),
    }
    assert entry.size == len(b"one") + len(b"four")


def test_the_weights_hash_covers_names_and_hashes(folder: Path) -> None:
    entry = describe(folder)
    assert entry.weights_hash == content_hash(entry.weights)
    (folder / "b.safetensors").rename(folder / "c.safetensors")
    assert describe(folder).weights_hash != entry.weights_hash


def test_a_written_card_is_read_back_as_an_equal_entry(folder: Path) -> None:
    entry = describe(folder)
    write_card(folder, entry)
    assert read_entry(folder) == entry


def test_the_card_names_no_folder_so_that_it_can_be_moved(folder: Path, tmp_path: Path) -> None:
    write_card(folder, describe(folder))
    assert str(tmp_path) not in (folder / CARD).read_text()


def test_a_folder_without_a_card_has_no_entry(folder: Path) -> None:
    assert read_entry(folder) is None


@pytest.mark.parametrize("damage", ["grown", "gone", "added"])
def test_a_card_that_does_not_match_its_files_is_refused(folder: Path, damage: str) -> None:
    write_card(folder, describe(folder))
    if damage == "grown":
        (folder / "a.safetensors").write_bytes(b"longer")
    elif damage == "gone":
        (folder / "a.safetensors").unlink()
    else:
        (folder / "c.safetensors").write_bytes(b"")
    with pytest.raises(ArtifactCorrupt, match="does not match its card"):
        read_entry(folder)


def test_a_linked_card_leads_to_the_folder_that_holds_the_weights(folder: Path, tmp_path: Path) -> None:
    entry = describe(folder)
    slot = tmp_path / "slot"
    slot.mkdir()
    card = {name: value for name, value in entry.card().items() if name not in ("path", "weights_hash")}
    (slot / CARD).write_text(json.dumps({**card, "linked": str(folder)}))
    assert read_entry(slot) == entry


def test_pickled_weights_are_no_weights(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x02")
    with pytest.raises(ArtifactCorrupt, match=r"no \.safetensors weights"):
        describe(tmp_path)
