from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from reactor_core.errors import StorageError
from reactor_core.training.tensors import as_os_error, write_tensors


def test_tensors_come_back(tmp_path: Path) -> None:
    write_tensors({"a": torch.arange(3)}, tmp_path / "t.safetensors")
    assert load_file(tmp_path / "t.safetensors")["a"].tolist() == [0, 1, 2]


def test_a_folder_that_is_gone_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        write_tensors({"a": torch.zeros(1)}, tmp_path / "gone" / "t.safetensors")


def test_a_full_disk_is_told_apart() -> None:
    error = as_os_error(SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"))
    assert isinstance(error, OSError)
    assert error.errno == errno.ENOSPC
