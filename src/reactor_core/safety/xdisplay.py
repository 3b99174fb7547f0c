"""Connecting to an X display."""

from __future__ import annotations

import traceback
import warnings
from typing import Any

from reactor_core.errors import EnvironmentMissing, MissingExtra

__all__ = ["open_display"]


def open_display(name: str, *, purpose: str) -> Any:
    """A connection to a display, as python-xlib gives it.

    Args:
        name: Such as ``:0``.
        purpose: What it is wanted for, as an error says it: ``clicking on it``.

    Raises:
        EnvironmentMissing: It cannot be opened.
        MissingExtra: The library for X is not installed.
    """
    # Here, as it takes 50 ms that a machine without a screen need not spend.
    try:
        from Xlib import error
        from Xlib.display import Display
    except ImportError as missing:
        raise MissingExtra(f"an X display, for {purpose},", "desktop") from missing
    try:
        return Display(name)
    except (error.DisplayError, OSError) as problem:
        _drop_socket(problem)
        raise EnvironmentMissing(f"display {name} cannot be opened, for {purpose}: {problem}") from None


def _drop_socket(problem: BaseException) -> None:
    """Python-xlib forgets its socket when it cannot connect; without this Python complains about it much later."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        error: BaseException | None = problem
        while error is not None:
            traceback.clear_frames(error.__traceback__)
            error = error.__context__
