"""Names of keys: what models write (``ctrl+s``, ``Return``, ``["CTRL", "S"]``), what browsers and what X call them.

The names used here are those of browsers: ``Control``, ``Enter``, ``ArrowUp``, ``a``.
"""

from __future__ import annotations

from collections.abc import Sequence

from reactor_core.errors import ConfigError

__all__ = ["MODIFIERS", "combination", "x_name"]

MODIFIERS = frozenset({"Control", "Alt", "Shift", "Meta"})

_X = {
    "Control": "Control_L", "Alt": "Alt_L", "Shift": "Shift_L", "Meta": "Super_L", "Enter": "Return",
    "Backspace": "BackSpace", "ArrowUp": "Up", "ArrowDown": "Down", "ArrowLeft": "Left", "ArrowRight": "Right",
    "PageUp": "Prior", "PageDown": "Next", "CapsLock": "Caps_Lock", "PrintScreen": "Print", "ContextMenu": "Menu",
    "Space": "space",
}  # fmt: skip
_SAME = ("Escape", "Tab", "Delete", "Insert", "Home", "End", "Pause", *(f"F{number}" for number in range(1, 25)))
_OTHER = {
    "ctrl": "Control", "control": "Control", "ctl": "Control", "option": "Alt", "super": "Meta", "cmd": "Meta",
    "command": "Meta", "win": "Meta", "windows": "Meta", "return": "Enter", "kpenter": "Enter", "esc": "Escape",
    "del": "Delete", "ins": "Insert", "up": "ArrowUp", "down": "ArrowDown", "left": "ArrowLeft", "right": "ArrowRight",
    "pgup": "PageUp", "pgdn": "PageDown", "prior": "PageUp", "next": "PageDown", "print": "PrintScreen",
    "menu": "ContextMenu", "plus": "+", "minus": "-", "equal": "=", "comma": ",", "period": ".", "slash": "/",
    "spacebar": "Space",
}  # fmt: skip
_KNOWN = {name.lower(): name for name in (*_X, *_SAME)} | _OTHER


def combination(keys: str | Sequence[str]) -> tuple[str, ...]:
    """Keys that are pressed together, modifiers first.

    Args:
        keys: ``ctrl+shift+t``, or the keys one by one.

    Raises:
        ConfigError: One of them is not known.
    """
    words = _words(keys) if isinstance(keys, str) else [str(key) for key in keys]
    found = [_one(word) for word in words]
    if not found:
        raise ConfigError(f"keys={keys!r} names no key")
    return tuple(sorted(found, key=lambda name: name not in MODIFIERS))


def x_name(key: str) -> str:
    """How X calls a key; a character stays what it is."""
    return _X.get(key, key)


def _words(keys: str) -> list[str]:
    """The parts between plus signs; a plus sign at the end is a key itself."""
    if keys == "+" or keys.endswith("++"):
        return [*[word for word in keys[:-1].split("+") if word], "+"]
    return keys.split("+")


def _one(word: str) -> str:
    word = word if len(word) == 1 else word.strip()
    if word == " ":
        return "Space"
    if len(word) == 1 and word.isprintable():
        return word
    plain = word.lower().replace("_", "").removesuffix("l" if word.lower().endswith("_l") else "\0")
    plain = plain.removesuffix("r" if word.lower().endswith("_r") else "\0")
    if plain not in _KNOWN:
        raise ConfigError(f"key={word!r} is not known", remedy="use names such as ctrl, Return, Escape, F5 or a")
    return _KNOWN[plain]
