"""Steps in a graphical interface: clicks, keys, typed text, drags."""

from __future__ import annotations

from reactor_core.safety.gui.judge import judge

__all__ = ["judge"]
