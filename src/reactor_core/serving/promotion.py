"""From a candidate to the adapter in use: compared on the same rows, reported, registered only if it is better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reactor_core.data.records import Row, read_dataset
from reactor_core.errors import ConfigError, DatasetError, NotFound, PromotionRefused
from reactor_core.eval import (
    Comparison,
    Measurement,
    Promotion,
    VerdictReport,
    WinReport,
    choice_judge,
    compare,
    compare_duels,
    evaluate_duels,
    find_overlaps,
)
from reactor_core.eval.perplexity import RowScorer
from reactor_core.eval.promotion import ALPHA, NotBetter
from reactor_core.eval.report import DecisionReport, write_decision
from reactor_core.eval.verdicts import ACCURACY, Messages
from reactor_core.models.adapter_folder import hash_adapter, read_card
from reactor_core.serving.ask import find_adapter, scorer_with_progress
from reactor_core.serving.engine import Engine, load_engine
from reactor_core.serving.evaluation import (
    EvalFile,
    Report,
    evaluate_rows,
    headline,
    read_eval_file,
    summary,
    trained_on_weights,
)
from reactor_core.serving.registry import AdapterEntry, AdapterRegistry
from reactor_core.serving.scoring import row_scorer
from reactor_core.training.history import find_run
from reactor_core.utils.clock import SystemClock, to_iso
from reactor_core.utils.console import Narrator
from reactor_core.utils.files import sha256_file
from reactor_core.utils.ids import new_run_id
from reactor_core.utils.settings import Settings

__all__ = ["Outcome", "PromotionOptions", "find_candidate", "promote", "require_unseen"]


@dataclass(frozen=True, kw_only=True)
class PromotionOptions:
    """What to compare, and how."""

    candidate: str
    """A run by name or a beginning of it, a run's folder, or an adapter's."""
    rows: Path
    """File to compare on: labelled actions, preferences, or answers; none of it was trained on."""
    model: str
    """Alias, hub id or folder of the base model."""
    against: str = "current"
    """What must be beaten besides the untuned model: ``current`` (nothing if nothing is registered yet), a registered
    id, a folder, or ``none``."""
    trained_on: tuple[Path, ...] = ()
    """Files that the candidate was trained on, where they are no longer at the places that its card names, or where it
    has no card."""
    judge: str | None = None
    """A model (alias, hub id or folder) that compares the answers to the rows' prompts; None measures the rows."""
    max_new_tokens: int = 256
    """Longest answer that is judged, in tokens."""
    register: bool = True
    """Register the candidate and use it if it is better; False only reports."""


@dataclass(frozen=True)
class Outcome:
    """What was decided.

    Attributes:
        report: Everything that the decision rests on.
        folder: Where ``report.json``, ``report.md`` and ``report.png`` are.
        entry: The registered adapter; None if it was refused or only a report was asked for.
        refusal: The error to raise where the candidate was refused; None if it passed.
    """

    report: DecisionReport
    folder: Path
    entry: AdapterEntry | None
    refusal: PromotionRefused | None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        entry = None if self.entry is None else self.entry.entry_id
        return {**self.report.as_dict(), "report": str(self.folder), "entry": entry}


