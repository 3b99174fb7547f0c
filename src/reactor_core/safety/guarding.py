"""Entering an action: judge, write down, ask, use up the answer; and writing down how it ended."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from reactor_core.errors import ActionDenied
from reactor_core.safety.engine import Decision
from reactor_core.safety.execution import Prepared
from reactor_core.safety.permit import Permit
from reactor_core.safety.running import begun, on_thread

if TYPE_CHECKING:
    from reactor_core.safety.confirm import Outcome, Ticket

__all__ = ["Admitted", "Door", "Guarding", "Order"]

A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants to do; the fields are the arguments of :meth:`SafetyGate.guard`."""

    action: str | tuple[str, ...]
    kind: str
    cwd: str | Path | None
    env: Mapping[str, str]
    context: Mapping[str, Any]
    release: bool = False
    by_caller: bool = False
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Admitted:
    """An action that is judged and written down, and not refused so far.

    Args:
        decision: What the gate decided.
        decision_id: Its name in the audit trail.
        prepared: The program, if it is one.
        ticket: The question to people, or the answer that released it; None if nobody need be asked.
    """

    decision: Decision
    decision_id: str
    prepared: Prepared | None
    ticket: Ticket | None


class Door(Protocol):
    """What :class:`Guarding` needs of the gate."""

    def decide(self, order: Order) -> Admitted:
        """Judge and write down."""

    def admit(self, admitted: Admitted) -> Permit:
        """Use up the answer."""

    def refuse(self, admitted: Admitted, why: str, *, outcome: str = "refused") -> None:
        """Write down that it does not run."""


class Guarding:
    """One action on its way through the gate. Made by :meth:`SafetyGate.guard`; enter it once."""

    def __init__(self, door: Door, order: Order) -> None:
        self._door = door
        self._order = order
        self._permit: Permit | None = None

    def __enter__(self) -> Permit:
        admitted = self._door.decide(self._order)
        ticket = _waiting(admitted)
        if ticket is not None:
            try:
                outcome = ticket.wait()
            except BaseException as error:
                self._give_up(admitted, error)
                raise
            self._heard(admitted, outcome)
        self._permit = self._door.admit(admitted)
        return self._permit

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._permit is not None:
            self._permit.leave(error)

    async def __aenter__(self) -> Permit:
        admitted = await _whole(self._door.decide, self._order, undo=self._give_up)
        ticket = _waiting(admitted)
        if ticket is not None:
            try:
                outcome = await ticket.answer()
            except BaseException as error:
                await on_thread(self._give_up, admitted, error)
                raise
            if not outcome.confirmed:
                await on_thread(self._heard, admitted, outcome)
        self._permit = await _whole(self._door.admit, admitted, undo=Permit.abandon)
        return self._permit

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._permit is not None:
            await asyncio.to_thread(self._permit.leave, error)

    def _heard(self, admitted: Admitted, outcome: Outcome) -> None:
        if not outcome.confirmed:
            why = (
                f"nobody answered in time ({outcome.method})"
                if not outcome.principal
                else (f"{outcome.principal} said no ({outcome.method})")
            )
            self._door.refuse(admitted, why)
            raise ActionDenied(f"not run: {why}")

    def _give_up(self, admitted: Admitted, error: BaseException | None = None) -> None:
        """The caller stops waiting: nobody need answer any more."""
        try:
            if admitted.ticket is not None:
                admitted.ticket.cancel()
        finally:
            why = "CancelledError" if error is None else type(error).__name__
            self._door.refuse(admitted, why, outcome="abandoned")


def _waiting(admitted: Admitted) -> Ticket | None:
    """The question that has no answer yet."""
    ticket = admitted.ticket
    return None if ticket is None or ticket.settled else ticket


async def _whole(call: Callable[[A], R], argument: A, *, undo: Callable[[R], object]) -> R:
    """Run on a thread to the end even if the caller is cancelled; what came of it then is undone before he goes on."""
    lock = threading.Lock()
    left = False
    made: list[R] = []

    def work() -> R:
        result = call(argument)
        with lock:
            if not left:
                made.append(result)
                return result
        undo(result)  # by this thread, as the caller may be cancelled once more, and his loop closed
        return result

    working = begun(work)
    working.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # who left does not ask for it
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        with lock:
            left = True
        if made:
            await on_thread(undo, made[0])
        else:
            await asyncio.wait([working])
        raise
