"""One turn of the loop: record, read back, train, evaluate, register, ask, generate, regenerate, report.

Every step does its work on real weights, real frames and the workspace's own journal, and every artefact names the
run, the events and the parent it came from. A step that fails ends the run with a typed error.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from reactor_core.cost.prices import machine_price
from reactor_core.data.experience import ExperienceDataset, ExperienceRow, read_experience, write_dataset
from reactor_core.demo.clip import run_clip_step
from reactor_core.demo.experience_log import DECISION_TYPES, TIME_RANGE, find_log, publish_log
from reactor_core.demo.judge import Judgement, judge
from reactor_core.demo.page import render_page
from reactor_core.demo.questions import unseen_question
from reactor_core.demo.recipe import MODEL, demo_config, full_config
from reactor_core.demo.summary import Foreign, Scores, Step, Summary, Trained
from reactor_core.errors import JournalError
from reactor_core.eval import LABELS, Promotion, VerdictReport, decide, verdict_messages, verdict_summary
from reactor_core.integration import EventBridge, EventSource, EventType
from reactor_core.models import ModelEntry, pull_model
from reactor_core.serving.registry import AdapterRegistry
from reactor_core.training.config import TrainingConfig
from reactor_core.training.hooks import EventHook
from reactor_core.training.progress import ProgressHook
from reactor_core.training.trainer import Trainer, TrainingResult
from reactor_core.utils.console import Advance, Narrator
from reactor_core.utils.environment import GIB, Environment, detect_environment, probe_machine
from reactor_core.utils.files import atomic_write, sha256_file
from reactor_core.utils.ids import new_run_id
from reactor_core.utils.settings import Settings

__all__ = ["DemoOptions", "Material", "run_demo"]


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """What a caller may choose."""

    full: bool = False
    """Train on every row instead of for at most 150 s."""
    also: Path | None = None
    """Further labelled actions to report the accuracy on."""
    seed: int = 0
    """Of training and of the clip."""
    source: Literal["wheel", "hub"] = "wheel"
    """Where the model comes from."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """What the loop works on."""

    model: str
    """Alias, hub id or folder of the base model."""
    config: TrainingConfig
    """How the adapter is trained."""
    pool: Path
    """Experience file that is recorded and trained on."""
    heldout: Path
    """Experience file that the model is judged by."""

    @classmethod
    def shipped(cls, options: DemoOptions) -> Material:
        """The model, recipe and experience log that come with this distribution."""
        make = full_config if options.full else demo_config
        return cls(
            model=MODEL,
            config=make(seed=options.seed),
            pool=find_log("pool.jsonl"),
            heldout=find_log("heldout.jsonl"),
        )


@dataclass
class _Run:
    """The run so far: where it writes, whom it tells, what each step took."""

    run_id: str
    folder: Path
    options: DemoOptions
    material: Material
    settings: Settings
    narrator: Narrator
    bridge: EventBridge
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, title: str) -> Iterator[Advance]:
        """Show, time and remember one step."""
        started = time.monotonic()
        with self.narrator.step(title) as advance:
            yield advance
        self.steps.append(Step(name=title, seconds=time.monotonic() - started))


def run_demo(
    options: DemoOptions, settings: Settings, narrator: Narrator, *, material: Material | None = None
) -> Summary:
    """Run the main job in the workspace that the settings name.

    A run that was stopped goes on where it was when it is started again: the model is not fetched twice, events are
    not recorded twice, and training resumes from its newest checkpoint.

    Args:
        options: What the caller chose.
        settings: Workspace, cache and price.
        narrator: Whom to tell.
        material: What to work on; None takes what is shipped.

    Raises:
        ReactorError: A step failed; the message says which and what to do. Nothing is reported as done that was not.
    """
    started = time.monotonic()
    material = material or Material.shipped(options)
    heldout = read_experience(material.heldout)
    also_rows = None if options.also is None else read_experience(options.also)
    environment = detect_environment(probe_machine())
    probes = environment.probes
    price = machine_price(
        vcpus=probes.usable_cpus,
        memory_bytes=probes.memory_bytes,
        cuda_devices=probes.cuda_devices,
        usd_per_hour=settings.machine_price_usd_per_hour,
    )
    for reason in environment.reasons:
        narrator.note(f"  {reason}")
    run_id = new_run_id("demo")
    with EventBridge(source=EventSource.REACTOR_CORE, workspace=settings.workspace, settings=settings) as bridge:
        run = _Run(run_id, settings.workspace / "runs" / run_id, options, material, settings, narrator, bridge)
        model = _fetch(run)
        pool = _record(run)
        dataset = _read_back(run)
        before = _judge(run, "Judge before training", None, heldout, also_rows)
        result = _train(run, dataset)
        after = _judge(run, "Judge after training", result.adapter_dir, heldout, also_rows)
        promotion = decide(after.report, before.report)
        evaluation = {
            **verdict_summary(after.report),
            "run_id": run_id,
            "heldout_sha256": sha256_file(material.heldout),
            "dataset_sha256": dataset.sha256,
            "event_range": _positions(dataset),
        }
        entry = AdapterRegistry(settings.workspace).register(result.adapter_dir, evaluation, promotion)
        bridge.publish_sync(EventType.MODEL_UPDATED, {"adapter": entry.entry_id, "run_id": run_id}, 3)
        question, answer = _ask(run, result.adapter_dir, [*pool, *heldout])
        clip = run_clip_step(run_id, options.seed, settings, bridge, run.step)
        with run.step("Verify the journal"):
            chain = bridge.verify()
        if not chain.ok:
            raise JournalError(f"the journal's chain does not verify: {chain.detail}")
    seconds = time.monotonic() - started
    summary = Summary(
        run_id=run_id,
        mode="full" if options.full else "timed",
        seed=options.seed,
        machine=_machine(environment),
        model_name=model.name,
        model_source=f"{model.source} ({model.origin})",
        model_sha256=model.weights_hash,
        dataset_hash=dataset.sha256,
        event_range=_positions(dataset),
        heldout_rows=len(heldout),
        heldout_sha256=sha256_file(material.heldout),
        majority_accuracy=after.report.majority_accuracy,
        before=_scores(before.report),
        after=_scores(after.report),
        p_untuned=_p_value(promotion, "untuned"),
        p_majority=_p_value(promotion, "majority"),
        labels=LABELS,
        also=_foreign(options.also, before, after),
        trained=_trained(result, dataset),
        adapter_dir=result.adapter_dir.absolute(),
        adapter_id=entry.entry_id,
        question=question,
        answer=answer,
        clip=clip,
        price=price.describe(),
        cost_nano_usd=price.cost(seconds),
        events=chain.events,
        chain_verified=chain.ok,
        chain_head=chain.head,
        steps=tuple(run.steps),
        seconds=seconds,
        report_path=(run.folder / "report.html").absolute(),
    )
    _write(summary, result)
    return summary


def _fetch(run: _Run) -> ModelEntry:
    model = run.material.model
    with run.step(f"Fetch {Path(model).name}") as advance:
        return pull_model(
            model,
            source=None if Path(model).is_dir() else run.options.source,
            settings=run.settings,
            progress=lambda stage, done, total: advance(stage, done / total if total else None),
        )


def _record(run: _Run) -> list[ExperienceRow]:
    pool = read_experience(run.material.pool)
    with run.step("Record the experience log") as advance:
        fresh, known = asyncio.run(
            publish_log(run.bridge, pool, lambda done, total: advance(f"{done} of {total}", done / total))
        )
    run.narrator.note(f"  {fresh} events recorded, {known} were there")
    return pool


def _read_back(run: _Run) -> ExperienceDataset:
    with run.step("Read the journal back"):
        events = run.bridge.get_events_by_type_sync(list(DECISION_TYPES), time_range=TIME_RANGE)
        dataset = write_dataset(events, run.settings.workspace / "datasets" / "verdicts.jsonl", verdict_messages)
    run.narrator.note(f"  {dataset.rows} rows from events {dataset.first_seq} to {dataset.last_seq}")
    return dataset


def _judge(
    run: _Run, title: str, adapter: Path | None, heldout: list[ExperienceRow], also: list[ExperienceRow] | None
) -> Judgement:
    with run.step(title) as advance:
        judgement = judge(
            run.material.model,
            adapter,
            heldout,
            also,
            settings=run.settings,
            chat_template=run.material.config.chat_template,
            advance=advance,
        )
    report = judgement.report
    run.narrator.note(
        f"  accuracy {report.accuracy:.3f} ({report.interval.low:.3f} to {report.interval.high:.3f}), "
        f"majority class {report.majority_accuracy:.3f}"
    )
    return judgement


def _train(run: _Run, dataset: ExperienceDataset) -> TrainingResult:
    with run.step("Fine-tune") as advance:
        hooks = (EventHook(run.bridge), ProgressHook(advance))
        result = Trainer(run.material.config, hooks=hooks, settings=run.settings).train(dataset.path)
    run.narrator.note(
        f"  {result.rows_trained} of {dataset.rows} rows, {result.tokens_per_second:,.0f} tokens/s, "
        f"loss {result.first_loss:.3f} → {result.final_loss:.3f}"
    )
    return result


def _ask(run: _Run, adapter: Path, known: list[ExperienceRow]) -> tuple[str, str]:
    row = unseen_question(known)
    with run.step("Ask about an action it has not seen"):
        judgement = judge(run.material.model, adapter, [row], None, settings=run.settings)
    answer = judgement.report.predictions[0]
    run.narrator.note(f"  {row.action}  →  {answer}")
    return row.action, answer


def _machine(environment: Environment) -> str:
    probes = environment.probes
    return (
        f"{probes.system} {probes.machine}, {probes.usable_cpus} processors, "
        f"{probes.memory_bytes / GIB:.0f} GiB, {environment.device}"
    )


def _positions(dataset: ExperienceDataset) -> tuple[int, int]:
    assert dataset.first_seq is not None, "events read from a journal have positions"
    assert dataset.last_seq is not None, "events read from a journal have positions"
    return dataset.first_seq, dataset.last_seq


def _scores(report: VerdictReport) -> Scores:
    return Scores(
        accuracy=report.accuracy,
        interval=(report.interval.low, report.interval.high),
        confusion=report.confusion,
        per_kind={kind: right / rows for kind, (right, rows) in report.per_kind.items()},
    )


def _foreign(path: Path | None, before: Judgement, after: Judgement) -> Foreign | None:
    if path is None or before.also is None or after.also is None:
        return None
    return Foreign(path=str(path), rows=after.also.rows, before=_scores(before.also), after=_scores(after.also))


def _p_value(promotion: Promotion, baseline: str) -> float:
    return next(each.test.p_value for each in promotion.comparisons if each.baseline == baseline)


def _trained(result: TrainingResult, dataset: ExperienceDataset) -> Trained:
    return Trained(
        rows=result.rows_trained,
        pool_rows=dataset.rows,
        tokens=result.tokens_trained,
        seconds=result.seconds,
        tokens_per_second=result.tokens_per_second,
        peak_memory_bytes=result.peak_memory_bytes,
        steps=result.steps,
        first_loss=result.first_loss,
        final_loss=result.final_loss,
        stopped=result.stopped,
    )


def _write(summary: Summary, result: TrainingResult) -> None:
    strips = summary.clip["filmstrip"]
    page = render_page(
        summary,
        loss_png=result.plot_path,
        before_png=Path(strips["before"]),
        after_png=Path(strips["after"]),
    )
    atomic_write(summary.report_path, page)
    atomic_write(
        summary.report_path.with_name("summary.json"),
        json.dumps(summary.as_dict(), indent=2, default=str, allow_nan=False) + "\n",
    )
