"""Named points at which a fault test can end the process, stop it or raise.

``reach(name)`` does nothing unless :func:`install` was called, which only tests do. The names mark the places where a
crash is most harmful: between doing something and noting that it was done.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["install", "reach"]

_action: Callable[[str], None] | None = None


def reach(name: str) -> None:
    """Pass the point called ``name``."""
    if _action is not None:
        _action(name)


def install(action: Callable[[str], None] | None) -> None:
    """Call ``action(name)`` at each point from now on; None undoes it."""
    global _action
    _action = action
