"""A thread that saves the run the moment a notice comes, whatever the training thread is computing.

Trained tensors and their moments change only while the optimizer moves. Between two moves, which is nearly always,
they are their own shadow: another thread can read them while the next gradient is being computed, and nothing has to
be copied step by step. So the time from a notice to a durable checkpoint does not depend on how long a step takes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from reactor_core.errors import ReactorError

__all__ = ["Shadow"]


class Shadow:
    """Acts on the first notice.

    Args:
        save: Makes the state durable; called on the thread, with the state still.
        then: Called on the thread afterwards, without holding the state: what takes longer, such as an upload.
    """

    def __init__(self, save: Callable[[], object], then: Callable[[], object] | None = None) -> None:
        self._save, self._then = save, then
        self._state = threading.RLock()
        self._first = threading.Lock()
        self._given, self._done = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="reactor-shadow", daemon=True)
        self.reason: str | None = None
        """What the first notice said; None before it."""
        self.given_at: float | None = None
        """When it came, by :func:`time.monotonic`."""
        self.saved_at: float | None = None
        """When the state of that moment was durable on this machine."""
        self.fault: ReactorError | None = None
        """Why it could not be saved, if so; the training thread tries again after the step."""

    def give_notice(self, reason: str) -> None:
        """Save now. May be called from any thread, and more than once; the first one counts."""
        with self._first:
            if self.reason is None:
                self.given_at, self.reason = time.monotonic(), reason
                self._given.set()

    @contextmanager
    def still(self) -> Iterator[None]:
        """Hold the state: around everything that changes it or reads all of it (training thread)."""
        with self._state:
            yield

    def wait(self, seconds: float) -> bool:
        """Whether a notice that was given has been acted on, waiting for it at most so long."""
        return not self._given.is_set() or self._done.wait(seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the thread; a notice that it acts on is finished first."""
        self._given.set()
        self._thread.join()

    def _run(self) -> None:
        self._given.wait()
        if self.reason is None:  # ended without a notice
            return
        try:
            with self._state:
                self._save()
                self.saved_at = time.monotonic()
            if self._then is not None:
                self._then()
        except ReactorError as error:
            self.fault = error
        finally:
            self._done.set()
