"""Evaluations as plain data, Markdown and a picture: what JSON output, run cards and the demo's page show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reactor_core.eval.measurement import Measurement
from reactor_core.eval.plots import plot_decision
from reactor_core.eval.promotion import Comparison
from reactor_core.eval.verdicts import LABELS, VerdictReport
from reactor_core.utils.files import atomic_write

__all__ = ["DecisionReport", "verdict_summary", "write_decision"]


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


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """A decision on a candidate, with everything it rests on.

    Attributes:
        promoted: Whether the candidate was shown to be better.
        reason: Why not, or None.
        facts: What was compared on which rows: plain data, shown as a table.
        measurements: Name of the model -> its measurement, the candidate first.
        comparisons: The paired tests.
    """

    promoted: bool
    reason: str | None
    facts: Mapping[str, Any]
    measurements: Mapping[str, Measurement]
    comparisons: tuple[Comparison, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "promoted": self.promoted,
            "reason": self.reason,
            **self.facts,
            "measurements": {name: measured.as_dict() for name, measured in self.measurements.items()},
            "comparisons": [comparison.as_dict() for comparison in self.comparisons],
        }

    def as_markdown(self, *, picture: str | None = None) -> str:
        """A page.

        Args:
            picture: Path of the picture, as the page is to link it; None leaves it out.
        """
        lines = ["# Promoted" if self.promoted else "# Not promoted", ""]
        if self.reason is not None:
            lines += [self.reason, ""]
        lines += ["| what | value |", "|---|---|"]
        lines += [f"| {name.replace('_', ' ')} | {_cell(value)} |" for name, value in self.facts.items()]
        lines += ["", "| model | metric | value | 95 % interval | rows | prompts |", "|---|---|---|---|---|---|"]
        for name, measured in self.measurements.items():
            low, high = measured.estimate.low, measured.estimate.high
            lines.append(
                f"| {name} | {measured.metric.name} ({measured.metric.unit}) | {measured.estimate.mean:.4f} "
                f"| {low:.4f} to {high:.4f} | {measured.rows} | {len(set(measured.clusters))} |"
            )
        lines += [
            "",
            "| against | gain | 95 % interval | gained, lost | test | p | better |",
            "|---|---|---|---|---|---|---|",
        ]
        for each in self.comparisons:
            test = each.test
            lines.append(
                f"| {each.baseline} | {test.gain.mean:+.4f} | {test.gain.low:+.4f} to {test.gain.high:+.4f} "
                f"| {test.gained}, {test.lost} | {test.name} | {test.p_value:.3g} | {'yes' if each.better else 'no'} |"
            )
        lines += ["", "A gain above 0 means that the candidate is better, whichever direction the metric has.", ""]
        lines += [f"- Against {each.baseline}, {each.power_note()}." for each in self.comparisons]
        if picture is not None:
            lines += ["", f"![Values and gains with their intervals]({picture})"]
        return "\n".join(lines) + "\n"


def write_decision(report: DecisionReport, folder: Path) -> None:
    """Write ``report.json``, ``report.md`` and ``report.png`` into a folder.

    Raises:
        StorageError: A file cannot be written.
    """
    atomic_write(folder / "report.png", plot_decision(report.measurements, report.comparisons))
    atomic_write(folder / "report.md", report.as_markdown(picture="report.png"))
    atomic_write(folder / "report.json", json.dumps(report.as_dict(), indent=2, allow_nan=False) + "\n")


def _cell(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
