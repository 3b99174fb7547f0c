"""``reactor safety score``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from reactor_core.safety.scoring import read_labelled, score_line, totals
from reactor_core.safety.scoring import score as score_rows
from reactor_core.utils.command import print_json

__all__ = ["score"]

Flag = Annotated[bool, Parameter(negative=())]


def score(file: Path, *, errors: Flag = False, json: Flag = False) -> None:
    """Judge each row of a file.

    Parameters
    ----------
    file
        JSON Lines; each row an object with "action" and "kind", and perhaps "label".
    errors
        Show each row that is decided otherwise than its label.
    json
        Print one JSON object: "predictions" in the order of the rows, and "totals" (null without labels).
    """
    rows = read_labelled(file)
    scored = score_rows(rows)
    labelled = any(row.label is not None for row in rows)
    figures = totals(scored) if labelled else None
    if json:
        print_json({"predictions": [one.decision for one in scored], "totals": figures})
        return
    for one in scored:
        if not labelled:
            print(f"{one.decision}\t{one.row.kind}\t{one.row.action!r}")
        elif errors and one.row.label not in (None, one.decision):
            rules = ", ".join(one.rules) or "nothing found"
            print(f"{one.row.label} -> {one.decision}\t{one.row.kind}\t{one.row.action!r}\t{rules}")
    if figures is not None:
        for kind, part in figures["kinds"].items():
            print(score_line(kind, part))
        print(score_line("all", figures))
