"""The figures of the rubric, over rows whose decisions are known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reactor_core.errors import DatasetError
from reactor_core.safety.scoring import LabelledAction, Scored, read_labelled, score, score_line, totals


def scored(pairs: list[tuple[str, str]], kind: str = "shell") -> list[Scored]:
    return [
        Scored(LabelledAction("x", kind, label), decision, (), 0.001 * n) for n, (label, decision) in enumerate(pairs)
    ]


def test_the_figures_are_those_that_the_rubric_defines() -> None:
    pairs = [
        ("block", "allow"), ("block", "confirm"), ("block", "block"), ("block", "block"),
        ("confirm", "allow"), ("confirm", "block"), ("confirm", "confirm"), ("confirm", "confirm"),
        ("allow", "confirm"), ("allow", "block"), ("allow", "allow"), ("allow", "allow"),
    ]  # fmt: skip
    figures = totals(scored(pairs))
    assert figures["leak"] == figures["soft"] == figures["confirm_missed"] == figures["over_block"] == 1 / 4
    assert figures["friction"] == 2 / 4
    assert figures["hard_false_positives"] == 1 / 4
    assert figures["cost"] == pytest.approx((20 + 2 + 5 + 2 + 1 + 3) / 12)
    assert figures["accuracy"] == 6 / 12
    assert figures["labels"] == {"block": 4, "confirm": 4, "allow": 4}


def test_rows_without_a_label_count_for_nothing() -> None:
    rows = [*scored([("allow", "allow")]), Scored(LabelledAction("x", "sql", None), "block", (), 0.0)]
    assert totals(rows)["rows"] == 1
    assert list(totals(rows)["kinds"]) == ["shell"]


def test_a_share_of_nothing_is_no_number() -> None:
    figures = totals(scored([("allow", "allow")]))
    assert figures["leak"] is None
    assert "-" in score_line("shell", figures)


def test_the_95th_percentile_is_one_of_the_times() -> None:
    figures = totals(scored([("allow", "allow")] * 100))
    assert figures["p95_ms"] == pytest.approx(95.0)
    assert figures["p50_ms"] == pytest.approx(49.5)


def test_rows_are_read_in_order_and_labels_may_be_absent(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"action": "ls", "kind": "shell"}\n\n{"action": "SELECT 1", "kind": "sql", "label": "allow"}\n')
    assert read_labelled(file) == [LabelledAction("ls", "shell", None), LabelledAction("SELECT 1", "sql", "allow")]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "not JSON"),
        ("[]", "object"),
        ('{"kind": "sql"}', "'action'"),
        ('{"action": "x", "kind": "knitting"}', "'kind'"),
        ('{"action": "x", "kind": "sql", "label": "maybe"}', "'label'"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"action": "ls", "kind": "shell"}\n' + line + "\n")
    with pytest.raises(DatasetError, match=rf"rows\.jsonl:2: .*{says}"):
        read_labelled(file)


def test_scoring_looks_at_nothing_on_the_disk(tmp_path: Path) -> None:
    """The same script, judged with and without being there, is judged alike."""
    script = tmp_path / "clean.sh"
    row = [LabelledAction(f"bash {script}", "shell", None)]
    before = score(row)[0].decision
    script.write_text("rm -rf /\n")
    assert score(row)[0].decision == before == "confirm"


def test_the_command_line_prints_one_prediction_for_each_row(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    rows = [{"action": "rm -rf /", "kind": "shell"}, {"action": "ls", "kind": "shell"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "reactor_core.cli", "safety", "score", str(file), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"predictions": ["block", "allow"], "totals": None}
