"""Read back from trackio's own database by SQL."""

from __future__ import annotations

import json
from typing import Any

import apsw
import pytest

from reactor_core.utils.extras import installed

SINK = "trackio"
pytestmark = [
    pytest.mark.peer,
    pytest.mark.slow,
    pytest.mark.skipif(not installed("trackio"), reason="trackio is not installed: pip install reactor-core[trackio]"),
]


def test_sessions_of_a_run_are_one_run_with_every_step_once(paper_run: Any) -> None:
    hook = paper_run.start()
    paper_run.train(1, 2, 3, 4, 5)
    hook.card_facts()
    hook.on_error(RuntimeError("killed"))
    hook = paper_run.start(at=3)
    paper_run.train(4, 5, 6)
    told = paper_run.finish(hook)
    assert (told["step"], told["missing"], told["error"]) == (6, 0, "")
    folder = paper_run.settings.workspace / "trackio"
    assert str(folder.resolve()) in told["where"]
    connection = apsw.Connection(str(folder / "reactor.db"), flags=apsw.SQLITE_OPEN_READONLY)
    rows = [(run, step, json.loads(text)) for run, step, text in connection.execute(
        "select run_name, step, metrics from metrics order by id"
    )]  # fmt: skip
    assert {run for run, _, _ in rows} == {"train-0001"}
    losses = [(step, values["train/loss"]) for _, step, values in rows if "train/loss" in values]
    assert losses == [(step, 8.0 / step) for step in range(1, 7)]
    assert [step for _, step, values in rows if "eval/loss" in values] == [4]
    assert "final_loss" in str([values["card"] for _, _, values in rows if "card" in values])
    ((config,),) = connection.execute("select config from configs")
    assert json.loads(config)["config"] == {"lora_rank": 4, "model_name": "tiny"}
