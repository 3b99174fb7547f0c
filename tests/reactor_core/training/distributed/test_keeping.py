from __future__ import annotations

import json

import pytest
from tests.reactor_core.training.distributed.conftest import Runs

NOTICE = {"step": 3, "what": "SIGTERM"}


@pytest.mark.parametrize("rank", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_a_notice_to_one_process_stops_all_and_the_run_goes_on(runs: Runs, rank: int) -> None:
    untouched = runs.end("untouched")
    first, other = runs("run", say={**NOTICE, "rank": rank})
    assert first["error"] == other["error"] == "Interrupted"
    assert "SIGTERM" in first["message"]
    (folder,) = (runs.folder / "run" / "runs").iterdir()
    assert [place.name for place in (folder / "checkpoints").iterdir()][-1].startswith("step-0000000")
    if rank == 0:
        notice = json.loads((folder / "notices.jsonl").read_text())
        assert notice["parts"] == 0, "it is saved as the last whole step left it"
    again = runs.end("run")
    assert again["resumed_from"] >= 3
    assert again["sha256"] == untouched["sha256"]
    assert again["losses"] == untouched["losses"]
    assert list((runs.folder / "run" / "runs").iterdir()) == [folder], "the other process leaves nothing behind"


@pytest.mark.slow
def test_a_run_goes_on_in_another_number_of_processes(runs: Runs) -> None:
    untouched = runs.end("untouched")
    runs("run", say=NOTICE)
    alone = runs.end("run", size=1)
    assert alone["resumed_from"] >= 3
    assert alone["losses"] == pytest.approx(untouched["losses"], rel=1e-3)
    assert any("processes 2 -> None" in warning for warning in alone["warned"])
    runs("back", size=1, say=NOTICE)
    two = runs.end("back")
    assert two["losses"] == pytest.approx(untouched["losses"], rel=1e-3)
    assert any("processes None -> 2" in warning for warning in two["warned"])
