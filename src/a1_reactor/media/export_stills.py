"""Clips as a zip file of PNG stills, for programs that work on pictures."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

from reactor_core.utils.files import storage_errors

__all__ = ["export_stills"]

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The oldest date that a zip file can hold: equal clips give equal files."""


def export_stills(files: Iterable[tuple[str, bytes]], target: Path) -> None:
    """Write files into a zip, uncompressed since PNG is compressed already.

    Args:
        files: Name inside the zip and content, one at a time in memory.

    Raises:
        StorageFull, StorageError: The file cannot be written.
    """
    with storage_errors(target), zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
