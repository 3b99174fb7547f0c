"""Starting a run on several processes, and starting them again when one of them dies.

The processes are those of ``torchrun`` (``torch.distributed.launcher``), which watches them: if one ends that had not
ended its work, all are ended and started again, and go on from the newest checkpoint. A run that ends in an error of
ours has ended its work: the error is written down, and raised here.

``torchrun`` passes a signal on and gives its processes 30 seconds before it kills them, which is all that a spot
machine has. That is enough whatever a step takes: the first process saves on the signal, not after the step.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, launch_agent

from reactor_core.errors import ConfigError, Interrupted, ReactorError, TrainingError
from reactor_core.training.config import TrainingConfig
from reactor_core.training.distributed.outcome import read_outcome
from reactor_core.training.result import TrainingResult
from reactor_core.utils.ids import new_id
from reactor_core.utils.settings import meet_afresh

__all__ = ["Launch", "launch"]

_WORKER = "reactor_core.training.distributed.worker"
_SHUTDOWN_SECONDS = 30
_MACHINES = re.compile(r"(\d+)(?::(\d+))?")


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How many processes train, and where.

    Raises:
        ConfigError: A number cannot be used, or several machines have no endpoint to meet at.
    """

    processes: int = 1
    """On this machine. With GPUs, one for each is usual."""
    machines: str = "1"
    """How many machines start this same command: a number, or ``MIN:MAX``. They are started again in another number
    when one comes or goes."""
    endpoint: str | None = None
    """``host:port`` of one of them, where they meet; None for one machine."""
    name: str = "reactor"
    """Keeps runs apart that meet at the same endpoint."""
    max_restarts: int = 10
    """How often all processes are started again after one has died; then the run ends, and can be gone on with."""

    def __post_init__(self) -> None:
        if self.processes < 1:
            raise ConfigError(f"processes={self.processes}", remedy="1 or more")
        if self.max_restarts < 0:
            raise ConfigError(f"max_restarts={self.max_restarts}", remedy="0 or more")
        low, high = self.machine_range
        if not 1 <= low <= high:
            raise ConfigError(f"machines={self.machines!r}", remedy="a number, or MIN:MAX")
        if high > 1 and self.endpoint is None:
            raise ConfigError(
                f"machines={self.machines!r} have no endpoint to meet at",
                remedy="give all of them the same host:port, of one of them",
            )

    @property
    def machine_range(self) -> tuple[int, int]:
        """The fewest and the most machines; ``(0, 0)`` for what is neither."""
        found = _MACHINES.fullmatch(self.machines)
        return (0, 0) if found is None else (int(found[1]), int(found[2] or found[1]))

    @property
    def alone(self) -> bool:
        """Whether that is one process, which needs nobody to start it."""
        return self.processes == 1 and self.machine_range[1] == 1


def launch(
    config: TrainingConfig, dataset: Path, how: Launch, *, resume: bool, store: str | None = None
) -> TrainingResult:
    """Train on several processes, and wait for them.

    Settings are read by each process from the environment, which is this one's.

    Args:
        config: Of the run.
        dataset: JSON Lines file; on several machines each has it under this path.
        how: How many processes, and where.
        resume: Go on with an unfinished run of the same options and data, or start over.
        store: Where checkpoints go beside the run's folder, as for ``reactor train``.

    Raises:
        Interrupted: Stopped by a signal, after a checkpoint.
        TrainingError: A process died more often than ``how.max_restarts``.
        ReactorError: As :meth:`reactor_core.training.trainer.Trainer.train`.
    """
    with TemporaryDirectory(prefix="reactor-launch-") as folder:
        place = Path(folder)
        job = {
            "config": config.model_dump(mode="json", exclude_unset=True),
            "dataset": str(dataset.resolve()),
            "resume": resume,
            "store": store,
            "threads": max(1, torch.get_num_threads() // how.processes),
        }
        (place / "job.json").write_text(json.dumps(job), encoding="utf-8")
        logging.getLogger("torch.distributed.elastic").setLevel(logging.ERROR)
        meet_afresh()
        failed: BaseException | None = None
        try:
            launch_agent(_options(how, place), sys.executable, ["-m", _WORKER, folder])
        except (ChildFailedError, SignalException) as error:
            failed = error
        found = read_outcome(place)
        if isinstance(found, TrainingResult):
            return found
        raise found or _why(failed, how) from failed


def _options(how: Launch, folder: Path) -> LaunchConfig:
    low, high = how.machine_range
    one: dict[str, Any] = {"rdzv_endpoint": "localhost:0", "run_id": new_id(), "local_addr": "localhost"}
    several: dict[str, Any] = {"rdzv_endpoint": how.endpoint, "run_id": how.name}
    return LaunchConfig(
        min_nodes=low,
        max_nodes=high,
        nproc_per_node=how.processes,
        rdzv_backend="c10d",
        max_restarts=how.max_restarts,
        shutdown_timeout=_SHUTDOWN_SECONDS,
        logs_specs=DefaultLogsSpecs(log_dir=str(folder / "logs")),
        **(one if high == 1 else several),
    )


def _why(failed: BaseException | None, how: Launch) -> ReactorError:
    if isinstance(failed, SignalException):
        return Interrupted(
            f"training stopped by {failed.sigval.name} before it could say where it was",
            remedy="run the same command again: it goes on from the last checkpoint",
        )
    first = "" if not isinstance(failed, ChildFailedError) else f": {_first_failure(failed)}"
    return TrainingError(
        f"a process of the run died more than {how.max_restarts} times{first}",
        remedy="look at what it said above; the same command goes on from the last checkpoint",
    )


def _first_failure(error: ChildFailedError) -> str:
    rank, failure = error.get_first_failure()
    return f"process {rank} ended with {failure.exitcode}"
