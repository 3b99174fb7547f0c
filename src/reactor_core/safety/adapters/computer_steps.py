"""Steps of a computer-use tool, of Anthropic's ``action`` or of OpenAI's ``type``, in one form."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reactor_core.errors import ConfigError
from reactor_core.safety.preview.keys import combination

__all__ = ["ComputerStep", "read_step"]

_CLICKS = {
    "left_click": ("left", 1), "right_click": ("right", 1), "middle_click": ("middle", 1),
    "double_click": ("left", 2), "triple_click": ("left", 3),
}  # fmt: skip
_BUTTONS = {"left": "left", "right": "right", "wheel": "middle", "middle": "middle"}
_LOOKS = {"screenshot": "look", "cursor_position": "pointer"}
PIXELS = 100
"""Pixels of OpenAI's scrolling that are one notch of a wheel."""
MOST_SECONDS = 60.0
MOST_NOTCHES = 100


@dataclass(frozen=True, slots=True)
class ComputerStep:
    """One step.

    Attributes:
        verb: click, drag, type, press, scroll, move, wait, look (a picture) or pointer (where it is).
        path: Points in order: one for a click, none for what is done with keys or where the pointer is.
        button: left, middle or right.
        times: Clicks in a row.
        text: What is typed.
        keys: What is pressed together.
        wheel: Notches to the right and down.
        seconds: How long to wait.
    """

    verb: str
    path: tuple[tuple[int, int], ...] = ()
    button: str = "left"
    times: int = 1
    text: str = ""
    keys: tuple[str, ...] = ()
    wheel: tuple[int, int] = (0, 0)
    seconds: float = 0.0


def read_step(given: Mapping[str, Any]) -> ComputerStep:
    """Read a step as the model gives it.

    Raises:
        ConfigError: It is not known, or lacks something, or asks for a key to be held with the click.
    """
    name = str(given.get("action") or given.get("type") or "")
    if name in _LOOKS:
        return ComputerStep(_LOOKS[name])
    if name == "wait":
        return ComputerStep("wait", seconds=_number(given, "duration", 1.0, most=MOST_SECONDS))
    if name in _CLICKS or name == "click":
        button, times = _CLICKS.get(name, (str(given.get("button") or "left"), 1))
        if button not in _BUTTONS:
            raise ConfigError(f"button={button!r} of a click is not supported")
        if given.get("text") or given.get("keys"):
            raise ConfigError("a click with keys held is not supported", remedy="click without them")
        return ComputerStep("click", _place(given), button=_BUTTONS[button], times=times)
    if name in ("left_click_drag", "drag"):
        if given.get("keys"):
            raise ConfigError("a drag with keys held is not supported", remedy="drag without them")
        return ComputerStep("drag", _way(given))
    if name in ("mouse_move", "move"):
        return ComputerStep("move", (_point(given),))
    if name == "scroll":
        return ComputerStep("scroll", _place(given), wheel=_wheel(given))
    if name == "type":
        if not isinstance(given.get("text"), str):
            raise ConfigError("type needs a text")
        return ComputerStep("type", text=given["text"])
    if name in ("key", "keypress"):
        keys = given.get("keys") or given.get("text") or ""
        return ComputerStep("press", keys=combination(keys))
    raise ConfigError(f"a step of the kind {name!r} is not supported")


def _place(given: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    """The point, if one is given; otherwise it is where the pointer is."""
    return (_point(given),) if given.get("coordinate") is not None or "x" in given else ()


def _point(given: Mapping[str, Any]) -> tuple[int, int]:
    return _pair((given["x"], given.get("y")) if "x" in given else given.get("coordinate"))


def _pair(value: Any) -> tuple[int, int]:
    try:
        x, y = value
        return int(x), int(y)
    except (TypeError, ValueError, OverflowError):
        raise ConfigError(f"{value!r} is not a point", remedy="give two numbers") from None


def _way(given: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    path = given.get("path")
    if path is None:
        ends = [given.get("start_coordinate"), given.get("coordinate")]
        return tuple(_pair(end) for end in ends)
    if isinstance(path, str) or not isinstance(path, Sequence) or len(path) < 2:
        raise ConfigError("a drag needs two points or more")
    return tuple(_point(end) if isinstance(end, Mapping) else _pair(end) for end in path)


def _wheel(given: Mapping[str, Any]) -> tuple[int, int]:
    direction = given.get("scroll_direction")
    if direction is None:
        return _notches(given.get("scroll_x")), _notches(given.get("scroll_y"))
    amount = round(_number(given, "scroll_amount", 3, most=MOST_NOTCHES))
    ways = {"up": (0, -amount), "down": (0, amount), "left": (-amount, 0), "right": (amount, 0)}
    if direction not in ways:
        raise ConfigError(f"scroll_direction={direction!r} is not known", remedy=f"use one of {', '.join(ways)}")
    return ways[direction]


def _notches(pixels: Any) -> int:
    """At least one notch for any scrolling at all."""
    wanted = _number({"pixels": abs(pixels or 0)}, "pixels", 0, most=MOST_NOTCHES * PIXELS)
    return int(math.copysign(math.ceil(wanted / PIXELS), pixels or 0))


def _number(given: Mapping[str, Any], key: str, otherwise: float, *, most: float) -> float:
    value = given.get(key)
    value = otherwise if value is None else value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        raise ConfigError(f"{key}={value!r} is out of range", remedy=f"use 0 to {most:g}")
    return float(value)
