"""``@on_mouse_corner_trigger`` as programs use it."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from tests.reactor_core.safety.kill.conftest import run_python, until
from tests.servers.display import Display, needs

from reactor_core.events.latch import Latch
from reactor_core.safety.kill import corner, on_mouse_corner_trigger

PROGRAM = """
import sys, time
from pathlib import Path
from reactor_core.integration import EventBridge
from reactor_core.safety.kill import on_mouse_corner_trigger

bridge = EventBridge("jarvis_agent", workspace=Path(sys.argv[1]))
current_action, time_since_trigger = "Sending 500 emails", 1.0

@on_mouse_corner_trigger
def fails():
    raise RuntimeError("the other handler is called nevertheless")

@on_mouse_corner_trigger
async def emergency_halt():
    await bridge.emit_kill_switch_triggered(
        trigger_method="mouse_corner",
        halted_action=current_action,
        response_time_ms=time_since_trigger
    )

print("ready", flush=True)
while True:
    sum(range(10000))
"""


@pytest.mark.system
def test_the_function_is_called_though_the_program_is_busy(display: Display, tmp_path: Path) -> None:
    needs("xdotool")
    subprocess.run(["xdotool", "mousemove", "640", "400"], env={"DISPLAY": display.name}, check=True)
    environment = {"DISPLAY": display.name, "REACTOR_STATE_DIR": str(tmp_path / "state")}
    with run_python(PROGRAM, str(tmp_path), env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        subprocess.run(["xdotool", "mousemove", "0", "0"], env={"DISPLAY": display.name}, check=True)
        state = until(lambda: Latch(tmp_path).state() if Latch(tmp_path).state().tripped else None)
    assert state.reason == "Sending 500 emails"


def test_without_a_display_it_says_so_and_gives_the_function_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)

    async def emergency_halt() -> None:
        pass

    with caplog.at_level(logging.WARNING):
        assert on_mouse_corner_trigger(emergency_halt) is emergency_halt
    assert "DISPLAY is not set" in caplog.text


def test_a_corner_that_is_turned_off_is_said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("KILL_SWITCH_CORNER", "none")
    with caplog.at_level(logging.WARNING):
        corner.on_mouse_corner_trigger(lambda: None)
    assert "turn it off" in caplog.text


def test_a_program_that_uses_it_ends_by_itself() -> None:
    """No thread of it keeps the process."""
    code = "from reactor_core.safety.kill import on_mouse_corner_trigger\non_mouse_corner_trigger(print)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, capture_output=True).returncode == 0
