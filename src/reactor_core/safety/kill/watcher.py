"""The process that stops the others: ``python -m reactor_core.safety.kill.watcher WORKSPACE``.

One for each workspace, started when somebody needs it and gone some seconds after the last lease. It does nothing but
wait: for leases that fall silent, for the latch, for a person's hand in the corner of the screen. When it has to stop
something it stops first, measures, and says so then.

Its own death is noticed by every station at once (see :mod:`reactor_core.safety.kill.station`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from pathlib import Path

from reactor_core.errors import ReactorError
from reactor_core.events.latch import LatchState
from reactor_core.events.vocabulary import EventSource
from reactor_core.integration.event_bridge import EventBridge
from reactor_core.safety.kill import wire
from reactor_core.safety.kill.halts import Halts
from reactor_core.safety.kill.leases import Action, Lease, actions_of
from reactor_core.safety.kill.processes import Member, find_member, members, process_table, stop_members
from reactor_core.safety.kill.report import Reporter
from reactor_core.safety.kill.triggers import Triggers
from reactor_core.utils.ids import new_id
from reactor_core.utils.settings import Settings, load_settings

__all__ = ["LOG_NAME", "Watcher", "main"]

_log = logging.getLogger(__name__)

LOG_NAME = "watcher.log"
"""File name inside a workspace."""

LINGER_SECONDS = 5.0
"""How long it stays without a lease."""

SWITCH_SECONDS = 0.0005
"""How long the thread that publishes may hold the interpreter while the one that stops wants it."""

LOOK_SECONDS = 1.0
"""How often it notes who descends from the actions."""


class Watcher:
    """The watcher of a workspace.

    Args:
        listening: Where stations come to; :func:`~reactor_core.safety.kill.wire.bind` has made it.
        bridge: Its connection to the workspace's events.
        triggers: Watches the screen; None for none.
    """

    def __init__(self, listening: socket.socket, bridge: EventBridge, *, triggers: Triggers | None = None) -> None:
        self.bridge = bridge
        self.leases: dict[int, Lease] = {}
        self.halts = Halts(bridge, Reporter(bridge), send=self._send)
        self._listening = listening
        self._sockets: dict[int, socket.socket] = {}
        self._triggers = triggers
        self._pulled: deque[wire.Trip] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector = selectors.DefaultSelector()
        self._alone_since = time.monotonic()
        self._looked = 0.0
        self._ending = False

    def run(self) -> None:
        """Watch until nobody has a lease."""
        self._listening.setblocking(False)
        self._selector.register(self._listening, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wake, selectors.EVENT_READ, self._woken)
        self.bridge.latch.listen(self._latch_changed)
        try:
            self.halts.sweep()
            self.halts.look(self.leases)
            while not self._done():
                self._turn()
        finally:
            if self._triggers is not None:
                self._triggers.close()
            self._listening.close()
            self.bridge.latch.unlisten(self._latch_changed)
            self.halts.close()

    def pull(self, method: str, reason: str, moment: float) -> None:
        """Halt everything. May be called from any thread."""
        self._pulled.append(wire.Trip(method, reason, "", moment, new_id(), by="a person at this machine"))
        os.eventfd_write(self._wake, 1)

    def end(self) -> None:
        """End now if nobody has a lease; otherwise when the last one is given back."""
        self._ending = True
        os.eventfd_write(self._wake, 1)

    def _turn(self) -> None:
        ready = self._selector.select(self._patience())
        for key, _ in ready:
            key.data(key.fileobj)
        while self._pulled:
            self.halts.trip(self._pulled.popleft(), self.leases)
        now = time.monotonic()
        for number, lease in list(self.leases.items()):
            # What it has said and this process has not read yet counts: this one may have been slow itself.
            if lease.silent(now) and not self._drained(number):
                self._silent(lease)
        self.halts.go_on(now, self.leases)
        if now - self._looked > LOOK_SECONDS and any(lease.actions for lease in self.leases.values()):
            self._looked = now
            self._note_descendants()

    def _patience(self) -> float:
        now = time.monotonic()
        dues = [lease.deadline() for lease in self.leases.values()]
        dues.append(self.halts.deadline(now))
        return min(max(min(dues) - now, 0.0), LOOK_SECONDS)

    def _done(self) -> bool:
        if self.leases or self.halts.open:
            self._alone_since = time.monotonic()
            return False
        return self._ending or time.monotonic() - self._alone_since > LINGER_SECONDS

    def _woken(self, _: object) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        self.halts.look(self.leases)

    def _latch_changed(self, _: LatchState) -> None:
        os.eventfd_write(self._wake, 1)

    def _accept(self, _: object) -> None:
        with contextlib.suppress(BlockingIOError):
            connected, _address = self._listening.accept()
            if not wire.is_ours(connected):
                connected.close()
                return
            connected.setblocking(False)
            self._sockets[connected.fileno()] = connected
            self._selector.register(connected, selectors.EVENT_READ, self._readable)

    def _readable(self, connected: socket.socket) -> None:
        self._read(connected.fileno())

    def _read(self, number: int) -> bool:
        """Take one message; False if there was none."""
        try:
            message = wire.receive(self._sockets[number], at="watcher")
        except BlockingIOError:
            return False
        except wire.Lost:
            self._gone(number)
            return False
        self._heard(number, message)
        return True

    def _drained(self, number: int) -> bool:
        """Read what a station has said; whether it has said something."""
        said = False
        while number in self._sockets and self._read(number):
            said = True
        return said or number not in self._sockets

    def _heard(self, number: int, message: object) -> None:
        lease = self.leases.get(number)
        if lease is not None:
            lease.heard = time.monotonic()
        match message:
            case wire.Hello():
                self.leases[number] = Lease(message.pid, message.name, message.mark, message.lease, time.monotonic())
                if self._triggers is not None and message.display:
                    self._triggers.watch(message.display, self.pull)
                self._echo(number, 0)
            case wire.Beat() if lease is not None:
                lease.busy, lease.doing = message.busy, message.doing or lease.doing
                self._echo(number, message.number)
            case wire.Enlist() if lease is not None:
                self._enlist(number, lease, message)
            case wire.Dismiss() if lease is not None:
                lease.actions.pop(message.pid, None)
            case wire.Stepped():
                self.halts.said(number, message)
            case wire.Trip():
                self._trip(number, message)
            case wire.Ask():
                self._send(number, self._standing())
            case _:
                self._send(number, wire.Refused("take a lease first"))

    def _echo(self, number: int, beat: int) -> None:
        state = self.bridge.latch.state()
        self._send(number, wire.Echo(beat, state.tripped_epoch, state.tripped))

    def _enlist(self, number: int, lease: Lease, asked: wire.Enlist) -> None:
        member = find_member(asked.pid)
        if member is None or member.born != asked.born:
            member = Member(asked.pid, 0, 0, 0, asked.born)  # gone already
        lease.actions[asked.pid] = Action(member, asked.category, asked.action)
        halted = self.bridge.latch.state().tripped
        if halted:
            stop_members([member])
            lease.actions.pop(asked.pid, None)
        self._send(number, wire.Enlisted(asked.pid, halted))

    def _trip(self, number: int, message: wire.Trip) -> None:
        if self.bridge.settings.kill_switch_enabled:
            self.halts.trip(message, self.leases, answer=number)
        else:
            self._send(number, wire.Refused("the kill switch is disabled: KILL_SWITCH_ENABLED is false"))

    def _standing(self) -> wire.Standing:
        leases = self.leases.values()
        watched = () if self._triggers is None else self._triggers.watched
        return wire.Standing(os.getpid(), tuple(each.title for each in leases), tuple(actions_of(leases)), watched)

    def _silent(self, lease: Lease) -> None:
        """A lease ran out. Where something went on under it, nobody knows what it does now: everything halts."""
        lease.heard = time.monotonic()  # said once for each silence
        if not lease.holds:
            return
        reason = f"{lease.title} has not been heard for {lease.seconds:.1f} s"
        _log.error("%s", reason)
        lease.busy = False
        trip = wire.Trip("missed_heartbeat", reason, "", time.monotonic(), new_id(), by=lease.title)
        if self.bridge.settings.kill_switch_enabled:
            self.halts.trip(trip, self.leases)
        else:
            self.halts.end_actions(lease, f"{reason}; the kill switch is disabled")
        lease.actions.clear()

    def _gone(self, number: int) -> None:
        """A station's process has ended, or closed its station: what acts on its behalf ends with it."""
        connected = self._sockets.pop(number)
        self._selector.unregister(connected)
        connected.close()
        lease = self.leases.pop(number, None)
        self.halts.gone(number)
        if lease is not None:
            self.halts.end_actions(lease, f"{lease.title} has ended")

    def _note_descendants(self) -> None:
        table = process_table()
        for lease in self.leases.values():
            roots = [*(action.member for action in lease.actions.values()), *lease.seen.values()]
            lease.seen = members(roots, table=table) if roots else {}

    def _send(self, number: int, message: wire.FromWatcher) -> None:
        connected = self._sockets.get(number)
        if connected is None:
            return
        with contextlib.suppress(wire.Lost):  # its end is read soon
            wire.send(connected, message)


