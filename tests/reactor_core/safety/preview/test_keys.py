from __future__ import annotations

import pytest

from reactor_core.errors import ConfigError
from reactor_core.safety.preview.keys import combination, x_name


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("ctrl+shift+t", ("Control", "Shift", "t")),
        ("Return", ("Enter",)),
        (["CTRL", "S"], ("Control", "S")),
        (["s", "CMD"], ("Meta", "s")),
        ("Control_L+a", ("Control", "a")),
        ("Page_Down", ("PageDown",)),
        ("KP_Enter", ("Enter",)),
        ("ctrl++", ("Control", "+")),
        ("+", ("+",)),
        (" ", ("Space",)),
        ("F5", ("F5",)),
        ("ARROWUP", ("ArrowUp",)),
    ],
)
def test_keys_are_known_by_every_name(keys, found):
    assert combination(keys) == found


@pytest.mark.parametrize("keys", ["", "hyper+x", "ctrl+", []])
def test_an_unknown_key_is_said(keys):
    with pytest.raises(ConfigError):
        combination(keys)


def test_x_has_names_of_its_own():
    assert [x_name(key) for key in ("Control", "Enter", "ArrowUp", "F5", "a")] == [
        "Control_L",
        "Return",
        "Up",
        "F5",
        "a",
    ]
