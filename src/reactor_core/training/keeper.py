"""Everything that makes a run last: checkpoints by time and on a notice, on this machine and in the bucket."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from reactor_core.cloud.metadata import PreemptionWatch
from reactor_core.errors import StorageError, TrainingError
from reactor_core.training.background import Background
from reactor_core.training.checkpoint import Progress, save_checkpoint
from reactor_core.training.interval import Interval
from reactor_core.training.lineage import note_checkpoint
from reactor_core.training.mark import NOTHING, Mark
from reactor_core.training.notices import note_notice
from reactor_core.training.partial import Accumulator, Partial
from reactor_core.training.remote import RemoteRun, TakenOver
from reactor_core.training.runs import Run
from reactor_core.training.shadow import Shadow
from reactor_core.training.snapshot import Snapshot, Spare, has_room
from reactor_core.training.stop import stop_signals
from reactor_core.training.uploads import APPENDED, Uploads
from reactor_core.utils.clock import Clock, to_iso
from reactor_core.utils.failpoints import reach

__all__ = ["Keeper", "Place", "StepLeft"]

NOTICE_SECONDS = 25.0
"""How long a run that was given notice waits for its bucket: a spot machine has thirty seconds."""
COPY_SECONDS = 0.5
"""A checkpoint that takes longer than so many seconds is written from a copy of the state, where memory allows."""


@dataclass(frozen=True)
class Place:
    """Where else checkpoints go.

    Attributes:
        remote: The claimed run in a bucket; None keeps everything on this machine.
        interval: Steps between checkpoints that are sent there; None sends each one.
        metadata_host: Asked for preemption; None asks nobody.
    """

    remote: RemoteRun | None = None
    interval: int | None = None
    metadata_host: str | None = None


class StepLeft(TrainingError):
    """The step was left after one of its parts: the machine will be taken away, and what is done can be saved."""


class Keeper:
    """Saves one run.

    Args:
        run: Its folder.
        parameters: Trained tensors by name, in the optimizer's order.
        optimizer: Its moments are saved beside them.
        identity: Hashes that a resume must meet.
        progress: Of the run; the training thread changes it inside :meth:`moving` only, but for ``elapsed``.
        interval: Between checkpoints.
        keep: How many are kept.
        clock: Source of time.
        elsewhere: The bucket that gets them as well, and who announces the end of this machine; None for neither.
        partial: The parts of the next step that are done already; None for none.
        beside: What else is saved (:func:`~reactor_core.training.checkpoint.save_checkpoint`).
        told: Called in the training thread after each save, with the step that it holds and the seconds that training
            stood still for it.
        room: Whether so many bytes more may be taken for a copy of the state.
    """

    def __init__(
        self,
        run: Run,
        *,
        parameters: dict[str, torch.nn.Parameter],
        optimizer: torch.optim.Optimizer,
        identity: dict[str, str],
        progress: Progress,
        interval: Interval,
        keep: int,
        clock: Clock,
        elsewhere: Place | None = None,
        partial: Partial | None = None,
        beside: Callable[[], Mapping[str, torch.Tensor]] = dict,
        told: Callable[[int, float], object] = lambda _step, _seconds: None,
        room: Callable[[int], bool] = has_room,
    ) -> None:
        self._run, self._parameters, self._optimizer, self._identity = run, parameters, optimizer, identity
        self._progress, self._beside, self._told = progress, beside, told
        self.interval, self._keep, self._clock = interval, keep, clock
        place = elsewhere or Place()
        self._remote, self._every, self._metadata_host = place.remote, place.interval, place.metadata_host
        self._settled = replace(progress)
        self._saved = self._sent = self._on_notice = Mark(progress.step, 0 if partial is None else partial.turns)
        self._saved_at = clock.monotonic()
        if place.remote is not None:
            # A later one than the run goes on from is damaged, and counts as none.
            self._sent = newest if (newest := place.remote.newest) <= self._saved else NOTHING
        self._shadow = Shadow(self._save_on_notice, self._send_on_notice)
        self._uploads = None if place.remote is None else Uploads(place.remote, run.path)
        self._stopped: Callable[[], str | None] = lambda: None
        self._background = Background("reactor-saves")
        self._spare: Spare | None = Spare(room)
        self._took: tuple[int, float] | None = None
        self._stood = 0.0
        self._behind = False
        self._parts, self._writing = threading.RLock(), threading.RLock()  # taken in this order, after the shadow's
        self.accumulator = Accumulator(
            parameters, still=lambda: self._held(self._parts), clock=clock, then=self._between_parts
        )
        """Goes along with the parts of each step."""
        if partial is not None:
            self.accumulator.go_on_from(partial)

    @contextmanager
    def watching(self) -> Iterator[Callable[[], str | None]]:
        """Listen for signals and preemption inside the block.

        Yields:
            A function that gives the reason to stop, or None. What is computed so far is saved as soon as the reason
            comes, without waiting for it to be asked.
        """
        with ExitStack() as stack:
            if self._uploads is not None:
                stack.enter_context(self._uploads)
            shadow = stack.enter_context(self._shadow)
            signalled = stack.enter_context(stop_signals(shadow.give_notice))
            if self._metadata_host is not None:
                stack.enter_context(PreemptionWatch(self._metadata_host, shadow.give_notice))
            stack.callback(self._background.end)  # before what it sends to, and what it holds
            self._stopped = lambda: signalled() or shadow.reason
            yield self._stopped

    def give_notice(self, reason: str) -> None:
        """The run is to stop: save what is computed so far at once, and leave the step after the part that is going on.

        May be called from any thread.
        """
        self._shadow.give_notice(reason)

    @contextmanager
    def moving(self, progress: Progress) -> Iterator[None]:
        """Around whatever changes trained tensors, gradients, moments or progress: nothing is saved in the middle of
        it. A checkpoint that is being written from the state itself is waited for; of one that is being written from a
        copy, only the copy.

        Raises:
            StorageFull: A checkpoint found no space on this machine.
        """
        if not self._behind or not self.writing:
            self.finish_writing()
        with self._held(self._shadow.still()):
            yield
            reach("keeper.moved")
            self._settled = replace(progress)

    @contextmanager
    def _held(self, lock: AbstractContextManager[Any]) -> Iterator[None]:
        """Inside a lock (training thread). Waiting for a copy to be made counts as standing still."""
        begun = self._clock.monotonic()
        with lock:
            self._stood += self._clock.monotonic() - begun
            yield

    def never_copy(self) -> None:
        """Write checkpoints from the state itself from here on: nothing changes it but :meth:`moving`, and seldom."""
        self._spare = None

    def tick(self, progress: Progress) -> None:
        """Save if it is time; after each step. A thread writes while the next step is being computed: what it reads
        changes only when the optimizer moves, or is a copy.

        Raises:
            StorageFull: The checkpoint before found no space on this machine.
            TakenOver: Another machine has claimed the run.
        """
        if self._uploads is not None:
            self._uploads.check()
        if self.due(progress):
            self.finish_writing()
            send = self._every is None or self._by_steps(progress)
            self._begin_writing(replace(progress), None, send=send, behind=self._copies(None))

    def due(self, progress: Progress) -> bool:
        """Whether it is time to save; after each step."""
        return self._by_steps(progress) or self._by_time()

    def save(self, progress: Progress, *, send: bool = False) -> None:
        """Save now; its time counts as training. The bucket gets it too if ``send``.

        Raises:
            StorageFull: No space is left on this machine.
        """
        begun = self._clock.monotonic()
        self.finish_writing()
        self._stand_and_save(progress, send=send)
        progress.elapsed += self._clock.monotonic() - begun

    def settle(self, progress: Progress) -> None:
        """Bring what is saved up to date: in one process it always is."""

    def save_news(self, progress: Progress) -> None:
        """Save what no checkpoint holds yet, here and in the bucket."""
        self.finish_writing()
        with self._shadow.still():  # a notice that is being acted on may just have saved it
            mark = self._mark(progress)
            if mark > self._saved:
                self.save(progress, send=True)
            elif self._uploads is not None and mark > self._sent:
                self._send(self._run.checkpoints / mark.name)

    def rest(self, progress: Progress) -> str:
        """Save what is new and wait until the bucket has it; what there is to say about that.

        Raises:
            StorageFull: No space is left on this machine.
        """
        self.save_news(progress)
        if self._uploads is None or self._remote is None:
            return ""
        given = self._shadow.given_at
        spent = 0.0 if given is None else time.monotonic() - given
        self._uploads.settle(max(1.0, NOTICE_SECONDS - spent))
        has = self._uploads.durable
        if has >= self._mark(progress):
            return f"; {self._remote.where} has it too"
        return f"; {self._remote.where} has only {'what it had' if has == NOTHING else has}"

    def facts(self) -> dict[str, Any]:
        """What the run's card says about its checkpoints."""
        progress = self._progress
        share = progress.save_seconds / progress.elapsed if progress.elapsed else 0.0
        stall = {"saves": progress.saves, "stall_seconds": progress.save_seconds, "stall_share": share}
        return {**self.interval.facts(), **stall}

    def finish(self, progress: Progress, output: Path) -> str | None:
        """Send what the run came to; why that was not possible, or None."""
        if self._remote is None:
            return None
        files = [path for path in sorted(output.rglob("*")) if path.is_file()]
        files += [path for name in (*APPENDED, "card.json", "run.json") if (path := self._run.path / name).exists()]
        named = {path.relative_to(self._run.path).as_posix(): path for path in files}
        try:
            self._remote.finish(progress.step, named)
        except (StorageError, TakenOver) as error:
            return f"the result is on this machine only: {error}"
        return None

    def _mark(self, progress: Progress) -> Mark:
        partial = self.accumulator.partial()
        return Mark(progress.step, 0 if partial is None else partial.turns)

    def _by_steps(self, progress: Progress) -> bool:
        return self._every is not None and progress.step % self._every == 0

    def _by_time(self) -> bool:
        return self._clock.monotonic() - self._saved_at >= self.interval.seconds

    def _between_parts(self) -> None:
        """After each part of a step but its last (training thread)."""
        if self._stopped() is not None:
            raise StepLeft("a notice came in the middle of a step")
        if self._by_time():
            self.finish_writing()
            partial, send = self.accumulator.partial(), self._every is None
            if self._copies(partial):
                self._begin_writing(replace(self._progress), partial, send=send, behind=True)
            else:
                self._stand_and_save(self._progress, send=send)  # a part of the step's own time

    def _copies(self, partial: Partial | None) -> bool:
        """Whether the next checkpoint is written from a copy: if it takes long, and there is memory for one."""
        if self._spare is None or self.interval.cost < COPY_SECONDS:
            return False
        return self._spare.fits(self._snapshot(partial))

    def _snapshot(self, partial: Partial | None) -> Snapshot:
        return Snapshot.of(self._parameters, self._optimizer, partial)

    def _begin_writing(self, progress: Progress, partial: Partial | None, *, send: bool, behind: bool) -> None:
        """Save on another thread; training goes on until it would change what is saved, and if that is a copy until the
        copy is made. Returns when the thread has hold of the state."""
        beside = {name: value.clone() for name, value in self._beside().items()}  # grows meanwhile
        self._saved_at, self._took, self._stood, self._behind = self._clock.monotonic(), None, 0.0, behind
        held, mark = threading.Event(), Mark(progress.step, 0 if partial is None else partial.turns)

        def write() -> None:
            begun = self._clock.monotonic()
            with ExitStack() as hold:
                hold.callback(held.set)  # whatever is raised before, nobody waits for ever
                hold.enter_context(self._shadow.still())
                if partial is not None:
                    hold.enter_context(self._parts)
                held.set()
                self._settled = progress
                snapshot = self._snapshot(partial)
                if behind:
                    assert self._spare is not None
                    snapshot = self._spare.copy(snapshot)
                    reach("keeper.copied")
                    hold.close()
                with self._writing:
                    if mark < self._saved:
                        return  # a notice was faster, and saved more
                    place = self._write(progress, snapshot, beside)
                    if send:
                        self._send(place)
            self._took = progress.step, self._clock.monotonic() - begun

        self._background.begin(write)
        held.wait()

    @property
    def writing(self) -> bool:
        """Whether a thread writes a checkpoint."""
        return self._background.running

    def finish_writing(self) -> None:
        """Wait for the checkpoint that a thread writes, if there is one (training thread).

        Raises:
            StorageFull: It found no space on this machine.
        """
        begun = self._clock.monotonic()
        if self._background.wait() and self._took is not None:
            self._note(*self._took, self._stood + self._clock.monotonic() - begun)

    def _stand_and_save(self, progress: Progress, *, send: bool) -> None:
        """Save while training stands still."""
        begun = self._clock.monotonic()
        with self._shadow.still(), self._parts, self._writing:
            place = self._write(progress, self._snapshot(self.accumulator.partial()), self._beside())
            if send:
                self._send(place)
            self._settled = replace(progress)
        seconds = self._clock.monotonic() - begun
        self._note(progress.step, seconds, seconds)

    def _note(self, step: int, took: float, stood: float) -> None:
        """The checkpoint of a step took so long, and training stood still for so long of it."""
        self._progress.saves += 1
        self._progress.save_seconds += stood
        self.interval.learn(took)
        self._told(step, stood)

    def _write(self, progress: Progress, snapshot: Snapshot, beside: Mapping[str, torch.Tensor]) -> Path:
        place = save_checkpoint(
            self._run.checkpoints,
            snapshot,
            progress=progress,
            identity=self._identity,
            keep=self._keep,
            beside=beside,
        )
        if snapshot.partial is None:  # what is learned in the middle of a step, no row can be traced to yet
            note_checkpoint(self._run.path, place, progress.step)
        self._saved_at, self._saved = self._clock.monotonic(), Mark.of(place)
        return place

    def _send(self, place: Path) -> None:
        if self._uploads is not None:
            self._uploads.offer(place)
            self._sent = Mark.of(place)

    def _save_on_notice(self) -> None:
        with self._parts, self._writing:
            mark = self._on_notice = self._mark(self._settled)
            if mark > self._saved:
                self._write(self._settled, self._snapshot(self.accumulator.partial()), self._beside())
            if mark > self._sent:
                self._send(self._run.checkpoints / mark.name)

    def _send_on_notice(self) -> None:
        sent_at = None
        if self._uploads is not None:
            self._uploads.settle(NOTICE_SECONDS)
            if self._uploads.durable >= self._on_notice:
                sent_at = self._uploads.durable_at
        given, saved = self._shadow.given_at, self._shadow.saved_at
        assert given is not None, "a notice was given"
        assert saved is not None, "it was saved before it was sent"
        note_notice(
            self._run.path,
            at=to_iso(self._clock.utc_now()),
            reason=self._shadow.reason,
            mark=self._on_notice,
            seconds_to_disk=saved - given,
            seconds_to_store=None if sent_at is None else sent_at - given,
        )
