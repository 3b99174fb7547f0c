"""Where in a run a checkpoint was made, and what its folder is called after it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["NOTHING", "Mark"]

_NAME = re.compile(r"step-(\d{8,})(?:-(\d{4,}))?")


class Mark(NamedTuple):
    """So many optimizer steps, and so many parts of the next one. Later marks are greater.

    Attributes:
        step: Optimizer steps that are done.
        parts: Parts of the next step whose gradients are added up already.
    """

    step: int
    parts: int = 0

    @property
    def name(self) -> str:
        """Of the checkpoint's folder."""
        return f"step-{self.step:08d}" + (f"-{self.parts:04d}" if self.parts else "")

    def __str__(self) -> str:
        """For people."""
        return f"step {self.step}" + (f" and {self.parts} parts of the next" if self.parts else "")

    @classmethod
    def of(cls, checkpoint: Path) -> Mark:
        """The mark of a checkpoint's folder.

        Raises:
            ValueError: The folder's name is none of a checkpoint.
        """
        found = _NAME.fullmatch(checkpoint.name)
        if found is None:
            raise ValueError(f"{checkpoint.name!r} is no name of a checkpoint")
        return cls(int(found[1]), int(found[2] or 0))


NOTHING = Mark(-1)
"""Before every mark."""
