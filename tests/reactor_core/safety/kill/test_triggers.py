"""A person's hand stops what acts, with no program's help."""

from __future__ import annotations

import logging
import signal
import subprocess
import threading
from collections.abc import Callable
from subprocess import Popen

import pytest
from tests.reactor_core.safety.kill.conftest import until
from tests.reactor_core.safety.kill.test_station import events
from tests.servers.display import Display, needs

from reactor_core.errors import ConfigError
from reactor_core.integration import EventBridge
from reactor_core.safety.kill import Station, watcher_standing
from reactor_core.safety.kill.triggers import Triggers
from reactor_core.utils.settings import Settings

Start = Callable[..., Popen[bytes]]


@pytest.mark.system
@pytest.mark.parametrize(
    ("words", "method"),
    [
        (("mousemove", "0", "0"), "mouse_corner"),
        pytest.param(("key", "ctrl+alt+k"), "hotkey", marks=pytest.mark.slow),
    ],
)
def test_the_watcher_itself_looks_at_the_screen(
    words: tuple[str, ...],
    method: str,
    display: Display,
    settings: Settings,
    bridge: EventBridge,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needs("xdotool")
    monkeypatch.setenv("DISPLAY", display.name)
    subprocess.run(["xdotool", "mousemove", "640", "400"], check=True)
    with Station(bridge) as station:
        process = start("sleep", "600", env=station.marks)
        station.enlist(process.pid, action="click through the shop")

        def watched() -> bool:
            standing = watcher_standing(settings.workspace)
            return standing is not None and len(standing.triggers) == 2

        until(watched)
        subprocess.run(["xdotool", *words], check=True)
        assert process.wait(30) == -signal.SIGKILL
        told = until(lambda: events(bridge, "kill_switch_triggered"))[0]
        assert told["trigger_method"] == method
        assert told["halted_action"] == "click through the shop"
        assert 0 < told["response_time_ms"] < 5000


@pytest.mark.system
def test_a_display_is_watched_once(display: Display, settings: Settings) -> None:
    needs("Xvfb")
    triggers = Triggers(settings)
    for _ in range(2):
        triggers.watch(display.name, lambda *_: None)
    until(lambda: triggers.watched)
    assert triggers.watched == (f"mouse corner top-left on {display.name}", f"hotkey on {display.name}")
    triggers.close()
    assert triggers.watched == ()


@pytest.mark.system
def test_a_display_that_is_opened_after_the_end_is_not_watched(display: Display, settings: Settings) -> None:
    needs("Xvfb")
    triggers = Triggers(settings)
    triggers.close()
    before = set(threading.enumerate())
    triggers.watch(display.name, lambda *_: None)
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
    assert triggers.watched == ()


def test_a_display_that_is_not_there_is_warned_about(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    warned = threading.Event()
    handler = logging.Handler()
    handler.emit = lambda record: warned.set()  # type: ignore[method-assign]
    logger = logging.getLogger("reactor_core.safety.kill.triggers")
    logger.addHandler(handler)
    try:
        triggers = Triggers(settings)
        triggers.watch(":4711", lambda *_: None)
        assert warned.wait(30)
        assert triggers.watched == ()
    finally:
        logger.removeHandler(handler)


@pytest.mark.parametrize("change", [{"kill_switch_corner": "middle"}, {"kill_switch_hotkey": "hyper+x"}])
def test_settings_that_cannot_be_understood_are_said_at_the_start(change: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        Triggers(Settings(**change))
