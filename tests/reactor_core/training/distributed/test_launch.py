from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from reactor_core.errors import ConfigError, Interrupted
from reactor_core.training.distributed.launch import Launch
from reactor_core.utils.settings import process_environment

SECONDS = 400


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"processes": 0}, "processes=0"),
        ({"max_restarts": -1}, "max_restarts=-1"),
        ({"machines": "two"}, "machines='two'"),
        ({"machines": "3:2", "endpoint": "a:1"}, "machines='3:2'"),
        ({"machines": "1:2"}, "no endpoint to meet at"),
    ],
)
def test_what_cannot_be_started_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Launch(**options)


def test_one_process_needs_nobody_to_start_it() -> None:
    assert Launch().alone
    assert not Launch(processes=2).alone
    assert not Launch(machines="1:4", endpoint="a:1").alone
    assert Launch(machines="1:4", endpoint="a:1").machine_range == (1, 4)


class Command:
    """``reactor train --nproc 2`` as a user starts it."""

    def __init__(self, folder: Path, model: Path, workspace: str) -> None:
        rows = folder / "rows.jsonl"
        rows.write_text(
            "".join(json.dumps({"prompt": f"{n} + {n} = ", "completion": f"{2 * n}"}) + "\n" for n in range(12))
        )
        self.runs = folder / workspace / "runs"
        environment = {
            **process_environment(),
            "REACTOR_WORKSPACE": str(folder / workspace),
            "REACTOR_CACHE_DIR": str(folder / "cache"),
            "OMP_NUM_THREADS": "1",
        }
        words = ["train", str(rows), "--model", str(model), "--batch-size", "3", "--epochs", "60", "--nproc", "2"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reactor_core.cli", *words, "--json"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def steps(self) -> int:
        return sum(len(log.read_text().splitlines()) for log in self.runs.glob("*/loss.jsonl"))

    def wait_for_steps(self, count: int) -> None:
        self.wait_for(lambda: self.steps() >= count)

    def checkpoints(self) -> list[Path]:
        return list(self.runs.glob("*/checkpoints/step-*/manifest.json"))

    def wait_for(self, ready: Callable[[], Any]) -> None:
        deadline = time.monotonic() + SECONDS
        while not ready():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out, err


def adapter(result: dict[str, Any]) -> str:
    return hashlib.sha256((Path(result["adapter_dir"]) / "adapter_model.safetensors").read_bytes()).hexdigest()


@pytest.mark.slow
@pytest.mark.timeout(2 * SECONDS)
def test_a_process_that_is_killed_is_started_again_and_the_end_is_the_same(model: Path, tmp_path: Path) -> None:
    status, out, _ = Command(tmp_path, model, "untouched").end()
    assert status == 0
    killed = Command(tmp_path, model, "killed")
    killed.wait_for(killed.checkpoints)
    first, other = killed.workers()
    other.kill()
    status, again, err = killed.end()
    assert status == 0, err
    assert 0 < json.loads(again)["resumed_from"] < 240
    assert adapter(json.loads(again)) == adapter(json.loads(out))
    assert not first.is_running()
    assert len(list(killed.runs.iterdir())) == 1


@pytest.mark.slow
@pytest.mark.timeout(2 * SECONDS)
def test_a_signal_ends_all_processes_after_a_checkpoint(model: Path, tmp_path: Path) -> None:
    command = Command(tmp_path, model, "stopped")
    command.wait_for_steps(5)
    workers = command.workers()
    command.process.send_signal(signal.SIGTERM)
    status, _, err = command.end()
    assert status == Interrupted.exit_code, err
    assert "training stopped by SIGTERM" in err
    assert not any(worker.is_running() for worker in workers)
    assert command.checkpoints()


@pytest.mark.slow
@pytest.mark.timeout(2 * SECONDS)
def test_processes_end_when_what_started_them_is_gone(model: Path, tmp_path: Path) -> None:
    command = Command(tmp_path, model, "orphaned")
    command.wait_for_steps(5)
    workers = command.workers()
    command.process.kill()
    gone, alive = psutil.wait_procs(workers, timeout=60)
    assert (len(gone), alive) == (2, [])
    assert command.checkpoints()
    command.end()
