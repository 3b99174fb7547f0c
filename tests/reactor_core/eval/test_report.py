import json
from dataclasses import dataclass

import numpy as np

from reactor_core.eval.report import verdict_summary
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
