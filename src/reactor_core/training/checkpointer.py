"""Where a run's checkpoints go beside its folder, and how a run is found there again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reactor_core.cloud.stores import open_store
from reactor_core.errors import ConfigError
from reactor_core.training.card import CARD
from reactor_core.training.checkpoint import latest_checkpoint
from reactor_core.training.keeper import Place
from reactor_core.training.mark import NOTHING, Mark
from reactor_core.training.remote import RemoteRun
from reactor_core.training.runs import Resume, Run, open_run
from reactor_core.utils.clock import Clock
from reactor_core.utils.environment import Environment, Kind
from reactor_core.utils.settings import Settings

__all__ = ["Checkpointer", "automatic_checkpointer", "find_place", "open_run_anywhere"]


@dataclass(frozen=True, kw_only=True)
class Checkpointer:
    """Where checkpoints go, how often, and who says that the machine will be taken away.

    Nothing is connected to before the run begins.

    Raises:
        ConfigError: ``interval`` is below 1.
    """

    store: str | None = None
    """``gs://bucket/prefix``, a folder, or an address that fsspec opens; None takes ``GCS_CHECKPOINT_BUCKET``."""
    interval: int | None = None
    """Optimizer steps between checkpoints that are sent there. None sends every one that the run writes
    (``TrainingConfig.save_seconds``); one is also written, and sent, at each notice, pause and stop."""
    metadata_host: str | None = None
    """Metadata server that is asked for preemption; None takes ``GCE_METADATA_HOST``. Outside Compute Engine it is
    asked only if it is not Google's own address."""

    def __post_init__(self) -> None:
        if self.interval is not None and self.interval < 1:
            raise ConfigError(f"interval={self.interval}", remedy="optimizer steps, 1 or more")

    def place(self, identity: Mapping[str, str], settings: Settings, kind: Kind, *, clock: Clock, keep: int) -> Place:
        """Where the run of this identity goes, and what is there already.

        Raises:
            ConfigError: There is no address, or it cannot be used.
            MissingExtra: The library for it is not installed.
            StorageError: The store cannot be reached.
            CheckpointInvalid: What is stored there cannot be read.
        """
        url = self.store or settings.gcs_checkpoint_bucket
        if url is None:
            raise ConfigError(
                "the checkpointer has no bucket", remedy="name one, or set GCS_CHECKPOINT_BUCKET=gs://bucket"
            )
        remote = RemoteRun(open_store(url, project=settings.gcp_project_id), identity, clock=clock, keep=keep)
        remote.look()
        return Place(remote, self.interval, self.watched_host(settings, kind))

    def watched_host(self, settings: Settings, kind: Kind) -> str | None:
        """The metadata server to ask for preemption, None where there is none."""
        host = self.metadata_host or settings.gce_metadata_host
        googles_own = host == Settings.model_fields["gce_metadata_host"].default
        return None if googles_own and kind is not Kind.GCE else host


def find_place(
    checkpointer: Checkpointer | None,
    identity: Mapping[str, str],
    settings: Settings,
    *,
    clock: Clock,
    keep: int,
    environment: Callable[[], Environment],
) -> Place:
    """Where else a run's checkpoints go: to the checkpointer's store, or without one to what the machine asks for.

    Args:
        checkpointer: What the trainer was given.
        identity: The run's.
        settings: Bucket and metadata server.
        clock: Source of time.
        keep: How many checkpoints are kept.
        environment: Looks at the machine; asked only if it matters.

    Raises:
        ReactorError: As :meth:`Checkpointer.place`.
    """
    if checkpointer is None and settings.gcs_checkpoint_bucket is None:
        return Place()
    found = environment()
    checkpointer = checkpointer or automatic_checkpointer(settings, found)
    if checkpointer is None:
        return Place()
    return checkpointer.place(identity, settings, found.kind, clock=clock, keep=keep)


def automatic_checkpointer(settings: Settings, environment: Environment) -> Checkpointer | None:
    """What a trainer without a checkpointer does: on Compute Engine with ``GCS_CHECKPOINT_BUCKET`` set, use it."""
    if settings.gcs_checkpoint_bucket is None or environment.kind is not Kind.GCE:
        return None
    return Checkpointer(store=settings.gcs_checkpoint_bucket)


@contextmanager
def open_run_anywhere(
    place: Place, folder: Path | None, runs: Path, *, identity: dict[str, str], facts: dict[str, Any], resume: Resume
) -> Iterator[Run]:
    """:func:`~reactor_core.training.runs.open_run`, for a run that may have begun on another machine.

    This process becomes the run's only writer, and what the store has more of is brought into the run's folder.

    Raises:
        TakenOver: Another machine claimed it at the same moment.
        CheckpointInvalid: What is stored is damaged, and there is nothing here.
        StorageError: The store cannot be reached.
        ReactorError: As :func:`~reactor_core.training.runs.open_run`.
    """
    remote = place.remote
    if remote is None:
        with open_run(folder, runs, identity=identity, facts=facts, resume=resume) as run:
            yield run
        return
    with closing(remote):
        yield from _opened(remote, folder, runs, identity, facts, resume)


def _opened(
    remote: RemoteRun,
    folder: Path | None,
    runs: Path,
    identity: dict[str, str],
    facts: dict[str, Any],
    resume: Resume,
) -> Iterator[Run]:
    begun = remote.newest != NOTHING and resume is not False
    run_id = remote.head.run_id if begun and remote.head is not None else None
    if run_id is not None and (runs / run_id / CARD).exists():
        run_id = None  # ended here, without having been able to say so there
    wanted: Resume = "auto" if begun else resume
    with open_run(folder, runs, identity=identity, facts=facts, resume=wanted, run_id=run_id) as run:
        remote.claim(run.run_id, over=resume is False)
        here = latest_checkpoint(run.checkpoints) if run.resumed else None
        brought = remote.bring(run.path, newer_than=NOTHING if here is None else Mark.of(here))
        yield run if brought is None else replace(run, resumed=True)
