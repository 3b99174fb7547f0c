"""The card of a run: everything that says where its numbers come from."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from reactor_core.data.records import Dataset
from reactor_core.models.entry import ModelEntry

if TYPE_CHECKING:
    from torch import device as Device  # noqa: N812  a type, spelled as one

__all__ = ["CARD", "dataset_facts", "describe_environment", "events_of", "run_identity", "tokenizer_hash"]

CARD = "card.json"
"""Name of the card in the run's folder and in the adapter's."""

_COMPUTING = ("reactor-core", "torch", "transformers", "safetensors", "bitsandbytes")
_OPTIONAL = ("bitsandbytes",)  # imported where weights are kept in four bits


def describe_environment(device: Device) -> dict[str, Any]:
    """Machine and versions."""
    import torch  # here: who only reads cards needs no torch

    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "versions": {name: version(name) for name in _COMPUTING if name not in _OPTIONAL or name in sys.modules},
    }


def dataset_facts(dataset: Dataset) -> dict[str, Any]:
    """Path, hash, number of rows, and where the rows came from.

    Rows whose ``source`` names journal events (:func:`events_of`) are counted; those with their position too
    (``{"event_id", "seq"}``) give the range of events that was trained on.
    """
    named, positions = 0, []
    for row in dataset.rows:
        if events_of(row.source):
            named += 1
            if isinstance(position := row.source.get("seq"), int):
                positions.append(position)
    return {
        "path": str(dataset.path),
        "sha256": dataset.sha256,
        "rows": len(dataset.rows),
        "events": {
            "rows": named,
            "first_seq": min(positions, default=None),
            "last_seq": max(positions, default=None),
        },
    }


def events_of(source: Any) -> tuple[str, ...]:
    """Ids of the events that a row's ``source`` names: its ``event_id``, or all of ``events``."""
    if not isinstance(source, dict):
        return ()
    several = source.get("events")
    named = [source.get("event_id"), *(several if isinstance(several, list) else ())]
    return tuple(dict.fromkeys(name for name in named if isinstance(name, str) and name))


def tokenizer_hash(tokenizer: Any) -> str:
    """SHA-256 over what turns text into token ids: vocabulary, merges, rules, special tokens."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    rules = backend.to_str() if backend is not None else json.dumps(sorted(tokenizer.get_vocab().items()))
    special = json.dumps({name: str(token) for name, token in sorted(tokenizer.special_tokens_map.items())})
    return hashlib.sha256(f"{rules}\n{special}".encode()).hexdigest()


def run_identity(
    config_hash: str,
    dataset: Dataset,
    entry: ModelEntry,
    template: str,
    tokenizer: str,
    held: Dataset | None = None,
    adapter: str | None = None,
) -> dict[str, str]:
    """What a resume must find unchanged.

    Args:
        config_hash: Of the options.
        dataset: What is trained on.
        entry: The base model.
        template: Hash of the chat template.
        tokenizer: Hash of the tokenizer (:func:`tokenizer_hash`).
        held: What is measured on, or None.
        adapter: Hash of the adapter that the run starts from, or None.
    """
    identity = {
        "configuration": config_hash,
        "dataset": dataset.sha256,
        "base model": entry.weights_hash,
        "chat template": template,
        "tokenizer": tokenizer,
    }
    if held is not None:
        identity["held-out dataset"] = held.sha256
    if adapter is not None:
        identity["adapter"] = adapter
    return identity
