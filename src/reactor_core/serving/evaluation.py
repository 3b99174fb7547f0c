"""Evaluating a model on a file of rows, whatever it holds: labelled actions, preferences, or answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reactor_core.data.experience import ExperienceRow, read_experience
from reactor_core.data.records import Message, Row, read_dataset
from reactor_core.errors import ConfigError, DatasetError
from reactor_core.eval import (
    Measurement,
    PerplexityReport,
    PreferenceReport,
    VerdictReport,
    evaluate_perplexity,
    evaluate_preferences,
    evaluate_verdicts,
    verdict_messages,
    verdict_summary,
)
from reactor_core.eval.perplexity import RowScorer
from reactor_core.models.adapter_folder import read_card
from reactor_core.models.quantize import Quantization
from reactor_core.serving.ask import find_adapter, scorer_with_progress
from reactor_core.serving.engine import Engine, load_engine
from reactor_core.serving.scoring import row_scorer
from reactor_core.utils.console import Advance, Narrator
from reactor_core.utils.files import sha256_file
from reactor_core.utils.settings import Settings

__all__ = [
    "EvalFile",
    "Report",
    "evaluate_rows",
    "headline",
    "measure",
    "read_eval_file",
    "summary",
    "trained_on_weights",
]

Kind = Literal["verdicts", "preferences", "answers"]

Report = VerdictReport | PreferenceReport | PerplexityReport
"""What evaluating a file gives, by the kind of its rows."""


@dataclass(frozen=True)
class EvalFile:
    """Rows to evaluate on.

    Attributes:
        path: The file.
        sha256: Hash of its bytes.
        kind: ``verdicts`` for labelled actions, ``preferences`` for rows with a chosen and a rejected answer,
            ``answers`` for everything else that can be trained.
        actions: The labelled actions; empty for other kinds.
        rows: The rows; for labelled actions the question and its answer as a conversation.
    """

    path: Path
    sha256: str
    kind: Kind
    actions: Sequence[ExperienceRow]
    rows: Sequence[Row]


def read_eval_file(path: Path | str) -> EvalFile:
    """Read a file of rows whole and tell its kind.

    Raises:
        DatasetError: A line is not valid, or some rows hold a preference and others none.
    """
    file = Path(path)
    if _holds_actions(file):
        actions = read_experience(file)
        rows = [_as_row(action, line) for line, action in enumerate(actions, start=1)]
        return EvalFile(file, sha256_file(file), "verdicts", actions, rows)
    dataset = read_dataset(file)
    rows = list(dataset.rows)
    paired = [row for row in rows if row.rejected is not None]
    if paired and len(paired) < len(rows):
        odd = next(row for row in rows if row.rejected is None)
        raise DatasetError(
            "holds no chosen and rejected answer, and other lines do", path=file, line=odd.line, remedy="use two files"
        )
    return EvalFile(file, dataset.sha256, "preferences" if paired else "answers", (), rows)


def _holds_actions(file: Path) -> bool:
    """By its first line that says anything; what is wrong with it, the readers say."""
    if not file.is_file():
        raise DatasetError("no such file", path=file, remedy="give a JSON Lines file")
    with file.open("rb") as stream:
        first = next((line for line in stream if line.strip()), b"{}")
    try:
        value = json.loads(first)
    except ValueError:
        return False
    return isinstance(value, dict) and "action" in value


def _as_row(action: ExperienceRow, line: int) -> Row:
    turns = [Message(turn["role"], turn["content"]) for turn in verdict_messages(action.action, action.kind)]
    return Row(line=line, messages=(*turns, Message("assistant", action.label)), prompt_turns=len(turns))


def evaluate_rows(
    engine: Engine, file: EvalFile, *, reference: RowScorer | None = None, advance: Advance | None = None
) -> Report:
    """Measure one model on a file.

    Args:
        engine: The model.
        file: The rows.
        reference: For preferences: scores of the model that rewards are relative to; None takes log-probabilities.
        advance: Told how far it is.

    Raises:
        ConfigError: A row is longer than the model's window.
    """
    if file.kind == "verdicts":
        return evaluate_verdicts(scorer_with_progress(engine, len(file.actions), advance), file.actions)
    if file.kind == "preferences":
        scorer = row_scorer(engine, total=2 * len(file.rows), advance=advance)
        return evaluate_preferences(scorer, file.rows, reference=reference)
    return evaluate_perplexity(row_scorer(engine, total=len(file.rows), advance=advance), file.rows)


def measure(
    path: Path,
    *,
    adapter: str,
    model: str,
    settings: Settings,
    narrator: Narrator,
    reward: Literal["implicit", "logprob"] = "logprob",
) -> Report:
    """Measure an adapter on a file, by what the file holds.

    Args:
        path: The file.
        adapter: As for :func:`~reactor_core.serving.ask.find_adapter`.
        model: Alias, hub id or folder of the base model.
        settings: Where models and adapters are kept.
        narrator: Whom to tell.
        reward: For preferences: ``logprob`` asks which answer the model finds likelier, ``implicit`` which one gained
            more by training, compared with the model without the adapter.

    Raises:
        DatasetError: A line of the file is not valid.
        NotFound: As for :func:`~reactor_core.serving.ask.find_adapter`.
        ConfigError: A row is longer than the model's window, or an untuned model is to be compared with itself.
    """
    file = read_eval_file(path)
    folder = find_adapter(adapter, settings)
    implicit = file.kind == "preferences" and reward == "implicit"
    if implicit and folder is None:
        raise ConfigError("an untuned model has no implicit reward: it is its own reference", remedy="reward=logprob")
    with narrator.step("Load the model"):
        engine = load_engine(model, adapter=folder, settings=settings)
    reference = None
    if implicit:
        untuned = load_engine(
            model, chat_template=engine.chat.template, quantization=trained_on_weights(folder), settings=settings
        )
        reference = row_scorer(untuned)
    with narrator.step(f"Evaluate {len(file.rows)} rows") as advance:
        return evaluate_rows(engine, file, reference=reference, advance=advance)


def trained_on_weights(adapter: Path | None) -> Quantization | None:
    """How the base was kept while an adapter was trained, as its card says; None for full weights, or nobody said."""
    card = None if adapter is None else read_card(adapter)
    kept: Quantization | None = None if card is None else card["config"].get("quantization")
    return kept


def headline(report: Report) -> Measurement:
    """The one measurement that a report is compared by."""
    if isinstance(report, VerdictReport):
        return report.measurement()
    return report.accuracy if isinstance(report, PreferenceReport) else report.likelihood


def summary(report: Report) -> dict[str, Any]:
    """A report as plain data for JSON, with ``kind``."""
    if isinstance(report, VerdictReport):
        return {"kind": "verdicts", **verdict_summary(report)}
    kind = "preferences" if isinstance(report, PreferenceReport) else "answers"
    return {"kind": kind, **report.as_dict()}
