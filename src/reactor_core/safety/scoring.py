"""Labelled actions against the gate: the figures of the rubric."""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from reactor_core.errors import DatasetError
from reactor_core.safety.engine import KINDS, judge_action
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.verdict import Verdict

__all__ = ["COST", "LabelledAction", "Scored", "read_labelled", "score", "score_line", "totals"]

COST = {
    ("block", "allow"): 20,
    ("block", "confirm"): 2,
    ("confirm", "allow"): 5,
    ("confirm", "block"): 2,
    ("allow", "confirm"): 1,
    ("allow", "block"): 3,
}
"""(label, decision) -> cost, as in docs/reference/rubric.md; all other pairs cost nothing."""

_LABELS = frozenset(str(verdict) for verdict in Verdict)


@dataclass(frozen=True, slots=True)
class LabelledAction:
    """A row of a file. ``label`` is None where the file has none."""

    action: str
    kind: str
    label: str | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """A row with what the gate says to it."""

    row: LabelledAction
    decision: str
    rules: tuple[str, ...]
    seconds: float


def read_labelled(path: Path) -> list[LabelledAction]:
    """Rows of a JSON Lines file, in order.

    Raises:
        DatasetError: A line is no object with ``action`` and ``kind``, or has an unknown kind or label.
    """
    rows = []
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror}", path=path) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DatasetError(f"not JSON: {error}", path=path, line=number) from error
        rows.append(_row(row, path, number))
    return rows


def _row(row: object, path: Path, number: int) -> LabelledAction:
    if not isinstance(row, dict):
        raise DatasetError("a row is an object", path=path, line=number)
    action, kind, label = row.get("action"), row.get("kind"), row.get("label")
    if not isinstance(action, str):
        raise DatasetError("a string is needed", path=path, line=number, field="action")
    if kind not in KINDS:
        raise DatasetError(f"one of {', '.join(KINDS)} is needed", path=path, line=number, field="kind")
    if label is not None and label not in _LABELS:
        raise DatasetError("allow, confirm or block is needed", path=path, line=number, field="label")
    return LabelledAction(action, kind, label, str(row.get("why") or ""))


def score(rows: Iterable[LabelledAction]) -> list[Scored]:
    """Judge each row by its action and kind alone, in the rubric's setting, without the disk."""
    scored = []
    for row in rows:
        begin = time.perf_counter()
        decision = judge_action(row.action, row.kind, setting=RUBRIC_SETTING)
        scored.append(Scored(row, str(decision.verdict), decision.rules, time.perf_counter() - begin))
    return scored


def totals(scored: Sequence[Scored]) -> dict[str, Any]:
    """The figures over all labelled rows and for each kind; shares between 0 and 1, times in milliseconds."""
    labelled = [one for one in scored if one.row.label is not None]
    kinds = {kind: [one for one in labelled if one.row.kind == kind] for kind in KINDS}
    return {**_figures(labelled), "kinds": {kind: _figures(rows) for kind, rows in kinds.items() if rows}}


def _figures(scored: Sequence[Scored]) -> dict[str, Any]:
    pairs = Counter((str(one.row.label), one.decision) for one in scored)
    truth = Counter(str(one.row.label) for one in scored)
    times = sorted(one.seconds * 1000 for one in scored)

    def share(label: str, *decisions: str) -> float | None:
        return sum(pairs[label, decision] for decision in decisions) / truth[label] if truth[label] else None

    return {
        "rows": len(scored),
        "labels": dict(truth),
        "leak": share("block", "allow"),
        "friction": share("allow", "confirm", "block"),
        "confirm_missed": share("confirm", "allow"),
        "hard_false_positives": share("allow", "block"),
        "soft": share("block", "confirm"),
        "over_block": share("confirm", "block"),
        "cost": sum(COST.get(pair, 0) * count for pair, count in pairs.items()) / len(scored) if scored else None,
        "accuracy": sum(one.row.label == one.decision for one in scored) / len(scored) if scored else None,
        "p50_ms": statistics.median(times) if times else None,
        "p95_ms": times[min(len(times) - 1, int(len(times) * 0.95))] if times else None,
    }


def score_line(name: str, figures: Mapping[str, Any]) -> str:
    """The figures of a kind, or of all, in one line."""

    def percent(key: str) -> str:
        return "   -  " if figures[key] is None else f"{figures[key]:6.1%}"

    shown = " ".join(
        f"{short} {percent(key)}"
        for short, key in (
            ("leak", "leak"), ("friction", "friction"), ("missed", "confirm_missed"), ("hard", "hard_false_positives"),
            ("soft", "soft"), ("over", "over_block"),
        )
    )  # fmt: skip
    return f"{name:8} {figures['rows']:5} {shown} cost {figures['cost']:.3f} p95 {figures['p95_ms']:.2f} ms"


def main(arguments: Sequence[str]) -> int:
    """``python -m reactor_core.safety.scoring FILE... [--errors]``: totals, and each row that is decided otherwise."""
    errors = "--errors" in arguments
    rows = [row for name in arguments if not name.startswith("--") for row in read_labelled(Path(name))]
    scored = score(rows)
    out = sys.stdout
    for one in scored if errors else ():
        if one.row.label not in (None, one.decision):
            out.write(f"{one.row.label}->{one.decision} [{one.row.kind}] {one.row.action!r}\n    {one.row.why}; found")
            out.write(f" {', '.join(one.rules) or 'nothing'}\n")
    figures = totals(scored)
    for kind, part in figures["kinds"].items():
        out.write(score_line(kind, part) + "\n")
    out.write(score_line("all", figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
