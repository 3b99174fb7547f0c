"""One process of a run, as :mod:`reactor_core.training.distributed.launch` starts it: ``python -m ... FOLDER``.

It ends with 0 when its work has ended, in a result or in an error of ours, which it writes into the folder. It ends
with something else only if it died; then it is started again with all others.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from reactor_core.errors import ReactorError
from reactor_core.training.command import train_file
from reactor_core.training.config import TrainingConfig
from reactor_core.training.distributed.outcome import read_outcome, write_outcome
from reactor_core.training.result import TrainingResult
from reactor_core.training.trainer import Trainer
from reactor_core.utils.console import Terminal
from reactor_core.utils.settings import load_settings, process_environment

__all__ = ["main", "work"]

_LOOK_SECONDS = 1.0
"""How often a process looks whether the one that started it is still there."""


def work(folder: Path, *, rank: int, local_rank: int, restarts: int) -> None:
    """Take part in the run of a folder.

    Args:
        folder: Holds ``job.json``, and ``outcome.json`` when the work has ended.
        rank: Of this process among all.
        local_rank: Of this process on its machine; the first one there writes the outcome.
        restarts: How often the processes were started again.
    """
    if read_outcome(folder) is not None:
        return  # ended, but some process died of it
    try:
        result = _train(json.loads((folder / "job.json").read_text(encoding="utf-8")), rank=rank, restarts=restarts)
    except ReactorError as error:
        if local_rank == 0:
            write_outcome(folder, error)
    else:
        if local_rank == 0:
            write_outcome(folder, result)


def _train(job: dict[str, Any], *, rank: int, restarts: int) -> TrainingResult:
    torch.set_num_threads(job["threads"])
    config, dataset = TrainingConfig.from_mapping(job["config"]), Path(job["dataset"])
    resume = bool(job["resume"] or restarts)  # what was to be started over has been, and is gone on with
    settings = load_settings()
    if rank > 0:
        return Trainer(config, settings=settings).train(dataset, resume="auto" if resume else False)
    narrator = Terminal(no_color=settings.no_color is not None)
    return train_file(config, dataset, settings=settings, narrator=narrator, resume=resume, store=job["store"])


def _end_with(parent: int) -> None:
    """Stop as on a signal when the process that started this one is gone, as nobody would start the others again."""

    def look() -> None:
        while os.getppid() == parent:
            threading.Event().wait(_LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=look, name="reactor-parent", daemon=True).start()


def main(words: list[str]) -> int:
    """Run as a program."""
    told = process_environment()  # by the one that started it
    _end_with(os.getppid())
    work(
        Path(words[0]),
        rank=int(told["RANK"]),
        local_rank=int(told["LOCAL_RANK"]),
        restarts=int(told["TORCHELASTIC_RESTART_COUNT"]),
    )
    if dist.is_initialized():
        dist.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
