"""Telling a sink of a run that has ended: what it missed, or all of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reactor_core.errors import TrainingError
from reactor_core.training.hooks import RunInfo
from reactor_core.training.report.hook import ReportHook
from reactor_core.utils.settings import Settings

__all__ = ["report_run"]


def report_run(folder: Path, sinks: Sequence[str], settings: Settings, *, patience: float = 300.0) -> dict[str, Any]:
    """Tell sinks of a finished run. Steps that they have are not told again.

    Args:
        folder: The run's.
        sinks: Names, as in ``TrainingConfig.report_to``.
        settings: Where workspace, project and the sinks' own places come from.
        patience: Seconds to wait for all of them.

    Returns:
        How each stands: ``{name: {"where", "step", "missing", "failures", "error"}}``.

    Raises:
        MissingExtra: A sink's library is not installed.
        TrainingError: The run is not finished.
    """
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(
            f"{folder} is not a finished run", remedy="train it to its end with report_to: sinks then get all of it"
        ) from None
    hook = ReportHook(sinks, settings, patience=patience)
    steps = int(card["metrics"]["steps"])
    hook.on_start(
        RunInfo(
            run_id=card["run_id"],
            run_dir=folder,
            model=card["base"]["name"],
            rows=card["dataset"]["rows"],
            total_steps=steps,
            step=steps,
            max_seconds=None,
            dataset_hash=card["dataset"]["sha256"],
        )
    )
    told: dict[str, Any] = hook.card_facts()["report"]
    hook.on_end(None)
    return told
