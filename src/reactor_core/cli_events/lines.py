"""One event as one line: for a person on a terminal, or as columns for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from reactor_core.events.event import Event
from reactor_core.utils.clock import to_iso

__all__ = ["HEAD", "columns", "line", "printable", "summary"]

_TYPE = 21
_SOURCE = 12
HEAD = f"{'seq':>6} {'time':<8} P {'type':<{_TYPE}} {'source':<{_SOURCE}} data"
"""Names of the columns of :func:`line`."""

_STYLES = {1: "bold red", 2: "yellow", 3: "", 4: "dim"}


def line(event: Event) -> Text:
    """For a terminal: position, local time, lane, type, source and what fits of the data.

    The caller cuts it to the width of the terminal.
    """
    text = Text(no_wrap=True, overflow="ellipsis")
    position = "early" if event.seq is None else str(event.seq)
    text.append(f"{position:>6} {event.timestamp.astimezone():%H:%M:%S} ", "dim")
    text.append(f"{event.priority} ", _STYLES[event.priority])
    text.append(f"{_fit(event.event_type, _TYPE)} ", _STYLES[event.priority])
    text.append(f"{_fit(event.source, _SOURCE)} ", "cyan")
    text.append(summary(event), "dim" if event.priority == 4 else "")
    return text


def columns(event: Event) -> str:
    """For other programs: position, ISO time, lane, type, source and all of the data, between tabs."""
    cells = (event.seq, to_iso(event.timestamp), event.priority, event.event_type, event.source, summary(event))
    return "\t".join("" if cell is None else str(cell) for cell in cells)


def summary(event: Event) -> str:
    """The data as ``name=value``, the action first and without its name."""
    if event.metadata.get("erased") is True and not event.data:
        return "(erased)"
    action = event.data.get("action")
    if not isinstance(action, str):
        action = None
    parts = [] if action is None else [printable(action)]
    # A plan's goal or a halted action is the action once more.
    told = [(name, value) for name, value in event.data.items() if action is None or value != action]
    parts += [f"{printable(name)}={_value(value)}" for name, value in told]
    return " ".join(parts)


def printable(text: str) -> str:
    """The text with every sign that could steer a terminal written as its number: events come from anywhere."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return printable(value) if value and " " not in value else printable(json.dumps(value, ensure_ascii=False))
    if isinstance(value, Mapping | list):
        return printable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return json.dumps(value)


def _fit(name: str, width: int) -> str:
    """A name in its column: padded, or cut with a sign that says so."""
    return f"{name:<{width}}" if len(name) <= width else name[: width - 1] + "…"
