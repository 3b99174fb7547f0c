"""What a model's tool call would do, in the words that the gate judges.

Tools are known by the names that vendors and frameworks give them (``bash``, ``computer``) and otherwise by what their
arguments are called: a ``command`` is run by a shell, ``sql`` by a database, ``code`` by Python. A tool that is known
by neither is judged as the call that it is, by the verb in its name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Describe", "ToolAction", "as_call", "computer_action", "tool_actions"]

Describe = Callable[[int, int], str | None]
"""What lies under a point of the screen, as ``button "Delete" | app: Files``; None if nobody knows.

It may have a method ``focus()`` beside, which says in the same words what has the keyboard.
"""


class ToolAction(NamedTuple):
    """One action of a tool call.

    Args:
        kind: One of the gate's kinds.
        action: In the words of that kind.
        doubt: Why it should be asked about whatever the words say; empty for no reason.
    """

    kind: str
    action: str
    doubt: str = ""


_SHELLS = frozenset(
    (
        "bash", "shell", "terminal", "sh", "run_command", "run_shell", "run_shell_command", "execute_command", "exec",
        "run_terminal_cmd", "run_in_terminal", "local_shell", "shell_command", "cmd", "execute_bash", "run_bash",
    )
)  # fmt: skip
_EDITORS = ("str_replace_editor", "str_replace_based_edit_tool", "text_editor", "edit", "memory")
_ARGUMENT_KINDS = (
    ("shell", ("command", "cmd", "commands", "shell_command", "script", "bash")),
    ("sql", ("sql", "sql_query", "statement")),
    ("python", ("code", "python", "python_code", "source_code")),
)
_MAIL_WORDS = ("mail", "recipient", "inbox", "draft")
_QUIET = frozenset(
    ("screenshot", "cursor_position", "wait", "mouse_move", "move", "hover", "zoom", "list_tabs", "find")
)
_CLICKS = {
    "left_click": "click", "click": "click", "right_click": "right_click", "middle_click": "click",
    "double_click": "double_click", "triple_click": "click", "left_mouse_down": "click", "left_mouse_up": "click",
}  # fmt: skip
_ON_RETURN = ("button ", "link ", "menuitem ")
_ON_SPACE = ("button ", "menuitem ", "checkbox ", "radio ", "switch ")


def tool_actions(
    name: str, arguments: Mapping[str, Any], *, toolset: str = "", describe: Describe | None = None
) -> tuple[ToolAction, ...]:
    """The actions of a tool call, in the order in which they would be done.

    Args:
        name: The tool.
        arguments: What the model gives it.
        toolset: Family that the tool belongs to, such as ``computer``.
        describe: Says what a click hits; without it every click is asked about.
    """
    plain = name.lower().rsplit("__", 1)[-1].rsplit(".", 1)[-1]
    if toolset == "computer" or plain in ("computer", "computer_use"):
        named = {"action": plain, **arguments} if toolset == "computer" else dict(arguments)
        return computer_action(named, describe=describe)
    if toolset == "browser":
        return _browser(plain, arguments, describe)
    if plain in _SHELLS and not any(_text(arguments.get(key)) for key in ("command", "cmd", "commands", "script")):
        return () if arguments.get("restart") else (_call("file", name, arguments),)
    if plain in _EDITORS or ("command" in arguments and "path" in arguments and "file_text" in arguments):
        return (_edit(arguments),)
    for kind, keys in _ARGUMENT_KINDS:
        for key in keys:
            if (text := _text(arguments.get(key))) and (kind != "shell" or plain in _SHELLS or len(arguments) <= 5):
                return (ToolAction(kind, text),)
    if (query := _text(arguments.get("query"))) and any(word in plain for word in ("sql", "query", "database", "db")):
        return (ToolAction("sql", query),)
    if url := _text(arguments.get("url")):
        method = _text(arguments.get("method")).upper() or "GET"
        body = arguments.get("body", arguments.get("json", arguments.get("data")))
        said = "" if body is None else f" {body if isinstance(body, str) else json.dumps(body)}"
        return (ToolAction("network", f"{method} {url}{said}"),)
    names = " ".join([plain, *map(str, arguments)]).lower()
    return (_call("email" if any(word in names for word in _MAIL_WORDS) else "file", name, arguments),)


def computer_action(given: Mapping[str, Any], *, describe: Describe | None = None) -> tuple[ToolAction, ...]:
    """A step of a computer-use tool: of Anthropic's ``action``, or of OpenAI's ``type``."""
    step = str(given.get("action") or given.get("type") or "")
    if step in _QUIET:
        return ()
    if step == "scroll":
        return (ToolAction("gui", f"scroll: {given.get('scroll_direction') or 'down'}"),)
    if step in _CLICKS:
        return (_click(_CLICKS[step], *_point(given), describe),)
    if step in ("left_click_drag", "drag"):
        return (_drag(given, describe),)
    if step == "type":
        return (_typing(str(given.get("text", "")), _focus(describe)),)
    if step in ("key", "keypress", "hold_key"):
        keys = given.get("keys")
        text = (
            "+".join(map(str, keys)) if isinstance(keys, Sequence) and not isinstance(keys, str) else given.get("text")
        )
        return (_pressing(str(text), _focus(describe)),)
    return (ToolAction("gui", f"{step or 'step'}: {json.dumps(dict(given), ensure_ascii=False, default=str)}",
                       "a step that is not known"),)  # fmt: skip


def as_call(name: str, arguments: Mapping[str, Any]) -> str:
    """A call as the gate reads it: ``name(key="value", ...)``."""
    said = ", ".join(f"{_identifier(key)}={_literal(value)}" for key, value in arguments.items())
    return f"{_identifier(name)}({said})"


def _call(kind: str, name: str, arguments: Mapping[str, Any]) -> ToolAction:
    return ToolAction(kind, as_call(name, arguments))


def _edit(given: Mapping[str, Any]) -> ToolAction:
    path, command = given.get("path"), str(given.get("command", ""))
    if command == "view":
        return _call("file", "read_file", {"path": path})
    if command == "create":
        return _call("file", "write_file", {"path": path, "content": given.get("file_text", "")})
    if command == "delete":
        return _call("file", "delete_path", {"path": path})
    if command == "rename":
        return _call("file", "move_file", {"source": given.get("old_path"), "destination": given.get("new_path")})
    if command in ("insert", "str_replace"):
        new = given.get("new_str", given.get("insert_text", ""))
        return _call("file", "edit_file", {"path": path, "old": given.get("old_str", ""), "new": new})
    return _call("file", command or "edit_file", {key: value for key, value in given.items() if key != "command"})


def _browser(name: str, given: Mapping[str, Any], describe: Describe | None) -> tuple[ToolAction, ...]:
    if name == "navigate":
        return (ToolAction("network", f"GET {given.get('url', '')}"),)
    if name in ("javascript_exec", "form_input", "file_upload"):
        words = _call("gui", name, given).action
        return (ToolAction("gui", words, "what it does on the page is not known"),)
    if name in _CLICKS or name in ("type", "key", "hold_key", "scroll", "left_click_drag"):
        return computer_action({"action": name, **given}, describe=describe)
    return ()


def _click(verb: str, x: int | None, y: int | None, describe: Describe | None) -> ToolAction:
    told = describe(x, y) if describe is not None and x is not None and y is not None else None
    if told:
        head = told.partition(" | ")[0]
        unnamed = head.startswith("window ") or ' ""' in head
        return ToolAction("gui", f"{verb}: {told}", "the element that the click hits has no name" if unnamed else "")
    where = "where the pointer is" if x is None else f"({x}, {y})"
    return ToolAction("gui", f"{verb}: point {where}", "what the click hits is not known")


def _drag(given: Mapping[str, Any], describe: Describe | None) -> ToolAction:
    path = given.get("path")
    if isinstance(path, Sequence) and not isinstance(path, str) and len(path) >= 2:
        ends = [_point(point) if isinstance(point, Mapping) else (None, None) for point in (path[0], path[-1])]
    else:
        ends = [_pair(given.get("start_coordinate")), _pair(given.get("coordinate"))]
    names = [describe(x, y) if describe is not None and x is not None and y is not None else None for x, y in ends]
    source, onto = names
    if source and onto:
        (dragged, *more), (end, *others) = source.split(" | "), onto.split(" | ")
        fields = "".join(f" | {field}" for field in dict.fromkeys((*more, *others)))
        unnamed = any(head.startswith("window ") or ' ""' in head for head in (dragged, end))
        return ToolAction("gui", f"drag: {dragged} -> {end}{fields}", "what is dragged has no name" if unnamed else "")
    return ToolAction("gui", f"drag: point {ends[0]} -> point {ends[1]}", "what is dragged is not known")


def _focus(describe: Describe | None) -> str:
    focus = getattr(describe, "focus", None)
    return (focus() or "") if focus is not None else ""


def _typing(text: str, focus: str) -> ToolAction:
    """Text, and where it goes. What goes into a field for passwords is nobody's business but its own."""
    shown = f"({len(text)} characters that are not shown)" if focus.startswith("password ") else text
    return ToolAction("gui", f"type: {json.dumps(shown, ensure_ascii=False)}{f' | focus: {focus}' if focus else ''}")