def promote(options: PromotionOptions, *, settings: Settings, narrator: Narrator) -> Outcome:
    """Compare a candidate with the untuned model and the adapter in use, write the report, and register the winner.

    All are asked on the same rows, the untuned model in the words that the candidate was trained with. Of preferences
    the implicit reward is compared: what each adapter has learned beyond the untuned model.

    Returns:
        The outcome; its ``refusal`` is to be raised by who wants an error.

    Raises:
        NotFound: There is no such run, folder or registered adapter.
        DatasetError: The rows are not valid, or some were trained on.
        PromotionRefused: What the candidate was trained on is not known or not there any more.
        ConfigError: An option does not fit, or a row is longer than the model's window.
        ArtifactCorrupt: An adapter belongs to another base model.
    """
    folder = find_candidate(options.candidate, settings)
    file = read_eval_file(options.rows)
    trained = require_unseen(file, folder, options)
    rivals: dict[str, Path | None] = {"untuned": None}
    incumbent = _incumbent(options.against, settings)
    if incumbent is not None:
        rivals[options.against] = incumbent
    entrants = _Entrants(folder, rivals, options, settings, narrator)
    if options.judge is None:
        measurements, comparisons, evaluation = _by_rows(file, entrants)
    else:
        measurements, comparisons, evaluation = _by_judge(options.judge, file, entrants)
    refusal: NotBetter | None = None
    promotion: Promotion | None = None
    try:
        promotion = Promotion(rows=len(file.rows), comparisons=comparisons)
    except NotBetter as error:
        refusal = error
    facts = {
        "candidate": str(folder),
        "candidate_sha256": hash_adapter(folder),
        "model": options.model,
        "rows_file": str(file.path),
        "rows_sha256": file.sha256,
        "rows_kind": file.kind,
        "trained_on": trained,
        "alpha": ALPHA,
        "judge": options.judge,
        "created": to_iso(SystemClock().utc_now()),
    }
    report = DecisionReport(
        promoted=promotion is not None,
        reason=None if refusal is None else refusal.message,
        facts=facts,
        measurements=measurements,
        comparisons=comparisons,
    )
    place = settings.workspace / "evaluations" / new_run_id("promote")
    write_decision(report, place)
    entry = None
    if promotion is not None and options.register:
        evidence = {**evaluation, **facts, "report": str(place.resolve())}
        entry = AdapterRegistry(settings.workspace).register(folder, evidence, promotion)
    return Outcome(report, place, entry, refusal)


def find_candidate(name: str, settings: Settings) -> Path:
    """The adapter's folder of a run, by the run's name or folder, or as a folder itself.

    Raises:
        NotFound: There is none.
    """
    for folder in (Path(name), Path(name) / "adapter"):
        if (folder / "adapter_config.json").is_file():
            return folder
    folder = find_run(settings.workspace, name) / "adapter"
    if not folder.is_dir():
        raise NotFound(f"run {name!r} has no adapter", remedy="let it end; a run of all weights has none to register")
    return folder


def require_unseen(file: EvalFile, candidate: Path, options: PromotionOptions) -> list[str]:
    """Refuse rows that the candidate, or an adapter that it started from, was trained on; or by which its best
    checkpoint was chosen.

    Returns:
        The files that were looked through.

    Raises:
        PromotionRefused: It is not known what was trained on, or the file is not there as it was.
        DatasetError: A row was seen.
    """
    by: Literal["prompt", "row"] = "prompt" if file.kind == "verdicts" or options.judge is not None else "row"
    looked = []
    for path in dict.fromkeys(_seen_files(candidate, options.trained_on)):
        overlaps = find_overlaps(file.rows, read_dataset(path).rows, by=by)
        if overlaps:
            raise DatasetError(
                f"{len(overlaps)} of {len(file.rows)} rows were seen in training, this one as line "
                f"{overlaps[0].seen_line} of {path}",
                path=file.path,
                line=overlaps[0].line,
                remedy="compare on rows that the candidate has not seen",
            )
        looked.append(str(path))
    return looked


def _seen_files(adapter: Path, given: Sequence[Path]) -> Iterator[Path]:
    """Files that an adapter and those that it started from have seen, each as it was."""
    card = read_card(adapter)
    if card is None:
        if not given:
            raise PromotionRefused(
                f"{adapter} has no card, so nobody can say that these rows are new to it",
                remedy="name the file that it was trained on: --trained-on FILE",
            )
        yield from given
        return
    yield _as_it_was(card["dataset"], given, adapter)
    if card.get("held_out") is not None and card["config"]["keep_best"]:
        yield _as_it_was(card["held_out"], given, adapter)
    parent = card.get("parent")
    if parent is not None:
        yield from _seen_files(Path(parent["path"]), given)


def _as_it_was(dataset: Mapping[str, Any], given: Sequence[Path], adapter: Path) -> Path:
    """The file of a card's dataset: where it was, or among those that were given."""
    for path in (Path(dataset["path"]), *given):
        if path.is_file() and sha256_file(path) == dataset["sha256"]:
            return path
    raise PromotionRefused(
        f"{dataset['path']}, which {adapter} was trained on, is gone or has changed since, so nobody can say that "
        "these rows are new to it",
        remedy="give the file as it was: --trained-on FILE",
    )


def _incumbent(name: str, settings: Settings) -> Path | None:
    if name == "current" and AdapterRegistry(settings.workspace).current() is None:
        return None
    return find_adapter(name, settings)


