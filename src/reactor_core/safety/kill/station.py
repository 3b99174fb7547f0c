"""A process's place under the kill switch."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self
from weakref import WeakValueDictionary

from reactor_core.errors import ConfigError, EnvironmentMissing, Halted, ReactorError
from reactor_core.events.latch import LatchState
from reactor_core.integration.event_bridge import EventBridge
from reactor_core.safety.kill import wire
from reactor_core.safety.kill.leases import Action
from reactor_core.safety.kill.marks import new_mark
from reactor_core.safety.kill.processes import MARK, find_member, need_pidfds, stop_members
from reactor_core.safety.kill.roster import Roster
from reactor_core.safety.kill.starting import meet_watcher
from reactor_core.safety.kill.switch import pull_switch
from reactor_core.safety.kill.wire import StopReport
from reactor_core.utils.ids import new_id
from reactor_core.utils.settings import process_environment

__all__ = ["Station"]

_log = logging.getLogger(__name__)

BEATS = 5
"""How often a station is heard within its lease."""

ANSWER_SECONDS = 10.0
"""How long an answer of the watcher is waited for; its death is noticed at once."""

_TEXT = 500

_shared: WeakValueDictionary[int, Station] = WeakValueDictionary()  # by the identity of the bridge, which it keeps
_shared_lock = threading.Lock()


class Station:
    """A process's place under the kill switch: a lease at the workspace's watcher, renewed by a thread of its own.

    What acts on behalf of this process is either a process, which is enlisted and which the watcher kills (category 0)
    or asks to end (category 1), or a step inside this process, which is finished or never begins (category 1).

    - The switch is tripped, by anybody: enlisted processes die with all their descendants, no step begins.
    - This process ends, however: what it enlisted dies.
    - This process is silent for longer than its lease while something goes on: everything halts.
    - The watcher ends or is silent: what this process enlisted dies within the lease, and if something went on,
      everything halts.

    Every method may be called from any thread. They wait for the watcher's answer at most; the first use in a workspace
    starts the watcher, which takes about a second.

    Args:
        bridge: The workspace's events; it must outlive the station.
        name: What people read; None takes the bridge's source.
    """

    def __init__(self, bridge: EventBridge, *, name: str | None = None) -> None:
        self._bridge = bridge
        self._latch = bridge.latch
        self._name = name or str(bridge.source)
        self._lease = bridge.settings.kill_switch_lease_ms / 1000
        self._lock = threading.RLock()
        self._opening = threading.Lock()
        self._socket: socket.socket | None = None
        self._closed = False
        self._listening = False
        self._roster = Roster()
        self._running: list[str] = []
        self._step_ended = 0.0
        self._said_busy = False
        self._told_epoch = 0
        self._awaited = 0
        self._pid = os.getpid()

    @classmethod
    def of(cls, bridge: EventBridge) -> Station:
        """The station that everything with this bridge shares."""
        with _shared_lock:
            station = _shared.get(id(bridge))
            if station is None or station.closed:
                station = _shared[id(bridge)] = cls(bridge)
            return station

    @property
    def closed(self) -> bool:
        """Whether it was given back."""
        return self._closed

    @property
    def marks(self) -> dict[str, str]:
        """Environment for enlisted processes: descendants that leave them are found by it."""
        return {MARK: self._mark}

    @functools.cached_property
    def _mark(self) -> str:
        return new_mark(self._bridge.workspace)

    def open(self) -> None:
        """Take the lease; starts the watcher if there is none. The first use of anything else does it.

        Raises:
            Halted: The switch is tripped.
            EnvironmentMissing: There is no watcher and none can be started, so nothing may run.
        """
        need_pidfds()
        self.check()
        with self._opening:
            assert os.getpid() == self._pid, "a forked child needs a station of its own"
            if self._socket is None:
                self._take_lease()
        self.check()

    def check(self) -> None:
        """Raise Halted if nothing may run now. Takes microseconds: ask before each action."""
        state = self._latch.state()
        if state.tripped:
            raise Halted(f"the kill switch is tripped: {state.reason}", remedy="reactor kill status")
        if state.cleared_epoch < self._told_epoch:
            raise Halted(
                f"the watcher knows of a halt with epoch {self._told_epoch} that this process does not",
                remedy="reactor kill status",
            )
        if self._closed:
            raise Halted("the station is closed")

    def enlist(self, pid: int, *, category: int = 0, action: str = "") -> None:
        """Put a process under the switch: it, its group if it leads one, and all its descendants.

        Call it before the process does anything. If it raises, the process must not begin.

        Args:
            pid: A child of this process whose status was not asked for yet, so that the number is its own.
            category: 0: a halt kills it; 1: a halt sends SIGTERM and gives it 5 s to finish its atomic step.
            action: What it does, for people.

        Raises:
            Halted: The switch is tripped; the process was killed.
            EnvironmentMissing: There is no watcher.
            ProcessLookupError: There is no such process.
        """
        if category not in (0, 1):
            raise ConfigError(f"category={category!r} is unknown", remedy="use 0 (kill) or 1 (finish the step)")
        member = find_member(pid)
        if member is None:
            raise ProcessLookupError(f"no process {pid}")
        try:
            self.open()
        except ReactorError:
            stop_members([member])
            raise
        answer = self._roster.add(Action(member, category, action[:_TEXT]))
        try:
            self._say(wire.Enlist(pid, member.born, category, action[:_TEXT]))
            halted = answer.result(ANSWER_SECONDS)
        except (TimeoutError, wire.Lost, Halted) as error:
            stop_members([member])
            self.dismiss(pid)
            raise EnvironmentMissing("the watcher did not answer", remedy="see watcher.log in the workspace") from error
        if halted or self.stopped(pid):
            stop_members([member])
            self._roster.note_stopped([pid])
            self.dismiss(pid)
            self.check()
            raise Halted("the kill switch is tripped")

    def dismiss(self, pid: int) -> None:
        """An enlisted process has ended. Descendants that it left behind still die with this process or by a halt."""
        if not self._roster.drop(pid):
            return
        with contextlib.suppress(Halted):
            self._say(wire.Dismiss(pid))

    def stopped(self, pid: int) -> bool:
        """Whether a process that was enlisted was ended by the switch."""
        return self._roster.stopped(pid)

    @contextlib.contextmanager
    def step(self, action: str = "") -> Iterator[None]:
        """One atomic side effect inside this process. What began is finished, and the halt's time includes it.

        Keep it short. It may be used in coroutines: entering takes microseconds once the station is open.

        Raises:
            Halted: On entering only: the switch is tripped, and nothing of the step was done.
            EnvironmentMissing: On entering only: there is no watcher.
        """
        if self._socket is None:
            self.open()
        with self._lock:
            # Counted first: a trip after the check finds it.
            self._running.append(action[:_TEXT])
            begins = not self._said_busy
            self._said_busy = True
        try:
            if begins:
                self._say(wire.Beat(0, True, action[:_TEXT]))
            self.check()
            yield
        finally:
            self._leave(action[:_TEXT])

    def trip(self, reason: str, *, method: str, action: str = "", alone: bool = False) -> StopReport:
        """Pull the switch; returns when everything of this workspace stands, or with what is still being finished.

        Args:
            reason: Why, in words.
            method: How it was triggered, such as ``budget``.
            action: What was going on; empty: whatever is enlisted.
            alone: Do not ask the watcher, which is known to be gone.

        Raises:
            ConfigError: The kill switch is disabled.
            JournalError: It could not be recorded; the halt holds.
        """
        began, event_id = time.monotonic(), new_id()
        settings = self._bridge.settings.model_copy(update={"workspace": self._bridge.workspace})
        if settings.kill_switch_enabled:
            # What this process does stops here and now; the watcher writes it down for the others.
            self._latch.trip_here(reason=reason, event_id=event_id, by=self._name)
        report = pull_switch(
            settings,
            method=method,
            reason=reason,
            action=action,
            by=self._name,
            bridge=self._bridge,
            event_id=event_id,
            began=began,
            alone=alone,
        )
        self._latch.keep()
        return report

    def close(self) -> None:
        """Give the lease back. What is still enlisted is killed."""
        with self._opening, self._lock:
            if self._closed:
                return
            self._closed = True
            connected = self._socket
        if self._listening:
            self._latch.unlisten(self._latch_changed)
        if connected is not None:
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
            self._thread.join()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_lease(self) -> None:
        """Meet the watcher, greet it, and start the thread that keeps the lease."""
        display = process_environment().get("DISPLAY", "")
        hello = wire.Hello(self._pid, self._name, self._mark, self._lease, display)
        connected, echo = meet_watcher(self._bridge, hello)
        with self._lock:
            self._socket = connected
            self._said_busy = bool(self._running)
            self._awaited = 0
            self._heed(echo)
        if not self._listening:
            self._listening = True
            self._latch.listen(self._latch_changed)
        self._thread = threading.Thread(target=self._keep_lease, args=(connected,), name="reactor-station", daemon=True)
        self._thread.start()

    def _keep_lease(self, connected: socket.socket) -> None:
        """Beat, listen, and notice when the watcher is gone (a thread of its own)."""
        poll = select.poll()
        poll.register(connected, select.POLLIN)
        number, unanswered = 0, time.monotonic()
        next_beat = time.monotonic()
        try:
            while True:
                now = time.monotonic()
                if now >= next_beat:
                    next_beat = now + self._lease / BEATS
                    if number == self._awaited:
                        unanswered = now
                    number += 1
                    with self._lock:
                        self._said_busy = bool(self._running)
                        busy = self._said_busy or now - self._step_ended < self._lease
                        doing = "; ".join(self._running)[:_TEXT]
                    wire.send(connected, wire.Beat(number, busy, doing))
                if poll.poll(max(next_beat - time.monotonic(), 0.0) * 1000):
                    message = wire.receive(connected, at="station")
                    if isinstance(message, wire.Echo):
                        self._awaited = max(self._awaited, message.number)
                        if self._awaited == number:
                            unanswered = time.monotonic()
                    self._heard(message)
                elif self._awaited < number and time.monotonic() - unanswered > self._lease * (BEATS - 1) / BEATS:
                    raise wire.Lost(f"it was silent for {self._lease:.1f} s")
        except wire.Lost as error:
            self._lose(connected, error)

    def _heard(self, message: object) -> None:
        match message:
            case wire.Echo():
                self._heed(message)
            case wire.Enlisted():
                self._roster.answer(message.pid, message.halted)
            case wire.Halt():
                self._told_epoch = max(self._told_epoch, message.epoch)
                stopped = self._roster.stop_groups()
                with self._lock:
                    running, ended = len(self._running), self._step_ended
                with contextlib.suppress(Halted):
                    self._say(wire.Stepped(message.epoch, running, ended, stopped))
            case _:
                _log.warning("the watcher said what was not asked: %s", message)

    def _heed(self, echo: wire.Echo) -> None:
        if echo.tripped:
            self._told_epoch = max(self._told_epoch, echo.epoch)

    def _latch_changed(self, state: LatchState) -> None:
        if state.tripped:
            self._roster.stop_groups()

    def _leave(self, action: str) -> None:
        with self._lock:
            self._running.remove(action)
            self._step_ended = time.monotonic()
            told = 0 if self._running else self._told_epoch
        if told and self._latch.state().tripped:
            with contextlib.suppress(Halted):
                self._say(wire.Stepped(told, 0, self._step_ended))

    def _say(self, message: wire.FromStation) -> None:
        with self._lock:
            connected = self._socket
        if connected is None:
            raise Halted("the watcher of this workspace is gone")
        try:
            wire.send(connected, message)
        except wire.Lost as error:
            raise Halted("the watcher of this workspace is gone") from error

    def _lose(self, connected: socket.socket, error: wire.Lost) -> None:
        """The watcher is gone: stop what acts, and halt everything if something did (the lease's thread)."""
        with self._lock:
            self._socket = None
            running = list(self._running)
        actions, answers = self._roster.lose()
        held = [*(each.says for each in actions), *running]
        stop_members([each.member for each in actions], marks=[self._mark])
        connected.close()
        for answer in answers:
            answer.set_exception(error)
        if self._closed or not held:
            return
        _log.error("the watcher of %s is gone (%s): what went on was stopped", self._bridge.workspace, error)
        if not self._bridge.settings.kill_switch_enabled:
            return
        reason = f"the watcher of {self._name} {self._pid} is gone: {error}"
        try:
            self.trip(reason, method="watcher_lost", action="; ".join(held), alone=True)
        except ReactorError as failure:  # this process is halted nevertheless
            _log.error("the halt could not be recorded: %s", failure)
