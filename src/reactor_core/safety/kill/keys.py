"""The corner and the keys of the settings, as a screen knows them. No screen needed."""

from __future__ import annotations

from dataclasses import dataclass

from reactor_core.errors import ConfigError

__all__ = ["CORNERS", "Corner", "Hotkey"]

CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right")

CORNER_PIXELS = 4
"""How near to both edges counts as the corner; a hand that throws the mouse there ends at 0."""

_MODIFIERS = {"shift": 1, "ctrl": 4, "control": 4, "alt": 8, "meta": 8, "super": 64, "win": 64}
"""Masks of the X protocol: Shift, Control, Mod1, Mod4."""

_NAMES = {
    "esc": "Escape",
    "escape": "Escape",
    "space": "space",
    "enter": "Return",
    "return": "Return",
    "tab": "Tab",
    "pause": "Pause",
    "break": "Break",
    "backspace": "BackSpace",
    "delete": "Delete",
    "del": "Delete",
    "insert": "Insert",
    "home": "Home",
    "end": "End",
}


@dataclass(frozen=True, slots=True)
class Hotkey:
    """Keys that are pressed together.

    Args:
        modifiers: Mask of the X protocol.
        key: The last key's name, as X spells it.
    """

    modifiers: int
    key: str

    @classmethod
    def read(cls, text: str) -> Hotkey | None:
        """Keys as in ``ctrl+alt+k``; None for ``none``.

        Raises:
            ConfigError: They cannot be understood, or there is no modifier and the key is one that people type.
        """
        words = [word.strip().lower() for word in text.split("+")]
        if words in (["none"], [""]):
            return None
        *held, key = words
        unknown = [word for word in held if word not in _MODIFIERS]
        name = _NAMES.get(key, key.upper() if key[:1] == "f" and key[1:].isdigit() else key)
        if unknown or not key or (len(name) > 1 and name == key and key not in _NAMES.values()):
            raise ConfigError(f"KILL_SWITCH_HOTKEY={text!r} cannot be understood", remedy="such as ctrl+alt+k, or none")
        mask = 0
        for word in held:
            mask |= _MODIFIERS[word]
        if mask in (0, 1) and len(name) == 1:
            raise ConfigError(f"KILL_SWITCH_HOTKEY={text!r} would be typed by accident", remedy="such as ctrl+alt+k")
        return cls(mask, name)


class Corner:
    """Notices when the pointer comes into a corner; staying there is one arrival.

    Args:
        name: One of :data:`CORNERS`, or ``none``.

    Raises:
        ConfigError: Another name.
    """

    def __init__(self, name: str) -> None:
        if name not in (*CORNERS, "none"):
            raise ConfigError(f"KILL_SWITCH_CORNER={name!r} is unknown", remedy=f"use {', '.join(CORNERS)} or none")
        self.name = name
        self._inside = True  # a pointer that rests there from the beginning means nothing

    def arrives(self, x: int, y: int, *, width: int, height: int) -> bool:
        """Whether the pointer has come into the corner since it was asked last.

        Args:
            x: Pixels from the left edge.
            y: Pixels from the upper edge.
            width: Of the screen.
            height: Of the screen.
        """
        near_x = x < CORNER_PIXELS if self.name.endswith("left") else x >= width - CORNER_PIXELS
        near_y = y < CORNER_PIXELS if self.name.startswith("top") else y >= height - CORNER_PIXELS
        before, self._inside = self._inside, near_x and near_y and self.name != "none"
        return self._inside and not before
