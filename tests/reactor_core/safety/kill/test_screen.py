"""A pointer and a key on a real X server."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest
from tests.servers.display import Display, needs

from reactor_core.errors import EnvironmentMissing
from reactor_core.safety.kill.keys import Corner, Hotkey
from reactor_core.safety.kill.screen import ScreenWatch

Hand = Callable[..., None]


@pytest.fixture
def hand(display: Display) -> Hand:
    """Moves the pointer and presses keys, as a person would."""
    needs("xdotool")

    def act(*words: str) -> None:
        subprocess.run(["xdotool", *words], env={"DISPLAY": display.name}, check=True, timeout=30)

    act("mousemove", "640", "400")
    return act


@pytest.fixture
def seen(display: Display, hand: Hand) -> Iterator[list[str]]:
    """What happened on the watched display, as it happens."""
    happened: list[str] = []
    changed = threading.Condition()

    class Seen(list[str]):
        def wait(self) -> list[str]:
            with changed:
                assert changed.wait_for(lambda: happened, 10)
            return happened

    def note(what: str, _moment: float) -> None:
        with changed:
            happened.append(what)
            changed.notify_all()

    screen = ScreenWatch(display.name, note, corner=Corner("top-left"), hotkey=Hotkey.read("ctrl+alt+k"))
    waiting = Seen()
    waiting.happened = happened  # type: ignore[attr-defined]
    assert screen.watched == ("mouse corner top-left", "hotkey")
    yield waiting
    screen.close()
    assert not screen.alive


@pytest.mark.system
def test_the_corner_is_noticed(seen: list[str], hand: Hand) -> None:
    hand("mousemove", "0", "0")
    assert seen.wait() == ["mouse_corner"]  # type: ignore[attr-defined]


@pytest.mark.system
def test_the_keys_are_noticed_whatever_num_lock_is(seen: list[str], hand: Hand) -> None:
    hand("key", "ctrl+alt+k")
    assert seen.wait() == ["hotkey"]  # type: ignore[attr-defined]
    hand("key", "Num_Lock")
    try:
        seen.happened.clear()  # type: ignore[attr-defined]
        hand("key", "ctrl+alt+k")
        assert seen.wait() == ["hotkey"]  # type: ignore[attr-defined]
    finally:
        hand("key", "Num_Lock")


@pytest.mark.system
def test_other_keys_and_edges_mean_nothing(seen: list[str], hand: Hand) -> None:
    hand("key", "k")
    hand("mousemove", "640", "0")
    hand("mousemove", "0", "400")
    hand("mousemove", "0", "0")
    assert seen.wait() == ["mouse_corner"]  # type: ignore[attr-defined]


@pytest.mark.system
def test_keys_that_another_program_has_are_not_watched(seen: list[str], display: Display) -> None:
    other = ScreenWatch(display.name, lambda *_: None, hotkey=Hotkey.read("ctrl+alt+k"))
    assert other.watched == ()
    other.close()


def test_a_display_that_is_not_there_is_said() -> None:
    with pytest.raises(EnvironmentMissing, match=":4711"):
        ScreenWatch(":4711", lambda *_: None, corner=Corner("top-left"))
