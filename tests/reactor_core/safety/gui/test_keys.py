from __future__ import annotations

import pytest

from reactor_core.safety.gui.keys import Act, act_of, combinations, default_button


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("Ctrl+A, Shift+Delete", ["ctrl+a", "shift+delete"]),
        ("Control-V then Enter", ["ctrl+v", "enter"]),
        ("⌘+Q", ["cmd+q"]),
        ("F5", ["f5"]),
        ("Alt+F4, N", ["alt+f4", "n"]),
    ],
)
def test_combinations(keys, expected):
    assert combinations(keys) == expected


def test_acts():
    assert act_of("enter") is Act.CONFIRM
    assert act_of("shift+delete") is Act.ERASE
    assert act_of("ctrl+enter") is Act.RUN
    assert act_of("ctrl+s") is Act.NOTHING
    assert act_of("escape") is Act.NOTHING


@pytest.mark.parametrize(
    ("dialog", "focused", "expected"),
    [
        ("Format? [Format*] [Cancel]", "", "Format"),
        ("Delete? [Delete] [Cancel*]", "", "Cancel"),
        ("Delete? [Delete*] [Cancel]", "No", "No"),
        ("Delete?", "", None),
    ],
)
def test_the_default_button(dialog, focused, expected):
    assert default_button(dialog, focused) == expected
