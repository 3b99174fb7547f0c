"""Verdicts of a model, with or without an adapter, on labelled actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reactor_core.data.experience import ExperienceRow
from reactor_core.eval import VerdictReport, evaluate_verdicts
from reactor_core.serving.ask import scorer_with_progress
from reactor_core.serving.engine import load_engine
from reactor_core.utils.console import Advance
from reactor_core.utils.settings import Settings

__all__ = ["Judgement", "judge"]


@dataclass(frozen=True)
class Judgement:
    """Answers to the held-out rows and, apart, to rows of another making."""

    report: VerdictReport
    also: VerdictReport | None


def judge(
    model: str,
    adapter: Path | None,
    rows: Sequence[ExperienceRow],
    also: Sequence[ExperienceRow] | None,
    *,
    settings: Settings,
    chat_template: str | None = None,
    advance: Advance | None = None,
) -> Judgement:
    """Load a model and ask it for a verdict on every row.

    Args:
        model: Alias, hub id or folder.
        adapter: Folder of a PEFT adapter; None asks the untuned model.
        rows: Held-out rows.
        also: Rows of another making, reported apart.
        settings: Where models are kept.
        chat_template: How the question is rendered; None takes what the adapter was trained with, or else the model's
            own. An untuned model is a fair baseline only if it is asked in the tuned one's words.
        advance: Told how many rows are done.
    """
    engine = load_engine(model, adapter=adapter, chat_template=chat_template, settings=settings)
    score = scorer_with_progress(engine, len(rows) + len(also or ()), advance)
    return Judgement(
        report=evaluate_verdicts(score, rows), also=None if also is None else evaluate_verdicts(score, also)
    )
