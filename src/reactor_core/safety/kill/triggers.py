"""What a person's hand can do without any program's help: the corner of the screen, and a key."""

from __future__ import annotations

import logging
from collections.abc import Callable

from reactor_core.utils.settings import Settings

__all__ = ["Triggers"]

_log = logging.getLogger(__name__)

Pull = Callable[[str, str], object]


class Triggers:
    """Watches displays for the corner and the hotkey of the settings.

    Args:
        settings: Name corner and keys.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def watched(self) -> tuple[str, ...]:
        """What is watched now."""
        return ()

    def watch(self, display: str, pull: Pull) -> None:
        """Watch a display."""

    def close(self) -> None:
        """Watch no more."""
