from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reactor_core import cli

MakeModel = Callable[[str], Path]


def states(workspace: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert cli.main(["runs", "list", "--json"]) == 0
    return [run["state"] for run in json.loads(capsys.readouterr().out)["runs"]]


def test_a_run_of_another_process_is_paused_resumed_and_stopped(
    model_folder: MakeModel,
    rows_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    workspace = tmp_path / "workspace"
    monkeypatch.setenv("REACTOR_WORKSPACE", str(workspace))
    monkeypatch.setenv("GOMP_SPINCOUNT", "10000")
    assert cli.main(["runs", "list"]) == 0
    assert "reactor train FILE" in capsys.readouterr().err
    model = str(model_folder("llama"))
    command = [
        sys.executable,
        "-m",
        "reactor_core.cli",
        "train",
        str(rows_file),
        "--model",
        model,
        "--epochs",
        "100000",
    ]
    training = subprocess.Popen(command, env=os.environ, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while states(workspace, capsys) != ["running"]:
            assert training.poll() is None
            assert time.monotonic() < deadline
        name = next((workspace / "runs").glob("train-*")).name
        assert cli.main(["runs", "pause", name]) == 0
        assert f"{name}: paused after step" in capsys.readouterr().out
        assert states(workspace, capsys) == ["paused"]
        assert cli.main(["runs", "resume", name, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["state"] == "running"
        assert cli.main(["runs", "stop", name]) == 0
        assert "ended after step" in capsys.readouterr().out
        _, errors = training.communicate(timeout=60)
    finally:
        training.kill()
    assert training.returncode == 130
    assert "run the same command again" in errors
    assert states(workspace, capsys) == ["unfinished"]
    assert cli.main(["runs", "stop", name]) == 4
    assert "no run is going on" in capsys.readouterr().err
