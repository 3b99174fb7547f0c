"""One job at a time on a thread of its own, for the time in which what it reads does not change."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["Background"]


class Background:
    """Runs a job beside the thread that begins it, which waits for its end before it changes what the job reads.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None

    @property
    def running(self) -> bool:
        """Whether a job is going on."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self, job: Callable[[], object]) -> None:
        """Run a job; the one before has to be waited for."""
        assert self._thread is None, "one at a time"

        def run() -> None:
            try:
                job()
            except Exception as error:  # noqa: BLE001  raised by wait(), in the thread that it concerns
                self._error = error

        self._thread = threading.Thread(target=run, name=self._name, daemon=True)
        self._thread.start()

    def wait(self) -> bool:
        """Return when no job is running; whether there was one since the last call.

        Raises:
            Exception: What the job raised.
        """
        ran = self._thread is not None
        self.end()
        error, self._error = self._error, None
        if error is not None:
            raise error
        return ran

    def end(self) -> None:
        """Wait for the job; what it raised is left to :meth:`wait`."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
