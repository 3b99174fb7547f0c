"""Real windows on a real X server."""

from __future__ import annotations

import asyncio
import struct
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.servers.display import Display, needs

from reactor_core.errors import ConfigError, EnvironmentMissing
from reactor_core.safety.kill.keys import Corner
from reactor_core.safety.preview import X11Driver
from reactor_core.safety.preview.target import changed

pytestmark = pytest.mark.system


class Window:
    """A window that notes the clicks it gets."""

    def __init__(self, display: str, title: str, colour: int, *, at: tuple[int, int] = (100, 100)) -> None:
        from Xlib import X
        from Xlib.display import Display as Connection

        self._x = X
        self.connection: Any = Connection(display)
        screen = self.connection.screen()
        self.window: Any = screen.root.create_window(
            *at,
            300,
            200,
            0,
            screen.root_depth,
            override_redirect=True,
            background_pixel=colour,
            event_mask=X.ButtonPressMask | X.StructureNotifyMask,
        )
        self.window.set_wm_name(title)
        self.window.set_wm_class("demo", "Demo")
        self.window.map()
        while self.connection.next_event().type != X.MapNotify:
            pass
        self.connection.sync()

    def wait_for_click(self) -> tuple[int, int]:
        """Where the next click came; waits for it."""
        while True:
            event = self.connection.next_event()
            if event.type == self._x.ButtonPress:
                return event.event_x, event.event_y

    def clicks(self) -> int:
        """Clicks that have come so far and were not waited for."""
        self.connection.sync()
        return sum(
            self.connection.next_event().type == self._x.ButtonPress for _ in range(self.connection.pending_events())
        )

    def close(self) -> None:
        self.connection.close()


@pytest.fixture
def window(display: Display) -> Iterator[Window]:
    shown = Window(display.name, "Delete?", 0x336699)
    yield shown
    shown.close()


@pytest.fixture
def driver(display: Display) -> Iterator[X11Driver]:
    needs("xdotool")
    subprocess.run(["xdotool", "mousemove", "640", "700"], env={"DISPLAY": display.name}, check=True, timeout=30)
    made = X11Driver(display.name, corner=Corner("top-left"))
    yield made
    made.close()


def test_it_sees_the_window_and_clicks_it(driver: X11Driver, window: Window) -> None:
    seen = asyncio.run(driver.look(150, 160))
    assert "demo Demo 'Delete?'" in seen.window
    assert seen.box == (100, 100, 300, 200)
    assert asyncio.run(driver.click(150, 160, "left", seen)) == ""
    assert window.wait_for_click() == (50, 60)


def test_the_mark_changes_nothing_of_what_is_compared(driver: X11Driver, window: Window) -> None:
    before = asyncio.run(driver.look(200, 200))
    asyncio.run(driver.mark(200, 200))
    assert changed(before, asyncio.run(driver.look(200, 200))) == ""
    frame = asyncio.run(driver.look(200 - 26, 200 - 26))
    assert changed(before, frame) != ""
    asyncio.run(driver.unmark())
    assert changed(before, asyncio.run(driver.look(200, 200))) == ""


def test_a_window_that_comes_between_is_not_clicked(driver: X11Driver, window: Window, display: Display) -> None:
    expected = asyncio.run(driver.look(200, 200))
    other = Window(display.name, "Cancel?", 0x336699)
    assert "another window" in asyncio.run(driver.click(200, 200, "left", expected))
    assert (other.clicks(), window.clicks()) == (0, 0)
    other.close()


def test_other_pixels_or_another_title_are_not_clicked(driver: X11Driver, window: Window) -> None:
    expected = asyncio.run(driver.look(200, 200))
    window.window.change_attributes(background_pixel=0xFF0000)
    window.window.clear_area()
    window.connection.sync()
    assert "picture" in asyncio.run(driver.click(200, 200, "left", expected))
    window.window.set_wm_name("Pay?")
    window.connection.sync()
    assert "another window" in asyncio.run(driver.click(200, 200, "left", expected))
    assert window.clicks() == 0


def test_nothing_can_come_between_the_last_look_and_the_click(
    driver: X11Driver, window: Window, display: Display
) -> None:
    """A window that another program keeps raising and lowering over the point gets a click only if it was expected."""
    from Xlib import X

    other = Window(display.name, "Overlay", 0x111111)
    stop = threading.Event()

    def flicker() -> None:
        while not stop.is_set():
            other.window.configure(stack_mode=X.Above)
            other.connection.sync()
            other.window.configure(stack_mode=X.Below)
            other.connection.sync()

    other.window.configure(stack_mode=X.Below)
    other.connection.sync()
    expected = asyncio.run(driver.look(200, 200))
    assert "Delete?" in expected.window
    thread = threading.Thread(target=flicker)
    thread.start()
    made = sum(asyncio.run(driver.click(200, 200, "left", expected)) == "" for _ in range(100))
    stop.set()
    thread.join()
    assert other.clicks() == 0
    assert window.clicks() == made
    other.close()