def _pressing(keys: str, focus: str) -> ToolAction:
    """Keys, and where they go. Return on a button is a click on it."""
    pressed = keys.strip().lower()
    acts = _ON_RETURN if pressed in ("return", "enter") else _ON_SPACE if pressed in ("space", " ") else ()
    if focus.startswith(acts):
        return ToolAction("gui", f"click: {focus}")
    return ToolAction("gui", f"key: {keys}{f' | focus: {focus}' if focus else ''}")


def _point(given: Mapping[str, Any]) -> tuple[int | None, int | None]:
    if "x" in given and "y" in given:
        return _pair((given["x"], given["y"]))
    return _pair(given.get("coordinate"))


def _pair(value: Any) -> tuple[int | None, int | None]:
    try:
        x, y = value
        return int(x), int(y)
    except (TypeError, ValueError):
        return None, None


def _text(value: Any) -> str:
    """A command as text: words are one line, several commands one after the other."""
    if isinstance(value, str):
        return value.strip() and value
    if isinstance(value, Sequence) and value and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return ""


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def _identifier(name: object) -> str:
    """A name that can stand in a call."""
    plain = "".join(character if character.isalnum() or character == "_" else "_" for character in str(name))
    return plain if plain and not plain[0].isdigit() else f"_{plain}"
