"""Files on their way: videos that were sent and are not imported yet, and exports that nobody has fetched yet.

Each has a folder of its own under the name that it was given. None of them is the only place of anything: an imported
file is kept with its clip, and an export can be made again. So they go after a day.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Container
from pathlib import Path

from reactor_core.errors import NotFound
from reactor_core.utils.clock import Clock, SystemClock
from reactor_core.utils.files import storage_errors

__all__ = ["KEPT_SECONDS", "Transit", "file_name"]

KEPT_SECONDS = 24 * 3600.0
"""How long a file stays at least."""
_KEY = re.compile(r"[0-9a-f-]{36}")
_NAME_BYTES = 160
"""Longest name; file systems take 255 bytes, and programs add to names."""
_ENDING_CHARS = 10
"""What is longer behind a dot is no ending."""
_STRANGE = re.compile(r"[^\w .()-]+")


class Transit:
    """Files by the id of what they belong to.

    Args:
        folder: Where they are.
        clock: Says how old they are.
    """

    def __init__(self, folder: Path, *, clock: Clock | None = None) -> None:
        self.folder = folder
        self._clock = clock or SystemClock()

    def place(self, key: str, name: str) -> Path:
        """Path for a file; its folder is made.

        Args:
            key: A UUID.
            name: As :func:`file_name` gives it.

        Raises:
            StorageFull, StorageError: The folder cannot be made.
        """
        assert _KEY.fullmatch(key), "ids are made here"
        path = self.folder / key / name
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def find(self, key: str, name: str) -> Path:
        """A file that is there.

        Raises:
            NotFound: It is not, or not any more.
        """
        path = self.folder / key / name
        if not (_KEY.fullmatch(key) and path.is_file()):
            raise NotFound(f"the file {name!r} is not kept any more", remedy="files stay for a day; ask for it again")
        return path

    def remove(self, key: str) -> None:
        """Forget a file, if it is there.

        Raises:
            StorageError: It cannot be removed.
        """
        path = self.folder / key
        if _KEY.fullmatch(key) and path.is_dir():
            with storage_errors(path):
                shutil.rmtree(path)

    def sweep(self, needed: Container[str] = ()) -> int:
        """Remove what is older than a day; returns how many files that were.

        Args:
            needed: Ids of those that stay, however old.
        """
        oldest = self._clock.utc_now().timestamp() - KEPT_SECONDS
        count = 0
        for path in list(self.folder.iterdir()) if self.folder.is_dir() else []:
            if _KEY.fullmatch(path.name) and path.name not in needed and path.stat().st_mtime < oldest:
                # Another server of this workspace may do the same this moment.
                shutil.rmtree(path, ignore_errors=True)
                count += 1
        return count


def file_name(given: str, *, default: str) -> str:
    """A name that is safe as a file's: no folders, nothing invisible, not too long, not hidden.

    Args:
        given: What somebody calls the file.
        default: Where nothing of that is left.
    """
    name = _STRANGE.sub("_", given.replace("\\", "/").rpartition("/")[2]).strip(" ._")
    if len(name.encode()) > _NAME_BYTES:
        stem, dot, ending = name.rpartition(".")
        kept = dot + ending if dot and len(ending) <= _ENDING_CHARS else ""
        name = _cut(stem if kept else name, _NAME_BYTES - len(kept.encode())).rstrip(" ._") + kept
    return name or default


def _cut(text: str, most: int) -> str:
    """The beginning of a text, whole characters of at most so many bytes of UTF-8."""
    return text.encode()[:most].decode(errors="ignore")
