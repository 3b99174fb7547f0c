"""An adapter's folder as others find it: its files, one hash over them, and what its card says. Needs no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reactor_core.errors import ArtifactCorrupt, NotFound
from reactor_core.models.entry import ModelEntry
from reactor_core.utils.canonical import content_hash
from reactor_core.utils.files import sha256_file

__all__ = ["ADAPTER_CONFIG", "ADAPTER_WEIGHTS", "hash_adapter", "read_card", "require_same_base"]

ADAPTER_CONFIG = "adapter_config.json"
"""PEFT's name of an adapter's options."""

ADAPTER_WEIGHTS = "adapter_model.safetensors"
"""PEFT's name of an adapter's tensors."""

_CARD = "card.json"


def hash_adapter(folder: Path) -> str:
    """One hash over all files of an adapter's folder: the hash of the map from file name to SHA-256.

    Raises:
        NotFound: The folder does not hold an adapter in PEFT's format.
    """
    for name in (ADAPTER_CONFIG, ADAPTER_WEIGHTS):
        if not (folder / name).is_file():
            raise NotFound(f"{folder} is no adapter: {name} is missing", remedy="give the folder a run has written")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return content_hash({path.relative_to(folder).as_posix(): sha256_file(path) for path in files})


def read_card(folder: Path) -> dict[str, Any] | None:
    """The card that a run of ours wrote beside its adapter; None where there is none, as beside PEFT's own.

    Raises:
        ArtifactCorrupt: It cannot be read.
    """
    file = folder / _CARD
    if not file.is_file():
        return None
    try:
        card: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArtifactCorrupt(f"{file} is no readable card: {error}") from error
    return card


def require_same_base(folder: Path, entry: ModelEntry) -> None:
    """An adapter of ours says which weights it was trained on; on others it would be quietly wrong.

    Raises:
        ArtifactCorrupt: It was trained on other weights than the entry's.
    """
    card = read_card(folder)
    if card is not None and card["base"]["weights_hash"] != entry.weights_hash:
        raise ArtifactCorrupt(
            f"adapter {folder} was trained on other base weights than {entry.name!r} from {entry.origin}",
            remedy="pull the model from the source that the adapter's card names",
        )
