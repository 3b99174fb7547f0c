"""Tensors to disk, with errors that say what happened."""

from __future__ import annotations

import os
import re
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from reactor_core.utils.files import storage_errors

__all__ = ["as_os_error", "write_tensors"]


def write_tensors(tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Write a safetensors file.

    Raises:
        StorageFull: No space is left.
        StorageError: Any other failure of the file system.
    """
    with storage_errors(path):
        try:
            save_file(tensors, str(path), metadata={"format": "pt"})
        except SafetensorError as error:
            raise as_os_error(error) from error


def as_os_error(error: SafetensorError) -> Exception:
    """The system's error inside safetensors' own, which carries its number only as text."""
    number = re.search(r"os error (\d+)", str(error))
    return error if number is None else OSError(int(number[1]), os.strerror(int(number[1])))
