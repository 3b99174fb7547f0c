"""What a sink is, and which there are."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from reactor_core.errors import MissingExtra
from reactor_core.training.report.points import Point
from reactor_core.utils.extras import installed

__all__ = ["SINKS", "Ending", "Offer", "Sink", "Target", "load_factory", "require_sinks"]


@dataclass(frozen=True)
class Target:
    """What a sink is told when it is made.

    Attributes:
        folder: The run's.
        run_id: The run's name, and its name in the sink.
        workspace: Where a sink that has no other place writes.
        project: Name under which runs are gathered (experiment in MLflow).
        place: Server, store or mode that was asked for; None takes what is local.
        resumed_at: Step after which this session trains.
        facts: Configuration, data, base model: what ``run.json`` says.
        before: :meth:`Sink.state` as the last session left it; empty for the first.
    """

    folder: Path
    run_id: str
    workspace: Path
    project: str
    place: str | None
    resumed_at: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ending:
    """How a session ended.

    Attributes:
        state: ``finished``; ``interrupted``, to be gone on with; ``failed``; ``killed`` if nobody said.
        message: The error's, or "".
        card: The run's card if it is finished.
        files: What may be shown: card and curves. Weights stay where they are, the card says where.
    """

    state: Literal["finished", "interrupted", "failed", "killed"]
    message: str = ""
    card: dict[str, Any] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


class Sink(Protocol):
    """Where points go. Any method may raise anything: the sink is then dropped, and opened anew after a pause."""

    @property
    def where(self) -> str:
        """Folder, file or address at which a person finds the run."""
        ...

    def open(self) -> int:
        """Begin the run, or go on with it; the last step that is not to be told again (0 for a new run)."""
        ...

    def write(self, points: Sequence[Point]) -> None:
        """Take points, in the order of their steps."""
        ...

    def flush(self) -> int:
        """Hand everything on; the last step that was taken."""
        ...

    def finish(self, ending: Ending) -> None:
        """End the session, and show card and curves of a finished run."""
        ...

    def state(self) -> dict[str, Any]:
        """JSON values that the next session needs to go on without gap or repetition."""
        ...


@dataclass(frozen=True)
class Offer:
    """One kind of sink.

    Attributes:
        factory: ``module:class`` that makes it of a :class:`Target`.
        needs: Module that must be installed.
        extra: Extra of this distribution that installs it.
    """

    factory: str
    needs: str
    extra: str


SINKS: dict[str, Offer] = {
    "tensorboard": Offer("reactor_core.training.report.tensorboard:TensorBoardSink", "tensorboard", "report"),
    "wandb": Offer("reactor_core.training.report.wandb:WandbSink", "wandb", "report"),
    "mlflow": Offer("reactor_core.training.report.mlflow:MlflowSink", "mlflow", "report"),
    "trackio": Offer("reactor_core.training.report.trackio:TrackioSink", "trackio", "trackio"),
}
"""Name in ``report_to`` -> the sink."""


def require_sinks(names: Sequence[str]) -> None:
    """Refuse before anything is trained what could not be told.

    Raises:
        MissingExtra: A sink's library is not installed.
    """
    for name in names:
        if not installed(SINKS[name].needs):
            raise MissingExtra(f"report_to={name!r}", SINKS[name].extra)


def load_factory(path: str) -> Callable[[Target], Sink]:
    """The class behind ``module:class``."""
    module, _, name = path.partition(":")
    factory: Callable[[Target], Sink] = getattr(importlib.import_module(module), name)
    return factory