def test_escape_and_the_corner_veto(driver: X11Driver, display: Display) -> None:
    def act(*words: str) -> None:
        subprocess.run(["xdotool", *words], env={"DISPLAY": display.name}, check=True, timeout=30)

    assert asyncio.run(driver.veto()) == ""
    act("keydown", "Escape")
    assert "Escape" in asyncio.run(driver.veto())
    act("keyup", "Escape")
    assert asyncio.run(driver.veto()) == ""
    act("mousemove", "0", "0")
    assert "top-left corner" in asyncio.run(driver.veto())
    act("mousemove", "640", "700")


def test_keys_go_to_the_window_that_was_expected(driver: X11Driver, window: Window, display: Display) -> None:
    from Xlib import XK, X

    window.window.change_attributes(event_mask=X.KeyPressMask | X.FocusChangeMask)
    window.window.set_input_focus(X.RevertToPointerRoot, X.CurrentTime)
    while window.connection.next_event().type != X.FocusIn:
        pass
    expected = asyncio.run(driver.focus())
    assert (expected.role, expected.name, expected.app) == ("window", "Delete?", "Demo")
    assert asyncio.run(driver.type("aB!\n", expected)) == ""
    assert asyncio.run(driver.press(("Control", "S"), expected)) == ""
    pressed: list[tuple[str, int]] = []
    while len(pressed) < 9:
        event = window.connection.next_event()
        if event.type == X.KeyPress:
            level = 1 if event.state & X.ShiftMask else 0
            pressed.append((str(XK.keysym_to_string(window.connection.keycode_to_keysym(event.detail, level))),
                            event.state & (X.ShiftMask | X.ControlMask)))  # fmt: skip
    written = [key for key in pressed if key[0] in ("a", "B", "!", "\r", "S")]
    both = X.ShiftMask | X.ControlMask
    assert written == [("a", 0), ("B", X.ShiftMask), ("!", X.ShiftMask), ("\r", 0), ("S", both)]
    other = Window(display.name, "Other", 0x111111)
    other.window.set_input_focus(X.RevertToPointerRoot, X.CurrentTime)
    other.connection.sync()
    assert "another window" in asyncio.run(driver.type("x", expected))
    assert "another window" in asyncio.run(driver.press(("Enter",), expected))
    with pytest.raises(ConfigError, match="no key"):
        asyncio.run(driver.type("\u8b5a", expected))
    other.window.set_input_focus(X.PointerRoot, X.CurrentTime)
    other.close()


def test_it_drags_turns_the_wheel_and_takes_pictures(driver: X11Driver, window: Window) -> None:
    from Xlib import X

    window.window.change_attributes(event_mask=X.ButtonPressMask | X.ButtonReleaseMask)
    window.connection.sync()
    start, end = asyncio.run(driver.look(150, 150)), asyncio.run(driver.look(250, 200))
    assert asyncio.run(driver.drag(((150, 150), (200, 180), (250, 200)), start, end)) == ""
    assert asyncio.run(driver.pointer()) == (250, 200)
    asyncio.run(driver.scroll(160, 160, 0, -2))
    asyncio.run(driver.click(160, 160, "left", asyncio.run(driver.look(160, 160)), times=2))
    events = []
    while len(events) < 10:
        event = window.connection.next_event()
        if event.type in (X.ButtonPress, X.ButtonRelease):
            events.append((event.type, event.detail, event.event_x))
    assert events == [
        (X.ButtonPress, 1, 50), (X.ButtonRelease, 1, 150),
        *[(kind, 4, 60) for _ in range(2) for kind in (X.ButtonPress, X.ButtonRelease)],
        *[(kind, 1, 60) for _ in range(2) for kind in (X.ButtonPress, X.ButtonRelease)],
    ]  # fmt: skip
    wide, high = asyncio.run(driver.size())
    assert (wide, high) == (1280, 800)
    picture = asyncio.run(driver.picture())
    assert struct.unpack(">II", picture[16:24]) == (1280, 800)


def test_a_display_that_is_not_there() -> None:
    with pytest.raises(EnvironmentMissing):
        X11Driver(":4242")
