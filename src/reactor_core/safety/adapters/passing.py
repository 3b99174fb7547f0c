"""Taking the actions of a model's tool call through the gate before the caller sees it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from reactor_core.errors import ReactorError, SafetyError
from reactor_core.safety.adapters.tool_calls import ToolAction
from reactor_core.safety.gate import SafetyGate
from reactor_core.safety.permit import Permit

__all__ = ["Passing"]

MOST_OPEN = 1024
"""Calls whose result nobody has told yet; beyond it the oldest is given up."""


class Passing:
    """The calls of one client on their way: judged and asked about before the caller sees them, and remembered until
    their result goes back to the model, which says what came of them.

    Args:
        gate: The gate.
    """

    def __init__(self, gate: SafetyGate) -> None:
        self.gate = gate
        self._lock = threading.Lock()
        self._open: OrderedDict[str, list[Permit]] = OrderedDict()

    def take(self, call_id: str, actions: Sequence[ToolAction], **context: Any) -> SafetyError | None:
        """Take a call through the gate.

        Args:
            call_id: The call's name, by which its result is known.
            actions: What it would do.
            context: What people are shown.

        Returns:
            None if it may be done; otherwise why not.

        Raises:
            ReactorError: The gate itself cannot go on (journal, watcher): nothing may be done.
        """
        permits: list[Permit] = []
        try:
            for kind, action, doubt in actions:
                guarding = self.gate.guard(
                    action, kind, by_caller=True, doubts=[doubt] if doubt else [], context={"call": call_id, **context}
                )
                permits.append(guarding.__enter__())
        except SafetyError as error:
            self._give_up(permits)
            return error
        except ReactorError:
            self._give_up(permits)
            raise
        with self._lock:
            self._open[call_id] = permits
            late = [self._open.popitem(last=False)[1] for _ in range(len(self._open) - MOST_OPEN)]
        for one in late:
            self._give_up(one)
        return None

    def claim(self, call_id: str, action: str) -> Permit | None:
        """The permit of a call's next action, for who does it now; None if what would be done is not what came through.

        Such a permit is given up, and the action has to go through the gate anew.
        """
        with self._lock:
            permits = self._open.get(call_id)
            permit = permits.pop(0) if permits else None
        if permit is None or permit.action == action:
            return permit
        permit.abandon()
        return None

    def result(self, call_id: str, *, failed: bool = False) -> None:
        """The caller tells what came of a call; one that is not known is not his fault."""
        with self._lock:
            permits = self._open.pop(call_id, [])
        for permit in permits:
            permit.leave(RuntimeError("the tool reported an error") if failed else None)

    def _give_up(self, permits: Sequence[Permit]) -> None:
        for permit in permits:
            permit.abandon()
