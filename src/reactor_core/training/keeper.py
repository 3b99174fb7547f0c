"""Everything that makes a run last: checkpoints between steps, on a notice, on this machine and in the bucket."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from reactor_core.cloud.metadata import PreemptionWatch
from reactor_core.errors import StorageError
from reactor_core.training.checkpoint import Progress, save_checkpoint
from reactor_core.training.lineage import note_checkpoint
from reactor_core.training.remote import RemoteRun, TakenOver
from reactor_core.training.runs import Run
from reactor_core.training.shadow import Shadow
from reactor_core.training.stop import stop_signals
from reactor_core.training.uploads import APPENDED, Uploads
from reactor_core.utils.clock import Clock, to_iso
from reactor_core.utils.failpoints import reach
from reactor_core.utils.files import storage_errors

__all__ = ["NOTICES", "Keeper", "Place"]

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


class Keeper:
    """Saves one run.

    Args:
        run: Its folder.
        parameters: Trained tensors by name, in the optimizer's order.
        optimizer: Its moments are saved beside them.
        identity: Hashes that a resume must meet.
        progress: Where the run begins in this process.
        seconds: Between checkpoints.
        keep: How many are kept.
        clock: Source of time.
        elsewhere: The bucket that gets them as well, and who announces the end of this machine; None for neither.
    """

    def __init__(
        self,
        run: Run,
        *,
        parameters: dict[str, torch.nn.Parameter],
        optimizer: torch.optim.Optimizer,
        identity: dict[str, str],
        progress: Progress,
        seconds: float,
        keep: int,
        clock: Clock,
        elsewhere: Place | None = None,
    ) -> None:
        self._run, self._parameters, self._optimizer, self._identity = run, parameters, optimizer, identity
        self._seconds, self._keep, self._clock = seconds, keep, clock
        place = elsewhere or Place()
        self._remote, self._interval, self._metadata_host = place.remote, place.interval, place.metadata_host
        self._settled, self._settled_on_notice = replace(progress), progress.step
        self._saved_at, self._saved_step, self._sent_step = clock.monotonic(), progress.step, progress.step
        if place.remote is not None:
            # A later one than the run goes on from is damaged, and counts as none.
            self._sent_step = newest if (newest := place.remote.newest_step) <= progress.step else -1
        self._shadow = Shadow(self._save_on_notice, self._send_on_notice)
        self._uploads = None if place.remote is None else Uploads(place.remote, run.path)

    @contextmanager
    def watching(self) -> Iterator[Callable[[], str | None]]:
        """Listen for signals and preemption inside the block.

        Yields:
            A function that gives the reason to stop, or None. What the last step came to is saved as soon as the reason
            comes, without waiting for it to be asked.
        """
        with ExitStack() as stack:
            if self._uploads is not None:
                stack.enter_context(self._uploads)
            shadow = stack.enter_context(self._shadow)
            signalled = stack.enter_context(stop_signals(shadow.give_notice))
            if self._metadata_host is not None:
                stack.enter_context(PreemptionWatch(self._metadata_host, shadow.give_notice))
            yield lambda: signalled() or shadow.reason

    @contextmanager
    def moving(self, progress: Progress) -> Iterator[None]:
        """Around whatever changes trained tensors, moments or progress: nothing is saved in the middle of it."""
        with self._shadow.still():
            yield
            reach("keeper.moved")
            self._settled = replace(progress)

    def tick(self, progress: Progress) -> None:
        """Save if it is time; after each step.

        Raises:
            StorageFull: No space is left on this machine.
            TakenOver: Another machine has claimed the run.
        """
        if self._uploads is not None:
            self._uploads.check()
        by_steps = self._interval is not None and progress.step % self._interval == 0
        if by_steps or self._clock.monotonic() - self._saved_at >= self._seconds:
            self.save(progress, send=by_steps or self._interval is None)

    def save(self, progress: Progress, *, send: bool = False) -> None:
        """Save now; its time counts as training. The bucket gets it too if ``send``.

        Raises:
            StorageFull: No space is left on this machine.
        """
        begun = self._clock.monotonic()
        with self.moving(progress):
            place = self._write(progress)
            if send:
                self._send(place, progress.step)
        progress.elapsed += self._clock.monotonic() - begun

    def save_news(self, progress: Progress) -> None:
        """Save what no checkpoint holds yet, here and in the bucket."""
        with self._shadow.still():  # a notice that is being acted on may just have saved it
            if progress.step > self._saved_step:
                self.save(progress, send=True)
            elif self._uploads is not None and progress.step > self._sent_step:
                self._send(self._run.checkpoints / f"step-{progress.step:08d}", progress.step)

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
        has = self._uploads.durable_step
        if has >= progress.step:
            return f"; {self._remote.where} has it too"
        return f"; {self._remote.where} has only {'what it had' if has < 0 else f'step {has}'}"

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

    def _write(self, progress: Progress) -> Path:
        place = save_checkpoint(
            self._run.checkpoints,
            parameters=self._parameters,
            optimizer=self._optimizer,
            progress=progress,
            identity=self._identity,
            keep=self._keep,
        )
        note_checkpoint(self._run.path, place, progress.step)
        self._saved_at, self._saved_step = self._clock.monotonic(), progress.step
        return place

    def _send(self, place: Path, step: int) -> None:
        if self._uploads is not None:
            self._uploads.offer(place, step)
            self._sent_step = step

    def _save_on_notice(self) -> None:
        step = self._settled_on_notice = self._settled.step
        if step > self._saved_step:
            self._write(self._settled)
        if step > self._sent_step:
            self._send(self._run.checkpoints / f"step-{step:08d}", step)

    def _send_on_notice(self) -> None:
        sent_at = None
        if self._uploads is not None:
            self._uploads.settle(NOTICE_SECONDS)
            if self._uploads.durable_step >= self._settled_on_notice:
                sent_at = self._uploads.durable_at
        given, saved = self._shadow.given_at, self._shadow.saved_at
        assert given is not None, "a notice was given"
        assert saved is not None, "it was saved before it was sent"
        notice = {
            "at": to_iso(self._clock.utc_now()),
            "reason": self._shadow.reason,
            "step": self._settled_on_notice,
            "seconds_to_disk": saved - given,
            "seconds_to_store": None if sent_at is None else max(0.0, sent_at - given),
        }
        with storage_errors(self._run.path), (self._run.path / NOTICES).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(notice) + "\n")
