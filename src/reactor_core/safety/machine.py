"""The machine that an action would run on, for judgements that may look at it."""

from __future__ import annotations

import glob
import itertools
import os
import stat
from pathlib import Path

__all__ = ["Machine"]


class Machine:
    """This machine's file system. What cannot be looked at counts as absent."""

    def read(self, path: str, limit: int) -> bytes | None:
        """The bytes of a regular file; None if there is none, or it is larger than ``limit``."""
        try:
            # A pipe would block, a device might never end.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            with os.fdopen(os.dup(descriptor), "rb") as file:
                content = file.read(limit + 1)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return None if len(content) > limit else content

    def resolve(self, path: str) -> str:
        """The path with every symbolic link followed, as far as it exists."""
        return os.path.realpath(path)

    def is_dir(self, path: str) -> bool:
        """Whether it is a folder."""
        return Path(path).is_dir()

    def glob(self, pattern: str, limit: int) -> list[str] | None:
        """Paths that an absolute pattern stands for; None if there are more than ``limit``."""
        # Path.glob needs a folder to start in, and would give a pattern's hidden files too.
        found = list(itertools.islice(glob.iglob(pattern, include_hidden=False), limit + 1))  # noqa: PTH207
        return None if len(found) > limit else sorted(found)