def main(arguments: list[str] | None = None) -> int:
    """Become the watcher of a workspace in the background; returns in the foreground when stations may come."""
    workspace = Path((sys.argv[1:] if arguments is None else arguments)[0])
    settings = load_settings().model_copy(update={"workspace": workspace})
    try:
        listening = wire.bind(workspace)
        log = os.open(workspace / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        print(f"{workspace}: {error}", file=sys.stderr)  # noqa: T201  for who starts it
        return 1
    if listening is None:
        return 0  # there is one
    if os.fork() > 0:
        os._exit(0)
    os.setsid()
    _write_to(log)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        _watch(listening, settings)
    except ReactorError as error:
        _log.error("the watcher ends: %s", error)
        return error.exit_code
    return 0


def _watch(listening: socket.socket, settings: Settings) -> None:
    sys.setswitchinterval(SWITCH_SECONDS)
    with EventBridge(EventSource.SYSTEM, workspace=settings.workspace, settings=settings) as bridge:
        watcher = Watcher(listening, bridge, triggers=Triggers(settings) if settings.kill_switch_enabled else None)
        # The terminal's Ctrl-C and a shutdown reach it as they reach the stations: it outlives them.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: watcher.end())
        watcher.run()


def _write_to(log: int) -> None:
    """Let go of the terminal, and of who waits for the end of the starter's output."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(log)


if __name__ == "__main__":
    sys.exit(main())
