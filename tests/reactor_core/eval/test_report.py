import json
from dataclasses import dataclass

import numpy as np

from reactor_core.eval.measurement import Measurement, Metric
from reactor_core.eval.promotion import compare
from reactor_core.eval.report import DecisionReport, verdict_summary, write_decision
from reactor_core.eval.verdicts import evaluate_verdicts


@dataclass(frozen=True)
class Row:
    action: str
    kind: str
    label: str


def test_a_summary_is_json_and_carries_the_numbers():
    rows = [Row("ls", "shell", "allow"), Row("x", "sql", "block")]
    report = evaluate_verdicts(lambda p, c: np.array([[0.0, -1.0, -2.0]] * 2), rows)
    summary = json.loads(json.dumps(verdict_summary(report)))
    assert summary["accuracy"] == 0.5
    assert summary["confusion"] == [[1, 0, 0], [0, 0, 0], [1, 0, 0]]
    assert summary["per_kind"]["sql"] == {"rows": 1, "right": 0, "accuracy": 0.0}
    assert summary["majority_accuracy"] == 0.5


METRIC = Metric("preference accuracy", "share of pairs", higher_is_better=True, baseline=0.5)


def measured(right: int) -> Measurement:
    return Measurement.of(METRIC, [n < right for n in range(40)], rows="r", clusters=[str(n) for n in range(40)])


def decision(*, promoted: bool) -> DecisionReport:
    series = {"candidate": measured(36 if promoted else 21), "untuned": measured(20)}
    comparison = compare(series["candidate"], series["untuned"], baseline="untuned")
    assert comparison.better is promoted
    reason = None if promoted else "the candidate is not significantly better"
    return DecisionReport(promoted, reason, {"model": "m", "trained_on": ["a|b"]}, series, (comparison,))


def test_a_decision_is_written_as_json_page_and_picture(tmp_path):
    write_decision(decision(promoted=True), tmp_path / "new")
    found = json.loads((tmp_path / "new" / "report.json").read_text())
    assert found["promoted"] is True
    assert found["measurements"]["candidate"]["value"] == 0.9
    assert found["comparisons"][0]["gained"] == 16
    assert (tmp_path / "new" / "report.png").read_bytes().startswith(b"\x89PNG")
    assert "](report.png)" in (tmp_path / "new" / "report.md").read_text()


def test_the_page_tells_the_figures_and_what_more_rows_would_do():
    page = decision(promoted=True).as_markdown()
    assert page.startswith("# Promoted\n")
    assert "| candidate | preference accuracy (share of pairs) | 0.9000 |" in page
    assert "| untuned | +0.4000 |" in page
    assert "](report.png)" not in page


def test_a_refusal_says_why():
    page = decision(promoted=False).as_markdown()
    assert page.startswith("# Not promoted\n\nthe candidate is not significantly better\n")
    assert "would need about" in page


def test_a_cell_cannot_break_the_table():
    assert '["a\\|b"]' in decision(promoted=True).as_markdown()
