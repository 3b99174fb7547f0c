"""Corner and keys of the settings."""

from __future__ import annotations

import pytest

from reactor_core.errors import ConfigError
from reactor_core.safety.kill.keys import CORNERS, Corner, Hotkey

SIZE = {"width": 1280, "height": 800}
AT = {"top-left": (0, 0), "top-right": (1279, 0), "bottom-left": (0, 799), "bottom-right": (1279, 799)}


@pytest.mark.parametrize("name", CORNERS)
def test_only_the_named_corner_counts(name: str) -> None:
    for other, (x, y) in AT.items():
        corner = Corner(name)
        corner.arrives(640, 400, **SIZE)
        assert corner.arrives(x, y, **SIZE) is (other == name)


def test_an_edge_is_no_corner() -> None:
    corner = Corner("top-left")
    corner.arrives(640, 400, **SIZE)
    assert not corner.arrives(640, 0, **SIZE)
    assert not corner.arrives(0, 400, **SIZE)


def test_staying_is_one_arrival_and_coming_back_another() -> None:
    corner = Corner("top-left")
    path = [(640, 400), (0, 0), (1, 1), (300, 0), (2, 0)]
    assert [corner.arrives(x, y, **SIZE) for x, y in path] == [False, True, False, False, True]


def test_a_pointer_that_rests_there_from_the_beginning_means_nothing() -> None:
    assert not Corner("top-left").arrives(0, 0, **SIZE)


def test_no_corner_is_never_reached() -> None:
    corner = Corner("none")
    assert not any(corner.arrives(x, y, **SIZE) for x, y in [(640, 400), *AT.values()])


def test_another_corner_is_refused() -> None:
    with pytest.raises(ConfigError, match="KILL_SWITCH_CORNER='middle'"):
        Corner("middle")


@pytest.mark.parametrize(
    ("text", "modifiers", "key"),
    [
        ("ctrl+alt+k", 4 | 8, "k"),
        ("Control + Shift + Escape", 4 | 1, "Escape"),
        ("super+pause", 64, "Pause"),
        ("f12", 0, "F12"),
    ],
)
def test_keys_are_read_as_people_write_them(text: str, modifiers: int, key: str) -> None:
    assert Hotkey.read(text) == Hotkey(modifiers, key)


@pytest.mark.parametrize("text", ["none", ""])
def test_no_keys_are_none(text: str) -> None:
    assert Hotkey.read(text) is None


@pytest.mark.parametrize("text", ["k", "shift+k", "hyper+k", "ctrl+", "ctrl+kk"])
def test_keys_that_cannot_be_used_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="KILL_SWITCH_HOTKEY"):
        Hotkey.read(text)
