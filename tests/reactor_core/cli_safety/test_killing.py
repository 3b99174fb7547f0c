"""``reactor kill``, ``reactor kill status`` and ``reactor kill reset``."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pyotp
import pytest
from tests.reactor_core.safety.kill.conftest import until
from tests.reactor_core.safety.kill.test_station import events

from reactor_core.cli import main
from reactor_core.events.latch import Latch
from reactor_core.integration import EventBridge
from reactor_core.safety.confirm.factors import FactorStore
from reactor_core.safety.kill import Station
from reactor_core.utils.settings import load_settings


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace and no factors."""
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("REACTOR_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("DISPLAY", raising=False)
    return tmp_path / "workspace"


@pytest.fixture
def totp() -> pyotp.TOTP:
    """An authenticator that was set up some time ago."""
    store = FactorStore(load_settings().state_dir)
    new = store.new_authenticator("anna")
    code = pyotp.TOTP(new.secret)
    store.add_authenticator(new, code.at(time.time() - 30))
    store.close()
    return code


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_it_halts_and_says_what_it_took(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kill", "--reason", "enough", "--json"]) == 0
    report = printed(capsys)
    assert report["epoch"] == 1
    assert report["response_time_ms"] > 0
    state = Latch(workspace).state()
    assert (state.tripped, state.reason, state.event_id) == (True, "enough", report["event_id"])


def test_it_stops_what_acts(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with EventBridge("agent", workspace=workspace) as bridge, Station(bridge) as station:
        with subprocess.Popen(["sleep", "600"], start_new_session=True, env=station.marks) as process:
            station.enlist(process.pid, action="dig")
            assert main(["kill", "status", "--json"]) == 0
            assert printed(capsys)["watcher"]["actions"] == ["dig"]
            assert main(["kill"]) == 0
            assert process.wait() == -9
        assert "processes stopped: 1" in capsys.readouterr().out
        told = until(lambda: events(bridge, "kill_switch_triggered"))[0]
        assert told["trigger_method"] == "cli"


def test_status_says_why_and_how_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kill", "status"]) == 0
    assert capsys.readouterr().out.startswith("not halted\n")
    main(["kill", "--reason", "enough"])
    capsys.readouterr()
    assert main(["kill", "status"]) == 0
    out = capsys.readouterr().out
    assert "(epoch 1): enough" in out
    assert "reactor kill reset" in out


def test_a_reset_needs_a_second_factor(workspace: Path) -> None:
    main(["kill"])
    assert main(["kill", "reset"]) == 6
    assert main(["kill", "reset", "--code", "000000"]) == 6
    assert Latch(workspace).state().tripped


def test_a_wrong_code_ends_nothing(workspace: Path, totp: pyotp.TOTP) -> None:
    main(["kill"])
    wrong = str((int(totp.now()) + 1) % 1_000_000).zfill(6)
    assert main(["kill", "reset", "--code", wrong]) == 6
    assert Latch(workspace).state().tripped


def test_a_reset_is_recorded_with_its_evidence_and_a_code_counts_once(
    workspace: Path, totp: pyotp.TOTP, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["kill"])
    code = totp.now()
    capsys.readouterr()
    assert main(["kill", "reset", "--code", code, "--because", "a test", "--json"]) == 0
    assert printed(capsys) == {"cleared_epoch": 1, "tripped": False, "by": "anna"}
    with EventBridge("agent", workspace=workspace) as bridge:
        told = events(bridge, "kill_switch_cleared")[0]
        assert (told["epoch"], told["by"]) == (1, "anna")
        assert told["evidence"]["because"] == "a test"
        assert code not in json.dumps(told)
    main(["kill"])
    assert main(["kill", "reset", "--code", code]) == 6
    assert Latch(workspace).state().tripped


def test_an_epoch_that_is_over_is_not_reset(workspace: Path, totp: pyotp.TOTP) -> None:
    main(["kill"])
    main(["kill"])
    assert main(["kill", "reset", "--epoch", "1", "--code", totp.now()]) == 3
    assert Latch(workspace).state().tripped


def test_there_is_nothing_to_reset_while_nothing_is_halted() -> None:
    assert main(["kill", "reset"]) == 3


def test_a_disabled_switch_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("KILL_SWITCH_ENABLED", "false")
    assert main(["kill"]) == 3
    capsys.readouterr()
    assert main(["kill", "status"]) == 0
    assert "disabled" in capsys.readouterr().out
