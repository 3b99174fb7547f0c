from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.reactor_core.training.distributed.conftest import Runs, Together

NOTICE = {"step": 3, "what": "SIGTERM"}


@pytest.fixture(scope="module")
def untouched(together: Together, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """How the run ends that nothing happens to."""
    return Runs(together, model, tmp_path_factory.mktemp("untouched")).end("run")


def test_a_process_that_is_killed_breaks_the_run_which_then_ends_in_the_same_bytes(runs: Runs, untouched: Any) -> None:
    first, other = runs("run", say={"step": 4, "what": "SIGKILL", "rank": 1}, save_seconds=0.001)
    assert other is None
    assert first["error"] not in ("Interrupted", "TrainingError")
    again = runs.end("run")
    assert again["resumed_from"] > 0
    assert (again["sha256"], again["losses"]) == (untouched["sha256"], untouched["losses"])
    assert len(list((runs.folder / "run" / "runs").iterdir())) == 1, "the other process leaves nothing behind"


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_notice_to_one_process_stops_all_and_the_run_goes_on(runs: Runs, untouched: Any, rank: int) -> None:
    first, other = runs("run", say={**NOTICE, "rank": rank})
    assert first["error"] == other["error"] == "Interrupted"
    assert "SIGTERM" in first["message"]
    (folder,) = (runs.folder / "run" / "runs").iterdir()
    if rank == 0:
        notice = json.loads((folder / "notices.jsonl").read_text())
        assert notice["parts"] == 0, "it is saved as the last whole step left it"
    again = runs.end("run")
    assert again["resumed_from"] >= 3
    assert (again["sha256"], again["losses"]) == (untouched["sha256"], untouched["losses"])


@pytest.mark.slow
def test_a_run_goes_on_in_another_number_of_processes(runs: Runs, untouched: Any) -> None:
    runs("run", say=NOTICE)
    alone = runs.end("run", size=1)
    assert alone["resumed_from"] >= 3
    assert alone["losses"] == pytest.approx(untouched["losses"], rel=1e-3)
    assert any("processes 2 -> None" in warning for warning in alone["warned"])
    runs("back", size=1, say=NOTICE)
    two = runs.end("back")
    assert two["losses"] == pytest.approx(untouched["losses"], rel=1e-3)
    assert any("processes None -> 2" in warning for warning in two["warned"])
