"""How a step in a graphical interface is written: ``click: button "Delete" | app: Files | dialog: "..."``.

The first part says what is done to which element, the others what is known about the screen. Several steps may be
joined: ``hotkey: Win+R, type: "cmd"``, ``click: button "Reply all" then "Send"``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Scene", "Step", "parse"]

_VERB = re.compile(
    r"(?i)(click|left_click|double_click|doubleclick|dblclick|triple_click|right_click|middle_click"
    r"|tap|double_tap|long_press"
    r"|press|key|keys|hotkey|shortcut|type|enter|paste|input|fill|drag|drop|select|choose|toggle"
    r"|check|uncheck|hover|scroll"
    r"|swipe|move|wait|screenshot|focus|zoom|open|close|switch|set|submit|navigate|goto|look"
    r"|read|say|dictate|launch|start"
    r"|upload)\s*(?=:|(?<=\bthen click)\s)"
)
_ELEMENT = re.compile(
    r"(?i)(?:(button|link|menu item|menu|tab|toggle|switch|checkbox|check box|radio|option|icon"
    r"|item|row|column|cell|field"
    r"|file|folder|card|slider|image|text|label|close box|notification|banner|tile|channel|page"
    r"|album|dialog|window|list|tree"
    r"|filter|star|reaction|issue|container|node|entry|message|contact|conversation|app|bookmark|dropdown|combo box"
    r"|search box|chip|badge|avatar|thumbnail|region)s?[ :]*)?"
    r'(?:"((?:[^"\\]|\\.)*)"|“([^”]*)”)'
)
_STATE = re.compile(r"(?:->|→|=>)\s*\"?([^,|\"]+)\"?|\((set|unset|checked|unchecked|on|off)\)")
_ARROWS = ("->", "→", "=>")
_PRESSED_AFTER = re.compile(r"(?i)\+\s*(enter|return)\b")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')

_TRAILING = re.compile(r"[\s,;]*(\b(and )?then)?[\s,;]*$")
"""What joins one step to the next."""

_TYPING = frozenset({"type", "enter", "paste", "input", "fill", "dictate", "say"})
_PRESSING = frozenset({"key", "keys", "hotkey", "shortcut", "press"})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done.

    Attributes:
        verb: click, key, type, drag, ...
        role: Role of the element in lower case; empty if it is not said.
        name: Its label, or the typed text, or the keys.
        state: What it is switched to or dragged onto; empty if neither.
    """

    verb: str
    role: str = ""
    name: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is done, and what is on the screen.

    Attributes:
        steps: In order; at least one.
        fields: What else was said: pairs of key and value. A remark without a key has an empty one.
    """

    steps: tuple[Step, ...]
    fields: tuple[tuple[str, str], ...] = ()

    def field(self, *keys: str) -> str:
        """The value of the first field with one of these keys; empty if there is none."""
        return next((value for wanted in keys for key, value in self.fields if key == wanted), "")

    @property
    def app(self) -> str:
        """The application, in lower case."""
        return self.field("app", "application", "window", "site", "program").lower()

    @property
    def told(self) -> str:
        """All that is said about the screen beside the application, in lower case."""
        said = ((key, value) for key, value in self.fields if key not in {"app", "application"})
        return " | ".join(f"{key}: {value}" if key else value for key, value in said).lower()


def parse(text: str) -> Scene | None:
    """Read a step. None if it is not written like one."""
    first, *rest = _split(text)
    steps = _steps(first)
    if not steps:
        return None
    fields = tuple(_field(part) for part in rest if part.strip())
    window = re.match(r'dialog:? "(.*)"', Scene(tuple(steps), fields).field("app"))
    if window:
        fields = (*fields, ("dialog", _unescaped(window[1])))
    return Scene(tuple(steps), fields)


def _split(text: str) -> list[str]:
    """Parts between bars that are not inside quotes."""
    parts, start, quoted, at = [], 0, False, 0
    while at < len(text):
        mark = text[at]
        if mark == "\\" and quoted:
            at += 2
            continue
        if mark == '"':
            quoted = not quoted
        elif mark == "|" and not quoted:
            parts.append(text[start:at].strip(" "))
            start = at + 1
        at += 1
    parts.append(text[start:].strip(" "))
    return parts


def _field(part: str) -> tuple[str, str]:
    key, colon, value = part.partition(":")
    if not colon or len(key) > 40 or '"' in key:
        return "", part
    return key.strip().lower(), _plain(value.strip(" "))


def _plain(value: str) -> str:
    """The value without the quotes around all of it."""
    if _QUOTED.fullmatch(value):
        return _unescaped(value[1:-1])
    return value


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"').replace("\\\\", "\\")


def _steps(text: str) -> list[Step]:
    """Steps of the first part: each verb outside quotes begins one."""
    covered = _QUOTED.sub(lambda match: "\0" * len(match[0]), text)
    starts = [match for match in _VERB.finditer(covered) if match.start() == 0 or covered[match.start() - 1] in " ,;("]
    if not starts or starts[0].start() != 0:
        return []
    steps: list[Step] = []
    for number, match in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(text)
        steps += _one(match[1].lower(), _TRAILING.sub("", text[match.end() : end].lstrip(": ")))
    return steps


def _one(verb: str, rest: str) -> list[Step]:
    """The steps of one verb: a chain joined by ``then`` has several elements."""
    if verb in _TYPING:
        match = _QUOTED.match(rest)
        if match is None:
            return [Step("type", "", _unescaped(rest))]
        return [Step("type", "", _unescaped(match[0][1:-1])), *_after(rest[match.end() :])]
    if verb in _PRESSING:
        keys, _, after = rest.partition(" then ")
        return [Step("key", "", keys.strip(' "')), *_after(after)]
    if verb in {"drag", "drop"}:
        source, _, target = rest.partition("->")
        element = _elements("drag", source)[0]
        return [Step("drag", element.role, element.name, target.strip(' "'))]
    return _elements(verb, rest)


def _after(rest: str) -> list[Step]:
    """What is clicked or pressed after something was typed."""
    text = re.sub(r"(?i)^[\s,]*(and )?(then )?(click|press|tap)?\s*", "", rest)
    if not text:
        return []
    if re.match(r"(?i)(enter|return|tab|esc|ctrl|cmd|f\d)", text):
        return [Step("key", "", text)]
    return [step for step in _elements("click", text) if step.name]


def _elements(verb: str, rest: str) -> list[Step]:
    matches = [each for each in _ELEMENT.finditer(rest) if not rest[: each.start()].rstrip().endswith(_ARROWS)]
    if not matches:
        state = _STATE.search(rest)
        role, _, name = rest.partition(" ")
        said = (state[1] or state[2]).strip().lower() if state else ""
        return [Step(verb, role.lower() if name else "", name or rest, said)]
    found = []
    pressed = _PRESSED_AFTER.search(_QUOTED.sub(lambda match: "\0" * len(match[0]), rest))
    for number, match in enumerate(matches):
        end = matches[number + 1].start() if number + 1 < len(matches) else len(rest)
        state = _STATE.search(rest, match.end(), end)
        before = rest[: match.start()].strip().lower() if number == 0 else ""
        said = (state[1] or state[2]).strip().lower() if state else ""
        found.append(Step(verb, (match[1] or before).lower(), _unescaped(match[2] or match[3] or ""), said))
    return [*found, Step("key", "", pressed[1])] if pressed else found
