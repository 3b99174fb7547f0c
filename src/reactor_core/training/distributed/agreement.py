"""What one process of several sees, made known to all of them: wishes, the kill switch, the reasons of hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import msgspec

from reactor_core.errors import TrainingError
from reactor_core.events.latch import LatchState
from reactor_core.training.control import RunControl, State, Switch, Wish
from reactor_core.training.distributed.world import World
from reactor_core.training.hooks import Hooks

__all__ = ["RankControl", "RankHooks", "RankLatch", "require_same"]


def require_same(world: World, identity: Mapping[str, str]) -> None:
    """Refuse a process that would train something else than the first one.

    Raises:
        TrainingError: It has another data file, model or option.
    """
    first = world.follow(dict(identity))
    other = [name for name, value in first.items() if identity.get(name) != value]
    if other:
        raise TrainingError(
            f"process {world.rank} has another {' and '.join(other)} than the first one",
            remedy="give all machines the same files and options",
        )


class RankControl(RunControl):
    """The wishes that reach the first process, obeyed by all.

    Args:
        control: Of this process's trainer.
        world: Who takes part.
    """

    def __init__(self, control: RunControl, world: World) -> None:
        super().__init__()
        self._control, self._world = control, world

    def begin(self, folder: Path, step: int) -> None:
        """See :meth:`RunControl.begin`."""
        self._control.begin(folder, step)

    def end(self, step: int) -> None:
        """See :meth:`RunControl.end`."""
        self._control.end(step)

    @contextmanager
    def hastening(self, told: Callable[[str], object]) -> Iterator[None]:
        """See :meth:`RunControl.hastening`; the first process tells the others."""
        with self._control.hastening(told) if self._world.first else nullcontext():
            yield

    def move(self, state: State, step: int) -> None:
        """See :meth:`RunControl.move`."""
        self._control.move(state, step)

    def wish(self) -> Wish:
        """What is wanted of the first process now."""
        return Wish(self._world.follow(self._control.wish()))

    def wait(self) -> Wish:
        """What is wanted of the first process a moment later; the others stand still as long as it does."""
        return Wish(self._world.follow(self._control.wait() if self._world.first else None))


class RankLatch:
    """The kill switch of all processes: where one of them sees it tripped, it is tripped for all.

    Args:
        latch: Of this process's workspace.
        world: Who takes part.
    """

    def __init__(self, latch: Switch, world: World) -> None:
        self._latch, self._world = latch, world

    def state(self) -> LatchState:
        """How it stands. Every process has to ask at the same moment."""
        state = self._latch.state()
        reason = self._world.told(state.reason if state.tripped else None)
        if reason is None or state.tripped:
            return state
        return msgspec.structs.replace(state, tripped_epoch=state.cleared_epoch + 1, reason=reason)


class RankHooks(Hooks):
    """Hooks whose reason to stop holds for all processes. Those of other processes than the first are not called."""

    def __init__(self, hooks: Hooks, world: World) -> None:
        super().__init__((hooks,) if world.first else ())
        self._world = world

    def should_stop(self) -> str | None:
        """The first process's reason."""
        reason: str | None = self._world.follow(super().should_stop())
        return reason
