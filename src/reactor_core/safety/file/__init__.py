"""Actions on files that are written as calls, such as ``write_file(path=..., content=...)``."""

from __future__ import annotations

from reactor_core.safety.file.judge import judge

__all__ = ["judge"]
