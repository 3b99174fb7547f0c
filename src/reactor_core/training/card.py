"""The card of a run: everything that says where its numbers come from."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from reactor_core.data.records import Dataset
from reactor_core.models.entry import ModelEntry

__all__ = ["CARD", "dataset_facts", "describe_environment", "run_identity"]

CARD = "card.json"
"""Name of the card in the run's folder and in the adapter's."""


def describe_environment(device: torch.device) -> dict[str, Any]:
    """Machine and versions."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "versions": {name: version(name) for name in ("reactor-core", "torch", "transformers", "safetensors")},
    }


def dataset_facts(dataset: Dataset) -> dict[str, Any]:
    """Path, hash, number of rows, and where the rows came from.

    A file ``<dataset>.card.json`` or ``<stem>.card.json`` beside the dataset is taken over whole.
    """
    facts: dict[str, Any] = {"path": str(dataset.path), "sha256": dataset.sha256, "rows": len(dataset.rows)}
    for beside in (Path(f"{dataset.path}.card.json"), dataset.path.with_suffix(".card.json")):
        if beside.is_file():
            facts["card"] = json.loads(beside.read_text(encoding="utf-8"))
            break
    return facts


def run_identity(config_hash: str, dataset: Dataset, entry: ModelEntry, template: str) -> dict[str, str]:
    """What a resume must find unchanged."""
    return {
        "configuration": config_hash,
        "dataset": dataset.sha256,
        "base model": entry.weights_hash,
        "chat template": template,
    }
