from __future__ import annotations

from typing import Any

import pytest

from reactor_core.safety.adapters.tool_calls import as_call, computer_action, tool_actions
from reactor_core.safety.engine import judge_action
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.verdict import Verdict


@pytest.mark.parametrize(
    ("name", "given", "kind", "action"),
    [
        ("bash", {"command": "ls -l"}, "shell", "ls -l"),
        ("mcp__server__run_command", {"cmd": "ls", "cwd": "/x"}, "shell", "ls"),
        ("terminal", {"commands": ["cd x", "ls"]}, "shell", "cd x\nls"),
        ("execute", {"code": "print(1)"}, "python", "print(1)"),
        ("postgres_query", {"query": "SELECT 1"}, "sql", "SELECT 1"),
        ("run", {"sql": "SELECT 1"}, "sql", "SELECT 1"),
        ("fetch", {"url": "https://x.example"}, "network", "GET https://x.example"),
        ("http", {"url": "https://x.example", "method": "post", "json": {"a": 1}}, "network",
         'POST https://x.example {"a": 1}'),
        ("write_file", {"path": "a", "content": 'x"y'}, "file", r'write_file(path="a", content="x\"y")'),
        ("send_mail", {"to": ["a@x.example"]}, "email", "send_mail(to=['a@x.example'])"),
        ("str_replace_based_edit_tool", {"command": "view", "path": "a"}, "file", 'read_file(path="a")'),
        ("str_replace_editor", {"command": "create", "path": "a", "file_text": "x"}, "file",
         'write_file(path="a", content="x")'),
        ("str_replace_based_edit_tool", {"command": "str_replace", "path": "a", "old_str": "x", "new_str": "y"},
         "file", 'edit_file(path="a", old="x", new="y")'),
        ("memory", {"command": "delete", "path": "/memories/a"}, "file", 'delete_path(path="/memories/a")'),
    ],
)  # fmt: skip
def test_a_call_becomes_an_action(name: str, given: dict[str, Any], kind: str, action: str) -> None:
    assert tool_actions(name, given) == ((kind, action, ""),)


def test_a_restart_of_the_shell_is_no_action_and_an_empty_call_is_asked_about() -> None:
    assert tool_actions("bash", {"restart": True}) == ()
    (odd,) = tool_actions("bash", {"something": 1})
    assert judge_action(odd.action, odd.kind).verdict.value != "allow"


@pytest.mark.parametrize("step", ["screenshot", "mouse_move", "wait", "cursor_position"])
def test_looking_is_no_action(step: str) -> None:
    assert computer_action({"action": step}) == ()


def test_a_click_is_what_lies_under_it() -> None:
    def describe(x: int, y: int) -> str | None:
        return {1: 'button "Save"', 2: 'icon "a.txt"', 3: "Trash"}.get(x)

    assert computer_action({"action": "left_click", "coordinate": [1, 0]}, describe=describe)[0] == (
        "gui", 'click: button "Save"', "",
    )  # fmt: skip
    assert computer_action({"type": "drag", "path": [{"x": 2, "y": 0}, {"x": 3, "y": 0}]}, describe=describe)[0] == (
        "gui", 'drag: icon "a.txt" -> Trash', "",
    )  # fmt: skip
    for blind in (
        {"action": "left_click"},
        {"action": "left_click", "coordinate": [9, 9]},
        {"action": "left_click_drag", "start_coordinate": [1, 0], "coordinate": [9, 9]},
        {"type": "click", "x": "left", "y": None},
        {"action": "launch_rocket"},
    ):
        assert computer_action(blind, describe=describe)[0].doubt


def test_a_call_keeps_its_values() -> None:
    assert as_call("do it", {"a-b": "x\ny", "1": None, "l": ["p"], "n": 1.5}) == (
        "do_it(a_b=\"x\\ny\", _1=None, l=['p'], n=1.5)"
    )


@pytest.mark.parametrize(
    ("name", "given", "verdict"),
    [
        ("bash", {"command": "rm -rf ~"}, "block"),
        ("delete_path", {"path": "/", "recursive": True}, "block"),
        ("frobnicate", {"x": 1}, "confirm"),
        ("get_weather", {"city": "Rome"}, "allow"),
        ("db_query", {"query": "DROP TABLE users"}, "block"),
    ],
)
def test_the_gate_understands_what_comes_out(name: str, given: dict[str, Any], verdict: str) -> None:
    (one,) = tool_actions(name, given)
    assert judge_action(one.action, one.kind).verdict.value == verdict


class Named:
    """A ``describe`` that knows what has the keyboard."""

    def __init__(self, focus: str) -> None:
        self._focus = focus

    def __call__(self, x: int, y: int) -> str | None:
        return {1: 'window "Delete?" | app: "Demo"', 2: 'button ""', 3: 'file "a" | app: "X"', 4: 'icon "Trash"'}[x]

    def focus(self) -> str | None:
        return self._focus


@pytest.mark.parametrize(
    ("given", "focus", "action"),
    [
        ({"action": "type", "text": "hi"}, 'field "To" | app: "Mail"', 'type: "hi" | focus: field "To" | app: "Mail"'),
        ({"action": "type", "text": "hi"}, 'password field "P"',
         'type: "(2 characters that are not shown)" | focus: password field "P"'),
        ({"action": "key", "text": "Return"}, 'button "Pay" | app: "Shop"', 'click: button "Pay" | app: "Shop"'),
        ({"type": "keypress", "keys": ["SPACE"]}, 'switch "2FA" -> off', 'click: switch "2FA" -> off'),
        ({"action": "key", "text": "Return"}, 'field "To"', 'key: Return | focus: field "To"'),
        ({"action": "key", "text": "ctrl+s"}, "", "key: ctrl+s"),
        ({"action": "left_click_drag", "start_coordinate": [3, 0], "coordinate": [4, 0]}, "",
         'drag: file "a" -> icon "Trash" | app: "X"'),
    ],
)  # fmt: skip
def test_where_keys_go_and_both_ends_of_a_drag_are_said(given, focus, action):
    (found,) = computer_action(given, describe=Named(focus))
    assert (found.action, found.doubt) == (action, "")


@pytest.mark.parametrize("x", [1, 2])
def test_a_click_on_something_without_a_name_is_doubted(x):
    (found,) = computer_action({"action": "left_click", "coordinate": [x, 0]}, describe=Named(""))
    assert "has no name" in found.doubt


@pytest.mark.parametrize("step", ["left_click", "right_click", "double_click", "triple_click", "middle_click"])
def test_every_kind_of_click_is_written_as_the_judge_reads_it(step):
    (found,) = computer_action({"action": step, "coordinate": [5, 0]}, describe=lambda x, y: 'tab "Details"')
    assert judge_action(found.action, found.kind, setting=RUBRIC_SETTING).verdict is Verdict.ALLOW
