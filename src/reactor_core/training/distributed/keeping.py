"""What makes a run of several processes last: the first one saves, and all of them hear of a notice.

Where every process has the whole trained state, which is so with an adapter, a notice to the first process is acted on
at once, as in a run of one process, by what the last whole step came to. A notice to another process reaches it when
the step ends. Where the trained state is shared out it is brought together for each checkpoint, and a notice waits for
the end of the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from reactor_core.training.checkpoint import Progress
from reactor_core.training.distributed.state import Mirror
from reactor_core.training.distributed.turns import RankMeter
from reactor_core.training.distributed.world import World
from reactor_core.training.interval import Interval
from reactor_core.training.keeper import Keeper
from reactor_core.training.runs import Run
from reactor_core.training.stop import stop_signals

__all__ = ["RankKeeper", "own_folder"]


class RankKeeper:
    """The face of :class:`~reactor_core.training.keeper.Keeper` in a run of several processes.

    Args:
        keeper: Saves; used by the first process alone.
        world: Who takes part.
        trained: The trained tensors, in an order that is the same in every process.
        mirror: The trained state, where it is shared out.
    """

    def __init__(
        self, keeper: Keeper, world: World, trained: Iterable[torch.nn.Parameter], mirror: Mirror | None
    ) -> None:
        self._keeper, self._world, self._mirror = keeper, world, mirror
        if mirror is not None:
            keeper.never_copy()  # it is a copy already
        self.accumulator = RankMeter(world, trained if mirror is None else ())
        """Goes along with the parts of each step."""

    @property
    def interval(self) -> Interval:
        """Between checkpoints."""
        return self._keeper.interval

    @contextmanager
    def watching(self) -> Iterator[Callable[[], str | None]]:
        """Listen for signals and preemption inside the block.

        Yields:
            A function that gives any process's reason to stop, or None. All of them have to ask at the same moment.
        """
        with self._keeper.watching() if self._world.first else stop_signals() as stopped:
            yield lambda: self._world.told(stopped())

    def give_notice(self, reason: str) -> None:
        """The run is to stop, at the end of the step (first process)."""
        self._keeper.give_notice(reason)

    @contextmanager
    def moving(self, progress: Progress) -> Iterator[None]:
        """See :meth:`Keeper.moving <reactor_core.training.keeper.Keeper.moving>`."""
        if not self._world.first or self._mirror is not None:
            yield  # nothing here is ever saved but the mirror, and that stands still
            return
        with self._keeper.moving(progress):
            yield

    def tick(self, progress: Progress) -> None:
        """Save if it is time; after each step."""
        if self._mirror is not None:
            if not self._world.follow(self._world.first and self._keeper.due(progress)):
                return
            self.settle(progress)
        if self._world.first:
            self._keeper.tick(progress)

    def save(self, progress: Progress, *, send: bool = False) -> None:
        """Save now."""
        self.settle(progress)
        if self._world.first:
            self._keeper.save(progress, send=send)

    def save_news(self, progress: Progress) -> None:
        """Save what no checkpoint holds yet."""
        self.settle(progress)
        if self._world.first:
            self._keeper.save_news(progress)

    def rest(self, progress: Progress) -> str:
        """Save what is new and wait until the bucket has it; what there is to say about that."""
        self.settle(progress)
        return self._keeper.rest(progress) if self._world.first else ""

    def finish(self, progress: Progress, output: Path) -> str | None:
        """Send what the run came to (first process)."""
        return self._keeper.finish(progress, output)

    def facts(self) -> dict[str, Any]:
        """What the run's card says about its checkpoints (first process)."""
        return self._keeper.facts()

    def settle(self, progress: Progress) -> None:
        """Bring the mirror up to date, if there is one; a checkpoint that is being written from it is waited for."""
        if self._mirror is None:
            return
        if not self._world.first:
            self._mirror.take()
            return
        with self._keeper.moving(progress):
            self._mirror.take()


@contextmanager
def own_folder(world: World, run: AbstractContextManager[Run]) -> Iterator[Run]:
    """The run's folder for the first process; for each other one a folder of its own, which is removed at the end.

    So all of them do the same, and what the others write about the run is seen by nobody.

    Args:
        world: Who takes part.
        run: Opens the run; entered by the first process alone.
    """
    if world.first:
        with run as opened:
            world.follow(opened.run_id)
            yield opened
        return
    run_id = world.follow(None)
    with TemporaryDirectory(prefix="reactor-process-") as folder:
        yield Run(run_id, Path(folder), resumed=False)