class _Entrants:
    """The models to compare, one in memory at a time: the untuned one first, the candidate last."""

    def __init__(
        self,
        candidate: Path,
        rivals: Mapping[str, Path | None],
        options: PromotionOptions,
        settings: Settings,
        narrator: Narrator,
    ) -> None:
        self.names = [*rivals, "candidate"]
        self.options, self.settings, self.narrator = options, settings, narrator
        self._folders = {**rivals, "candidate": candidate}
        stored = candidate / "chat_template.jinja"
        # An untuned model is a fair rival only if it is asked in the tuned one's words, on the tuned one's weights.
        self._template = str(stored) if stored.is_file() else None
        self._quantization = trained_on_weights(candidate)

    def load(self, name: str) -> Engine:
        folder = self._folders[name]
        with self.narrator.step(f"Load the {name} model"):
            return load_engine(
                self.options.model,
                adapter=folder,
                chat_template=self._template if folder is None else None,
                quantization=self._quantization if folder is None else "as trained",
                settings=self.settings,
            )


_Evidence = tuple[dict[str, Measurement], tuple[Comparison, ...], dict[str, Any]]


def _by_rows(file: EvalFile, entrants: _Entrants) -> _Evidence:
    reports: dict[str, Report] = {}
    reference: RowScorer | None = None
    for name in entrants.names:
        engine = entrants.load(name)
        if file.kind == "preferences" and name == "untuned":
            reference = _remembered(row_scorer(engine), file.rows)
        with entrants.narrator.step(f"Evaluate the {name} model") as advance:
            reports[name] = evaluate_rows(engine, file, reference=reference, advance=advance)
        del engine
    measured = {name: headline(report) for name, report in reports.items()}
    best = reports["candidate"]
    if isinstance(best, VerdictReport):
        mine = measured["candidate"]
        measured["majority"] = Measurement.of(
            ACCURACY, best.majority_correct, rows=mine.rows_hash, clusters=mine.clusters
        )
    candidate = measured.pop("candidate")
    try:
        comparisons = tuple(compare(candidate, other, baseline=name) for name, other in measured.items())
    except ValueError as error:
        raise ConfigError(f"the models cannot be compared on these rows: {error}", remedy="--against none") from error
    return {"candidate": candidate, **measured}, comparisons, {**summary(best), **candidate.as_dict()}


def _remembered(scorer: RowScorer, rows: Sequence[Row]) -> RowScorer:
    """The scores of both answers of every row, asked once."""
    both = [answer for row in rows for answer in (row, row.rejected) if answer is not None]
    scores = scorer(both)
    return lambda _: scores


def _by_judge(judge: str, file: EvalFile, entrants: _Entrants) -> _Evidence:
    if file.kind == "verdicts":
        raise ConfigError("labelled actions have right answers; no judge is needed", remedy="leave out --judge")
    if any(not row.messages for row in file.rows):
        raise ConfigError("plain text has no prompt to answer", remedy="give conversations, or leave out --judge")
    prompts = [_prompt(row) for row in file.rows]
    answers: dict[str, list[str]] = {}
    for name in entrants.names:
        engine = entrants.load(name)
        with entrants.narrator.step(f"Let the {name} model answer {len(prompts)} prompts") as advance:
            answers[name] = []
            for number, prompt in enumerate(prompts):
                answers[name].append(engine.generate(prompt, max_new_tokens=entrants.options.max_new_tokens))
                advance(f"{number + 1} of {len(prompts)}", (number + 1) / len(prompts))
        del engine
    rivals = [name for name in entrants.names if name != "candidate"]
    with entrants.narrator.step(f"Load the judge {judge}"):
        engine = load_engine(judge, settings=entrants.settings)
    with entrants.narrator.step("Judge the answers") as advance:
        scorer = scorer_with_progress(engine, 2 * len(prompts) * len(rivals), advance)
        reports: dict[str, WinReport] = {
            name: evaluate_duels(choice_judge(scorer), prompts, answers["candidate"], answers[name]) for name in rivals
        }
    comparisons = tuple(compare_duels(report, baseline=name) for name, report in reports.items())
    measured = {f"candidate against {name}": report.score for name, report in reports.items()}
    return measured, comparisons, {"kind": file.kind, **reports["untuned"].as_dict()}


def _prompt(row: Row) -> Messages:
    """The conversation up to the first answer that is the assistant's to give."""
    first = next(n for n, turn in enumerate(row.messages) if turn.role == "assistant" and n >= row.prompt_turns)
    return [{"role": turn.role, "content": turn.content} for turn in row.messages[:first]]
