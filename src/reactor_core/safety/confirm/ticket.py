"""Waiting for the answer to a question."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Protocol

from reactor_core.errors import ReactorError
from reactor_core.events.doorbell import POLL_SECONDS, Doorbell, drain, wait_readable
from reactor_core.safety.confirm.question import Question, Said

__all__ = ["Approver", "Desk", "Outcome", "Ticket"]

_log = logging.getLogger(__name__)

Approver = Callable[[Question, threading.Event], Said | None]
"""Asks somebody. Runs on a thread of its own, ends soon after the event is set, and gives None for no answer."""

LOOK_SECONDS = 0.5
"""How often a waiting program looks although nobody rang."""


class Desk(Protocol):
    """Where questions are kept; :class:`Approvals` is it."""

    @property
    def doorbell(self) -> Doorbell:
        """Rings after each answer."""
        ...

    def question(self, ticket_id: str) -> Question:
        """A question as it stands."""
        ...

    def say(self, ticket_id: str, said: Said) -> Question:
        """Store an answer."""
        ...

    def end(self, ticket_id: str, *, method: str = "timeout") -> Question:
        """End a question without an answer."""
        ...


class Outcome:
    """How a question ended.

    Attributes:
        question: As it stands.
        confirmed: Whether the action may run.
        method: How people answered; ``timeout`` where nobody did.
        principal: Who answered; several names are joined by commas.
    """

    __slots__ = ("confirmed", "method", "principal", "question")

    def __init__(self, question: Question) -> None:
        said = [answer for answer in question.answers if answer.confirmed == (question.state == "confirmed")]
        self.question = question
        self.confirmed = question.state == "confirmed"
        self.method = "+".join(dict.fromkeys(str(answer.method) for answer in said)) or "timeout"
        self.principal = ", ".join(answer.person for answer in said)

    def __repr__(self) -> str:
        return f"Outcome(confirmed={self.confirmed}, method={self.method!r}, principal={self.principal!r})"


class Ticket:
    """A question and the right to wait for its answer. Made by :meth:`Approvals.request`.

    Args:
        desk: Where it was asked.
        question: As it was asked.
        seconds: How long an answer counts.
        approver: Asks somebody meanwhile.
    """

    def __init__(self, desk: Desk, question: Question, *, seconds: float, approver: Approver | None) -> None:
        self.ticket_id = question.ticket_id
        self.question = question
        self.settled = question.state != "open"
        self._desk = desk
        self._deadline = time.monotonic() + seconds
        self._approver = approver
        self._stop = threading.Event()
        self._asking: threading.Thread | None = None
        self._starting = threading.Lock()
        self._wakers: set[Callable[[], object]] = set()

    def wait(self, timeout: float | None = None) -> Outcome:
        """Block until it is answered; no answer in time ends the question, as a denial.

        Args:
            timeout: Seconds to wait; None, and anything longer, until its time is over.

        Raises:
            JournalError: How it stands cannot be read, or its end not be stored.
        """
        self._ask()
        deadline = self._until(timeout)
        watched = self._desk.doorbell.watch()
        try:
            while (found := self._found(deadline)) is None:
                left = max(0.0, min(LOOK_SECONDS, deadline - time.monotonic()))
                if watched is None:
                    time.sleep(min(left, POLL_SECONDS))
                else:
                    wait_readable(watched, left)
                    drain(watched)
            return found
        finally:
            self._stop.set()
            if watched is not None:
                os.close(watched)

    async def answer(self, timeout: float | None = None) -> Outcome:  # noqa: ASYNC109  it ends the question
        """:meth:`wait` without blocking the caller's loop. Cancelling it leaves the question open."""
        self._ask()
        loop = asyncio.get_running_loop()
        rung = asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(rung.set)

        ear = self._desk.doorbell.listen(loop, rung.set)
        self._wakers.add(wake)
        deadline = self._until(timeout)
        try:
            while (found := await asyncio.to_thread(self._found, deadline)) is None:
                left = max(0.001, min(LOOK_SECONDS, deadline - time.monotonic()))
                try:
                    await asyncio.wait_for(rung.wait(), left)
                except TimeoutError:
                    continue
                rung.clear()
            self._stop.set()
            return found
        finally:
            self._wakers.discard(wake)
            ear.close()

    def cancel(self) -> None:
        """Ask no more, as the action will not run whatever people say. One that is settled stays as it is."""
        self._stop.set()
        self._desk.end(self.ticket_id, method="withdrawn")

    def wake(self) -> None:
        """Look at once how it stands."""
        for waker in list(self._wakers):
            waker()

    def _until(self, timeout: float | None) -> float:
        return self._deadline if timeout is None else min(self._deadline, time.monotonic() + timeout)

    def _found(self, deadline: float) -> Outcome | None:
        """How it ended; None while it is open. Past the deadline it is ended."""
        self.question = self._desk.question(self.ticket_id)
        if self.question.state == "open" and time.monotonic() < deadline:
            return None
        if self.question.state in ("open", "expired"):
            self.question = self._desk.end(self.ticket_id)  # someone may have answered in this very moment
        self.settled = True
        return Outcome(self.question)

    def _ask(self) -> None:
        """Let the approver ask, once, however often the answer is waited for."""
        with self._starting:
            if self._approver is None or self._asking is not None or self.settled:
                return
            self._asking = threading.Thread(target=self._run, name="reactor-approver", daemon=True)
            self._asking.start()

    def _run(self) -> None:
        assert self._approver is not None, "it is what this thread runs"
        try:
            said = self._approver(self.question, self._stop)
            if said is not None and not self._stop.is_set():
                self._desk.say(self.ticket_id, said)
        except ReactorError as error:
            _log.warning("question %s: %s", self.ticket_id, error)
        except Exception:  # noqa: BLE001  others may still answer; without an answer it is a denial
            _log.exception("question %s: the approver failed", self.ticket_id)
