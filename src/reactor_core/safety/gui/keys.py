"""Keys and shortcuts: what they do in which program."""

from __future__ import annotations

import re
from enum import StrEnum

__all__ = ["Act", "act_of", "combinations", "default_button"]


class Act(StrEnum):
    """What a key does."""

    NOTHING = "nothing"
    CONFIRM = "confirm"
    DELETE = "delete"
    ERASE = "erase"
    RUN = "run"
    PASTE = "paste"
    ALL = "all"
    CLOSE = "close"
    FILL = "fill"
    REFUSE = "refuse"
    PUSH = "push"


_KEYS = {
    "enter": Act.CONFIRM,
    "return": Act.CONFIRM,
    "y": Act.CONFIRM,
    "alt+y": Act.CONFIRM,
    "alt+o": Act.CONFIRM,
    "delete": Act.DELETE,
    "del": Act.DELETE,
    "backspace": Act.DELETE,
    "cmd+backspace": Act.DELETE,
    "cmd+delete": Act.DELETE,
    "ctrl+d": Act.DELETE,
    "d": Act.DELETE,
    "#": Act.DELETE,
    "shift+delete": Act.ERASE,
    "shift+del": Act.ERASE,
    "cmd+alt+backspace": Act.ERASE,
    "cmd+option+backspace": Act.ERASE,
    "cmd+option+delete": Act.ERASE,
    "cmd+shift+backspace": Act.ERASE,
    "cmd+shift+delete": Act.ERASE,
    "option+cmd+delete": Act.ERASE,
    "ctrl+enter": Act.RUN,
    "cmd+enter": Act.RUN,
    "ctrl+return": Act.RUN,
    "cmd+return": Act.RUN,
    "shift+enter": Act.RUN,
    "f5": Act.RUN,
    "f9": Act.RUN,
    "ctrl+e": Act.RUN,
    "ctrl+shift+enter": Act.RUN,
    "ctrl+shift+e": Act.RUN,
    "alt+x": Act.RUN,
    "ctrl+alt+enter": Act.RUN,
    "cmd+r": Act.RUN,
    "ctrl+r": Act.RUN,
    "alt+enter": Act.RUN,
    "f8": Act.RUN,
    "alt+s": Act.RUN,
    "ctrl+v": Act.PASTE,
    "cmd+v": Act.PASTE,
    "ctrl+shift+v": Act.PASTE,
    "shift+insert": Act.PASTE,
    "ctrl+a": Act.ALL,
    "cmd+a": Act.ALL,
    "alt+f4": Act.CLOSE,
    "cmd+q": Act.CLOSE,
    "ctrl+q": Act.CLOSE,
    "cmd+w": Act.CLOSE,
    "ctrl+w": Act.CLOSE,
    "n": Act.REFUSE,
    "alt+n": Act.REFUSE,
    "cmd+d": Act.REFUSE,
    "ctrl+shift+l": Act.FILL,
    "space": Act.PUSH,
}
_NAMES = {
    "control": "ctrl",
    "command": "cmd",
    "⌘": "cmd",
    "meta": "cmd",
    "super": "cmd",
    "option": "alt",
    "opt": "alt",
    "⌥": "alt",
    "⇧": "shift",
    "⌃": "ctrl",
}


def combinations(keys: str) -> list[str]:
    """``Ctrl+A, Shift+Delete`` as ``["ctrl+a", "shift+delete"]``."""
    found = []
    for part in re.split(r"\s*,\s*|\s+then\s+|\s+", keys.strip().lower()):
        pieces = [_NAMES.get(piece, piece) for piece in re.split(r"[+-](?=.)", part.strip('"')) if piece]
        if pieces:
            found.append("+".join(pieces))
    return found


def act_of(combination: str) -> Act:
    """What a combination does by itself; a key that only moves, shows or types does nothing here."""
    return _KEYS.get(combination, Act.NOTHING)


_DEFAULT = re.compile(r"\[([^\]*]+)\*\]|\*\[?([^\]*\[]+)\]")


def default_button(dialog: str, focused: str) -> str | None:
    """The button that Enter presses: the focused one, else the one with a star, as in ``[Delete] [Cancel*]``."""
    if focused:
        return focused.strip()
    match = _DEFAULT.search(dialog)
    return (match[1] or match[2]).strip() if match else None
