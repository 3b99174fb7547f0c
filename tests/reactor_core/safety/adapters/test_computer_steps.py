from __future__ import annotations

import pytest

from reactor_core.errors import ConfigError
from reactor_core.safety.adapters.computer_steps import ComputerStep, read_step


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ({"action": "left_click", "coordinate": [3, 4]}, ComputerStep("click", ((3, 4),))),
        ({"action": "triple_click", "coordinate": [3, 4]}, ComputerStep("click", ((3, 4),), times=3)),
        ({"action": "left_click"}, ComputerStep("click")),
        ({"type": "click", "button": "wheel", "x": 3, "y": 4}, ComputerStep("click", ((3, 4),), button="middle")),
        ({"type": "double_click", "x": 3, "y": 4}, ComputerStep("click", ((3, 4),), times=2)),
        (
            {"action": "left_click_drag", "start_coordinate": [1, 2], "coordinate": [3, 4]},
            ComputerStep("drag", ((1, 2), (3, 4))),
        ),
        ({"type": "drag", "path": [{"x": 1, "y": 2}, [3, 4]]}, ComputerStep("drag", ((1, 2), (3, 4)))),
        ({"action": "scroll", "coordinate": [1, 2], "scroll_direction": "left", "scroll_amount": 2},
         ComputerStep("scroll", ((1, 2),), wheel=(-2, 0))),
        ({"type": "scroll", "x": 1, "y": 2, "scroll_x": 0, "scroll_y": -150},
         ComputerStep("scroll", ((1, 2),), wheel=(0, -2))),
        ({"action": "type", "text": "a\n"}, ComputerStep("type", text="a\n")),
        ({"action": "key", "text": "ctrl+s"}, ComputerStep("press", keys=("Control", "s"))),
        ({"type": "keypress", "keys": ["S", "CTRL"]}, ComputerStep("press", keys=("Control", "S"))),
        ({"action": "mouse_move", "coordinate": [1, 2]}, ComputerStep("move", ((1, 2),))),
        ({"action": "wait", "duration": 2}, ComputerStep("wait", seconds=2)),
        ({"type": "screenshot"}, ComputerStep("look")),
    ],
)  # fmt: skip
def test_both_vendors_steps_have_one_form(given, step):
    assert read_step(given) == step


@pytest.mark.parametrize(
    "given",
    [
        {}, {"action": "dance"}, {"action": "left_click", "coordinate": ["a", 1]}, {"type": "click", "x": 1},
        {"type": "click", "button": "back", "x": 1, "y": 1},
        {"action": "left_click", "coordinate": [1, 1], "text": "ctrl"},
        {"type": "drag", "path": [{"x": 1, "y": 1}]}, {"action": "left_click_drag", "coordinate": [1, 1]},
        {"action": "wait", "duration": 1e9}, {"action": "wait", "duration": float("nan")},
        {"action": "key", "text": "blip"},
        {"action": "scroll", "scroll_direction": "in"}, {"type": "scroll", "x": 1, "y": 1, "scroll_y": 10**9},
        {"action": "type"}, {"action": "mouse_move"},
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(given):
    with pytest.raises(ConfigError):
        read_step(given)
