"""``reactor train``: one file, one configuration, events in the journal; or only what that would take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from reactor_core.cost.prices import stated_price
from reactor_core.data.records import read_dataset
from reactor_core.data.unique import drop_repeats
from reactor_core.errors import ConfigError
from reactor_core.integration import EventBridge, EventSource
from reactor_core.models.store import resolve_model
from reactor_core.training.admission import prepare_subject, room_on
from reactor_core.training.checkpointer import Checkpointer
from reactor_core.training.config import TrainingConfig
from reactor_core.training.hooks import EventHook
from reactor_core.training.pace import Pace, gemm_rate, pace_of_last_run, probed_pace
from reactor_core.training.plan import Plan, plan_run, remedies
from reactor_core.training.progress import ProgressHook
from reactor_core.training.result import TrainingResult
from reactor_core.training.sketch import shape_of
from reactor_core.training.spending import CostHook
from reactor_core.training.start import find_start
from reactor_core.training.trainer import Trainer
from reactor_core.training.workload import Workload
from reactor_core.utils.console import Narrator
from reactor_core.utils.environment_memory import GIB
from reactor_core.utils.settings import Settings

__all__ = ["open_trainer", "plan_file", "train_file"]


def train_file(
    config: TrainingConfig,
    dataset: Path,
    *,
    settings: Settings,
    narrator: Narrator,
    resume: bool,
    store: str | None = None,
) -> TrainingResult:
    """Train, with progress on the terminal and TRAINING_* events, and costs, in the workspace's journal.

    Args:
        config: What to train and how.
        dataset: File of rows.
        settings: Workspace, cache, price of the machine.
        narrator: Shows progress.
        resume: False starts over.
        store: Where checkpoints go as well (:class:`~reactor_core.training.checkpointer.Checkpointer`); None leaves
            that to the machine.

    Raises:
        ReactorError: As :meth:`reactor_core.training.trainer.Trainer.train`.
    """
    with open_trainer(config, settings=settings, narrator=narrator, store=store) as trainer:
        return trainer.train(dataset, resume="auto" if resume else False)


@contextmanager
def open_trainer(
    config: TrainingConfig,
    *,
    settings: Settings,
    narrator: Narrator,
    store: str | None = None,
    hooks: Sequence[Any] = (),
) -> Iterator[Trainer]:
    """A trainer whose run shows its progress, and writes its events and costs into the workspace's journal.

    Args:
        config: What to train and how.
        settings: Workspace, cache, price of the machine.
        narrator: Shows progress while the block runs.
        store: As for :func:`train_file`.
        hooks: Called after those of the terminal and the journal.

    Raises:
        ReactorError: As :class:`reactor_core.training.trainer.Trainer`; or the journal cannot be opened.
    """
    with (
        EventBridge(source=EventSource.REACTOR_CORE, workspace=settings.workspace, settings=settings) as bridge,
        narrator.step(f"Fine-tune {config.model_name}") as advance,
    ):
        cost = CostHook(bridge, stated_price(settings.machine_price_usd_per_hour))
        watching = (EventHook(bridge), cost, ProgressHook(advance), *hooks)
        checkpointer = None if store is None else Checkpointer(store=store)
        yield Trainer(config, hooks=watching, settings=settings, checkpointer=checkpointer)


def plan_file(config: TrainingConfig, dataset: Path, *, settings: Settings) -> tuple[Plan, list[str]]:
    """What training on a file would take; nothing is trained, and no weight is loaded.

    Returns:
        The plan, and, where it does not fit, options that do, as ``name=value`` and what they come to.

    Raises:
        ConfigError: This model cannot be planned; or as :class:`~reactor_core.training.trainer.Trainer`.
        ReactorError: As :meth:`reactor_core.training.trainer.Trainer.train`, before the first step.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows = read_dataset(dataset)
    if config.near_duplicates == "drop":
        rows, _ = drop_repeats(rows)
    held = None if config.eval_dataset is None else read_dataset(config.eval_dataset)
    entry = resolve_model(config.model_name, config.model_source, settings)
    start = find_start(config, settings)
    config = config if start is None else start.before_loading(config, entry)
    subject = prepare_subject(config, entry, rows, start=start, held=held, settings=settings, device=device)
    width, layers = shape_of(subject.sketch(config))

    def pace(path: str, work: Workload) -> Pace:
        known = pace_of_last_run(settings.workspace, entry, subject.config, device=device)
        tokens = max(1, round(work.computed / (work.parts * work.steps)))
        return known or probed_pace(path, gemm_rate(tokens, width), layers=layers)

    price = stated_price(settings.machine_price_usd_per_hour)
    try:
        plan = plan_run(subject, room_on(device), pace=pace, price=price)
    except RuntimeError as error:
        raise ConfigError(
            f"{config.model_name} asks for values while it computes, so it cannot be planned without its weights "
            f"({str(error).splitlines()[0]})",
            remedy="train a few steps (max_steps=3) and read peak_memory_bytes",
        ) from error
    others = [] if plan.fits else remedies(subject, plan)
    return plan, [f"{change}: about {other.memory.peak / GIB:.1f} GiB" for change, _, other in others]
