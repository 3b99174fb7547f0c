"""Evaluations as plain data: what JSON output, run cards and the demo's page show."""

from __future__ import annotations

from typing import Any

from reactor_core.eval.verdicts import LABELS, VerdictReport

__all__ = ["verdict_summary"]


def verdict_summary(report: VerdictReport) -> dict[str, Any]:
    """A report as numbers, strings, lists and dicts, without the answers to single rows."""
    return {
        "rows": report.rows,
        "accuracy": report.accuracy,
        "interval": [report.interval.low, report.interval.high],
        "level": report.interval.level,
        "majority_label": report.majority_label,
        "majority_accuracy": report.majority_accuracy,
        "labels": list(LABELS),
        "confusion": [list(line) for line in report.confusion],
        "per_kind": {
            kind: {"rows": rows, "right": right, "accuracy": right / rows}
            for kind, (right, rows) in report.per_kind.items()
        },
    }
