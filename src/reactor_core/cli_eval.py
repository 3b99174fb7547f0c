"""``reactor evaluate`` and ``reactor promote``: what a model is worth, and whether another one may take its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from reactor_core.utils.command import print_json

if TYPE_CHECKING:
    from reactor_core.serving.evaluation import Report
    from reactor_core.utils.console import Narrator
    from reactor_core.utils.settings import Settings

__all__ = ["evaluate", "promote", "register_eval"]

Json = Annotated[bool, Parameter(name="--json", negative=())]


def register_eval(app: App) -> None:
    """Add both commands to a program."""
    app.command(evaluate)
    app.command(promote)


def evaluate(
    file: Path,
    *,
    adapter: str = "current",
    model: str = "smollm2-135m",
    reward: Literal["implicit", "logprob"] = "logprob",
    json: Json = False,
) -> None:
    """Measure a model on a file: accuracy of verdicts, accuracy of preferences, or perplexity.

    Parameters
    ----------
    file
        JSON lines with action, kind and label; with chosen and rejected; or any other rows that can be trained.
    adapter
        ``current``, an id from ``reactor adapters list``, a folder, or ``none`` for the untuned model.
    model
        The model below the adapter.
    reward
        For preferences: which answer is likelier (logprob), or which one gained more by training (implicit).
    json
        Print one JSON object.
    """
    from reactor_core.data.source import check_file

    check_file(file)  # before seconds of imports
    from reactor_core.serving.evaluation import measure, summary

    settings, narrator = _context()
    report = measure(file, adapter=adapter, model=model, reward=reward, settings=settings, narrator=narrator)
    if json:
        print_json(summary(report))
    else:
        _show(report)


def promote(
    candidate: str,
    rows: Path,
    *,
    model: str = "smollm2-135m",
    against: str = "current",
    trained_on: Annotated[tuple[Path, ...], Parameter(negative=())] = (),
    judge: str | None = None,
    max_new_tokens: int = 256,
    register: Annotated[bool, Parameter(negative="--dry-run")] = True,
    json: Json = False,
) -> None:
    """Compare an adapter with the untuned model and the one in use, and use it if it is shown to be better.

    A report with figures, tests and a picture is written either way. Ends with 1 when the candidate is refused.

    Parameters
    ----------
    candidate
        A run by name or a beginning of it, or the folder of a run or an adapter.
    rows
        Rows that it was not trained on, as for ``reactor evaluate``.
    model
        The model below the adapters.
    against
        ``current`` (if one is registered), an id from ``reactor adapters list``, a folder, or ``none``: what must be
        beaten besides the untuned model.
    trained_on
        A file that the candidate was trained on, where it is not at the place that its card names; may be repeated.
    judge
        A model that compares the answers to the rows' prompts; without one the rows themselves are measured.
    max_new_tokens
        Longest answer that is judged, in tokens.
    register
        Register the candidate if it is better; ``--dry-run`` only reports.
    json
        Print the report as one JSON object.
    """
    from reactor_core.data.source import check_file

    check_file(rows)  # before seconds of imports
    from reactor_core.integration import EventBridge, EventSource, EventType
    from reactor_core.serving.promotion import PromotionOptions
    from reactor_core.serving.promotion import promote as decide

    settings, narrator = _context()
    options = PromotionOptions(
        candidate=candidate,
        rows=rows,
        model=model,
        against=against,
        trained_on=trained_on,
        judge=judge,
        max_new_tokens=max_new_tokens,
        register=register,
    )
    outcome = decide(options, settings=settings, narrator=narrator)
    if outcome.entry is not None:
        with EventBridge(source=EventSource.REACTOR_CORE, workspace=settings.workspace, settings=settings) as bridge:
            facts = {"adapter": outcome.entry.entry_id, "report": str(outcome.folder)}
            bridge.publish_sync(EventType.MODEL_UPDATED, facts, 3)
    narrator.note(f"report: {outcome.folder / 'report.md'}")
    if outcome.refusal is not None:
        raise outcome.refusal
    if json:
        print_json(outcome.as_dict())
        return
    for comparison in outcome.report.comparisons:
        print(comparison.sentence())
    print("better" if outcome.entry is None else f"in use now: {outcome.entry.entry_id}")


def _show(report: Report) -> None:
    from reactor_core.eval import PerplexityReport, PreferenceReport

    if isinstance(report, PerplexityReport):
        low, high = report.interval
        tokens, bits = report.likelihood.weights.sum(), report.per_byte.estimate
        print(f"perplexity {report.perplexity:.3f} ({low:.3f} to {high:.3f}) on {tokens:.0f} tokens")
        print(f"  {bits.mean:.4f} bits per byte ({bits.low:.4f} to {bits.high:.4f}), {report.likelihood.rows} rows")
    elif isinstance(report, PreferenceReport):
        right, margin = report.accuracy.estimate, report.margin.estimate
        print(f"accuracy {right.mean:.3f} ({right.low:.3f} to {right.high:.3f}) on {report.accuracy.rows} pairs")
        print(f"  margin {margin.mean:.4f} ({margin.low:.4f} to {margin.high:.4f}), {report.reward} rewards")
    else:
        low, high = report.interval.low, report.interval.high
        print(f"accuracy {report.accuracy:.3f} ({low:.3f} to {high:.3f}) on {report.rows} rows")
        for kind, (right_answers, rows) in report.per_kind.items():
            print(f"  {kind}\t{right_answers}/{rows}")


def _context() -> tuple[Settings, Narrator]:
    from reactor_core.utils.console import Terminal
    from reactor_core.utils.settings import load_settings

    settings = load_settings()
    return settings, Terminal(no_color=settings.no_color is not None)
