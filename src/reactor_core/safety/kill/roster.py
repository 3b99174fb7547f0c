"""What acts on behalf of one station, and what of it the switch has ended. Any thread may ask."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterable
from concurrent.futures import Future

from reactor_core.safety.kill.leases import Action
from reactor_core.safety.kill.processes import find_member

__all__ = ["Roster"]

REMEMBERED = 4096
"""Ends of how many processes are remembered for who asks later."""


class Roster:
    """The processes that a station has enlisted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._actions: dict[int, Action] = {}
        self._answers: dict[int, Future[bool]] = {}
        self._stopped: dict[int, None] = {}

    def add(self, action: Action) -> Future[bool]:
        """Enlist a process; gives the place for the watcher's answer, which is whether everything is halted."""
        pid, answer = action.member.pid, Future[bool]()
        with self._lock:
            self._stopped.pop(pid, None)
            self._actions[pid] = action
            self._answers[pid] = answer
        return answer

    def answer(self, pid: int, halted: bool) -> None:
        """The watcher has answered."""
        with self._lock:
            answer = self._answers.pop(pid, None)
        if answer is not None:
            answer.set_result(halted)

    def drop(self, pid: int) -> bool:
        """It acts no more; whether it was enlisted."""
        with self._lock:
            self._answers.pop(pid, None)
            return self._actions.pop(pid, None) is not None

    def stopped(self, pid: int) -> bool:
        """Whether a process was ended by the switch."""
        with self._lock:
            return pid in self._stopped

    def note_stopped(self, pids: Iterable[int]) -> None:
        """These were ended by the switch."""
        with self._lock:
            self._note(pids)

    def stop_groups(self) -> tuple[int, ...]:
        """Kill the groups of category 0 at once; the watcher sees to everything that has left them."""
        with self._lock:
            doomed = [each.member for each in self._actions.values() if each.category == 0]
            self._note(self._actions)
        for member in doomed:
            now = find_member(member.pid)
            if member.group == member.pid and now is not None and now.born == member.born:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(member.pid, signal.SIGKILL)
        return tuple(member.pid for member in doomed)

    def lose(self) -> tuple[list[Action], list[Future[bool]]]:
        """The watcher is gone: all of them count as ended. Gives them, and the answers that never come."""
        with self._lock:
            self._note(self._actions)
            answers = list(self._answers.values())
            self._answers.clear()
            return list(self._actions.values()), answers

    def _note(self, pids: Iterable[int]) -> None:
        self._stopped |= dict.fromkeys(pids)
        while len(self._stopped) > REMEMBERED:
            del self._stopped[next(iter(self._stopped))]
