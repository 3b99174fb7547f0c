from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reactor_core.errors import ConfigError
from reactor_core.training.distributed.outcome import read_outcome, write_outcome
from reactor_core.training.distributed.worker import work
from reactor_core.training.result import TrainingResult


@pytest.fixture
def folder(model: Path, rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job of one process."""
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("REACTOR_CACHE_DIR", str(tmp_path / "cache"))
    config = {"model_name": str(model), "lora_rank": 2, "batch_size": 6}
    job: dict[str, Any] = {"config": config, "dataset": str(rows_file), "resume": False, "store": None, "threads": 1}
    place = tmp_path / "job"
    place.mkdir()
    (place / "job.json").write_text(json.dumps(job))
    return place


def test_the_first_process_of_a_machine_writes_what_came_of_the_work(folder: Path) -> None:
    work(folder, rank=0, local_rank=0, restarts=0)
    found = read_outcome(folder)
    assert isinstance(found, TrainingResult)
    assert found.steps == 2
    work(folder, rank=0, local_rank=0, restarts=1)
    assert read_outcome(folder) == found, "work that has ended is not done again"


def test_an_error_of_ours_ends_the_work(folder: Path) -> None:
    job = json.loads((folder / "job.json").read_text())
    job["config"]["batch_size"] = 0
    (folder / "job.json").write_text(json.dumps(job))
    work(folder, rank=1, local_rank=1, restarts=0)
    assert read_outcome(folder) is None
    work(folder, rank=0, local_rank=0, restarts=0)
    assert isinstance(read_outcome(folder), ConfigError)


def test_nothing_is_done_where_another_process_has_ended_the_work(folder: Path) -> None:
    write_outcome(folder, ConfigError("batch_size=0"))
    work(folder, rank=0, local_rank=0, restarts=1)
    assert isinstance(read_outcome(folder), ConfigError)
