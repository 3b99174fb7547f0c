"""Everything that makes a run last: checkpoints by time and on a notice, on this machine and in the bucket."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
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
from reactor_core.training.partial import Accumulator, Partial
from reactor_core.training.remote import RemoteRun, TakenOver
from reactor_core.training.runs import Run
from reactor_core.training.shadow import Shadow
from reactor_core.training.stop import stop_signals
from reactor_core.training.uploads import APPENDED, Uploads
from reactor_core.utils.clock import Clock, to_iso
from reactor_core.utils.failpoints import reach
from reactor_core.utils.files import storage_errors

__all__ = ["NOTICES", "Keeper", "Place", "StepLeft"]

NOTICES = "notices.jsonl"
"""File in a run's folder: each notice that it got, and how long it took until the state was safe."""
NOTICE_SECONDS = 25.0
"""How long a run that was given notice waits for its bucket: a spot machine has thirty seconds."""


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
        told: Called in the training thread after each save, with the seconds that training stood still for it.
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
        told: Callable[[float], object] = lambda _seconds: None,
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
        self._took: float | None = None
        self._parts = threading.RLock()
        self.accumulator = Accumulator(parameters, still=lambda: self._parts, clock=clock, then=self._between_parts)
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
        it. A checkpoint that is being written is waited for.

        Raises:
            StorageFull: It found no space on this machine.
        """
        self._finish_writing()
        with self._shadow.still():
            yield
            reach("keeper.moved")
            self._settled = replace(progress)

    def tick(self, progress: Progress) -> None:
        """Save if it is time; after each step. A thread writes while the next step is being computed: what it reads
        changes only when the optimizer moves.

        Raises:
            StorageFull: The checkpoint before found no space on this machine.
            TakenOver: Another machine has claimed the run.
        """
        if self._uploads is not None:
            self._uploads.check()
        if self.due(progress):
            self._finish_writing()
            self._begin_writing(replace(progress), send=self._every is None or self._by_steps(progress))

    def due(self, progress: Progress) -> bool:
        """Whether it is time to save; after each step."""
        return self._by_steps(progress) or self._by_time()

    def save(self, progress: Progress, *, send: bool = False) -> None:
        """Save now; its time counts as training. The bucket gets it too if ``send``.

        Raises:
            StorageFull: No space is left on this machine.
        """
        begun = self._clock.monotonic()
        self._finish_writing()
        self._stand_and_save(progress, send=send)
        progress.elapsed += self._clock.monotonic() - begun

    def settle(self, progress: Progress) -> None:
        """Bring what is saved up to date: in one process it always is."""

    def save_news(self, progress: Progress) -> None:
        """Save what no checkpoint holds yet, here and in the bucket."""
        self._finish_writing()
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
            self._finish_writing()
            self._stand_and_save(self._progress, send=self._every is None)  # a part of the step's own time

    def _begin_writing(self, progress: Progress, *, send: bool) -> None:
        """Save on another thread; training goes on until it would change what is saved."""
        beside = {name: value.clone() for name, value in self._beside().items()}  # grows meanwhile
        self._saved_at, self._took = self._clock.monotonic(), None

        def write() -> None:
            begun = self._clock.monotonic()
            with self._shadow.still():
                if Mark(progress.step) < self._saved:
                    return  # a notice was faster, and saved more
                place = self._write(progress, None, beside)
                if send:
                    self._send(place)
            self._took = self._clock.monotonic() - begun

        self._background.begin(write)

    def _finish_writing(self) -> None:
        """Wait for what :meth:`_begin_writing` began (training thread)."""
        begun = self._clock.monotonic()
        if self._background.wait() and self._took is not None:
            self._note(self._took, self._clock.monotonic() - begun)

    def _stand_and_save(self, progress: Progress, *, send: bool) -> None:
        """Save while training stands still."""
        begun = self._clock.monotonic()
        with self._shadow.still(), self._parts:
            place = self._write(progress, self.accumulator.partial(), self._beside())
            if send:
                self._send(place)
            self._settled = replace(progress)
        seconds = self._clock.monotonic() - begun
        self._note(seconds, seconds)

    def _note(self, took: float, stood: float) -> None:
        """A checkpoint took so long, and training stood still for so long of it."""
        self._progress.saves += 1
        self._progress.save_seconds += stood
        self.interval.learn(took)
        self._told(stood)

    def _write(self, progress: Progress, partial: Partial | None, beside: Mapping[str, torch.Tensor]) -> Path:
        place = save_checkpoint(
            self._run.checkpoints,
            parameters=self._parameters,
            optimizer=self._optimizer,
            progress=progress,
            identity=self._identity,
            keep=self._keep,
            partial=partial,
            beside=beside,
        )
        if partial is None:  # what is learned in the middle of a step, no row can be traced to yet
            note_checkpoint(self._run.path, place, progress.step)
        self._saved_at, self._saved = self._clock.monotonic(), Mark.of(place)
        return place

    def _send(self, place: Path) -> None:
        if self._uploads is not None:
            self._uploads.offer(place)
            self._sent = Mark.of(place)

    def _save_on_notice(self) -> None:
        with self._parts:
            mark = self._on_notice = self._mark(self._settled)
            if mark > self._saved:
                self._write(self._settled, self.accumulator.partial(), self._beside())
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
        notice = {
            "at": to_iso(self._clock.utc_now()),
            "reason": self._shadow.reason,
            "step": self._on_notice.step,
            "parts": self._on_notice.parts,
            "seconds_to_disk": saved - given,
            "seconds_to_store": None if sent_at is None else max(0.0, sent_at - given),
        }
        with storage_errors(self._run.path), (self._run.path / NOTICES).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(notice) + "\n")
