"""Read back from MLflow's own store by SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.training.report.mlflow import _groups
from reactor_core.training.report.points import Point
from reactor_core.utils.settings import Settings

SINK = "mlflow"


@given(st.lists(st.integers(1, 1200), max_size=12))
def test_a_call_holds_whole_steps_and_no_more_metrics_than_the_server_takes(sizes: list[int]) -> None:
    points = [Point(step, {f"m{i}": 0.0 for i in range(size)}) for step, size in enumerate(sizes)]
    groups = list(_groups(points))
    assert [point for group in groups for point in group] == points
    assert all(len(group) == 1 or sum(len(p.values) for p in group) <= 1000 for group in groups)


def ask(settings: Settings, sql: str) -> list[Any]:
    connection = apsw.Connection(str(settings.workspace / "mlflow.db"), flags=apsw.SQLITE_OPEN_READONLY)
    return list(connection.execute(sql))


@pytest.mark.slow
def test_sessions_of_a_run_are_one_run_in_the_store_with_every_step_once(paper_run: Any, settings: Settings) -> None:
    hook = paper_run.start()
    paper_run.train(1, 2, 3, 4, 5)
    hook.card_facts()
    hook.on_error(RuntimeError("killed"))
    hook = paper_run.start(at=3)
    paper_run.train(4, 5, 6)
    told = paper_run.finish(hook)
    assert (told["step"], told["missing"], told["error"]) == (6, 0, "")
    ((run, status, artifacts),) = ask(settings, "select run_uuid, status, artifact_uri from runs")
    assert (status, told["where"].split()[-1]) == ("FINISHED", run)
    losses = ask(settings, "select step, value from metrics where key = 'train/loss' order by step")
    assert losses == [(step, 8.0 / step) for step in range(1, 7)]
    assert ask(settings, "select step, value from metrics where key = 'eval/loss'") == [(4, 2.0)]
    assert dict(ask(settings, "select key, value from params")) == {"lora_rank": "4", "model_name": "tiny"}
    tags = dict(ask(settings, "select key, value from tags"))
    assert tags["reactor.run_id"] == "train-0001"
    assert tags["reactor.base_model"] == "abc"
    assert tags["reactor.adapter"] == "/somewhere/adapter"
    assert {file.name for file in Path(urlparse(artifacts).path).iterdir()} == {"card.json", "loss.png"}


@pytest.mark.slow
def test_a_server_that_nobody_runs_costs_steps_and_says_no_password(paper_run: Any, settings: Settings) -> None:
    paper_run.settings = Settings(workspace=settings.workspace, mlflow_tracking_uri="http://user:secret@127.0.0.1:9")
    hook = paper_run.start(patience=3.0)
    paper_run.train(1, 2)
    with pytest.warns(UserWarning, match="2 of 2 steps were not told"):
        told = paper_run.finish(hook)
    assert (told["step"], told["missing"]) == (0, 2)
    assert "secret" not in str(told)
