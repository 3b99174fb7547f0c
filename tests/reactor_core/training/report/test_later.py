from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reactor_core.errors import TrainingError
from reactor_core.training.report.later import report_run
from reactor_core.training.report.sink import SINKS, Offer
from reactor_core.utils.settings import Settings

SINK = "tensorboard"
ODD = "tests.reactor_core.training.report.odd_sinks:"


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def put(name: str) -> None:
        monkeypatch.setitem(SINKS, SINK, Offer(ODD + name, "json", "report"))

    return put


def end(paper_run: Any, steps: int) -> None:
    card = {"run_id": "train-0001", "metrics": {"steps": steps}, "base": {"name": "tiny"}}
    (paper_run.folder / "card.json").write_text(json.dumps({**card, "dataset": {"rows": 12, "sha256": "def"}}))


def lines(settings: Settings) -> list[Any]:
    return [json.loads(line) for line in (settings.workspace / "notebook.jsonl").read_text().splitlines()]


def test_a_sink_that_was_down_gets_the_whole_run_later_and_none_of_it_twice(
    paper_run: Any, settings: Settings, use: Callable[[str], None]
) -> None:
    use("Raising")
    hook = paper_run.start()
    paper_run.train(1, 2, 3)
    with pytest.warns(UserWarning, match="were not told"):
        paper_run.finish(hook)
    end(paper_run, 3)
    use("Notebook")
    for _ in range(2):
        told = report_run(paper_run.folder, [SINK], settings)
        assert (told[SINK]["step"], told[SINK]["missing"], told[SINK]["error"]) == (3, 0, "")
    assert lines(settings) == [1, 2, 3, "finished", "finished"]


def test_a_run_that_is_not_finished_is_refused(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(TrainingError, match="not a finished run"):
        report_run(tmp_path, [SINK], settings)
