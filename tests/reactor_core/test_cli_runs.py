from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reactor_core import cli

MakeModel = Callable[[str], Path]


def test_a_run_is_traced_from_the_command_line(
    model_folder: MakeModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from reactor_core.training import Trainer, TrainingConfig
    from reactor_core.utils.settings import load_settings

    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "workspace"))
    rows = tmp_path / "rows.jsonl"
    lines = [{"prompt": f"p{n}", "completion": "c", "source": {"event_id": f"e{n}"}} for n in range(4)]
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
    config = TrainingConfig(model_name=str(model_folder("llama")), lora_rank=2, batch_size=2, shuffle=False)
    name = Trainer(config, settings=load_settings()).train(rows).run_id

    def ask(*question: str) -> dict[str, Any]:
        assert cli.main(["runs", "lineage", name, *question, "--json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    assert (ask()["rows"], ask()["events"], ask()["steps"]) == (4, 4, 2)
    assert (ask("--event", "e2")["steps"], ask("--event", "e2")["in_adapter"]) == ([2], True)
    assert ask("--row", "1")["steps"] == [1]
    assert [row["events"] for row in ask("--step", "2")["rows"]] == [["e2"], ["e3"]]
    assert cli.main(["runs", "lineage", name, "--step", "2"]) == 0
    assert "rows\tline=3\tid=-\tevents=e2\n" in capsys.readouterr().out
    assert cli.main(["runs", "lineage", name]) == 0
    assert "adapter_step\t2\n" in capsys.readouterr().out
    assert cli.main(["runs", "lineage", name, "--event", "e9"]) == 4
    assert "no row of this run comes from" in capsys.readouterr().err
    assert cli.main(["runs", "lineage", name, "--event", "e1", "--step", "1"]) == 3
    assert "give one of them" in capsys.readouterr().err


def test_a_finished_run_is_shown_in_tensorboard(
    model_folder: MakeModel,
    rows_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "workspace"))
    assert cli.main(["train", str(rows_file), "--model", str(model_folder("llama")), "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    assert not (Path(run["run_dir"]) / "tensorboard").exists()
    assert cli.main(["runs", "report", run["run_id"], "--to", "tensorboard", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["tensorboard"]
    assert (told["step"], told["missing"]) == (run["steps"], 0)
    assert list(Path(told["where"]).glob("events.out.tfevents.*"))


def states(workspace: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert cli.main(["runs", "list", "--json"]) == 0
    return [run["state"] for run in json.loads(capsys.readouterr().out)["runs"]]


@pytest.mark.slow
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


def test_the_end_of_a_machine_is_rehearsed_from_the_command_line(
    model_folder: MakeModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "workspace"))
    store = str(tmp_path / "store")
    assert cli.main(["drill", "preempt", "--model", str(model_folder("llama")), "--store", store, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["passed"], found["store"]) == (True, store)
