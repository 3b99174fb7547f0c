"""``reactor train``: one file, one configuration, events in the journal."""

from __future__ import annotations

from pathlib import Path

from reactor_core.cost.prices import stated_price
from reactor_core.integration import EventBridge, EventSource
from reactor_core.training.config import TrainingConfig
from reactor_core.training.hooks import EventHook
from reactor_core.training.progress import ProgressHook
from reactor_core.training.result import TrainingResult
from reactor_core.training.spending import CostHook
from reactor_core.training.trainer import Trainer
from reactor_core.utils.console import Narrator
from reactor_core.utils.settings import Settings

__all__ = ["train_file"]


def train_file(
    config: TrainingConfig, dataset: Path, *, settings: Settings, narrator: Narrator, resume: bool
) -> TrainingResult:
    """Train, with progress on the terminal and TRAINING_* events, and costs, in the workspace's journal.

    Raises:
        ReactorError: As :meth:`reactor_core.training.trainer.Trainer.train`.
    """
    with (
        EventBridge(source=EventSource.REACTOR_CORE, workspace=settings.workspace, settings=settings) as bridge,
        narrator.step(f"Fine-tune {config.model_name}") as advance,
    ):
        cost = CostHook(bridge, stated_price(settings.machine_price_usd_per_hour))
        hooks = (EventHook(bridge), cost, ProgressHook(advance))
        return Trainer(config, hooks=hooks, settings=settings).train(dataset, resume="auto" if resume else False)
