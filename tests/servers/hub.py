"""A hub in this process, on a thread and a port of its own; it can end and come back on the same port."""

from __future__ import annotations

from pathlib import Path

from reactor_core.events.bus import Bus
from reactor_core.events.hub import Hub, HubServer
from reactor_core.events.journal import Journal
from reactor_core.events.latch import Latch
from reactor_core.events.loop_thread import LoopThread
from reactor_core.utils.tokens import matches

TOKEN = "a-token-for-tests-only"


class HubHost:
    """Everything that a hub needs, over one workspace.

    Args:
        workspace: Folder of the hub's journal.
    """

    def __init__(self, workspace: Path, *, port: int = 0) -> None:
        self.workspace = workspace
        self.journal = Journal(workspace / "reactor.db")
        self.thread = LoopThread("hub")
        self.thread.start()
        self.bus = Bus(self.journal, self.thread, target="system")
        self.latch = Latch(workspace, journal=self.journal)
        self.hub = Hub(self.journal, self.bus, latch=self.latch, authenticate=lambda token: matches(token, TOKEN))
        self.server = HubServer(self.hub, token=TOKEN)
        self.thread.submit(self.server.start("127.0.0.1", port)).result(30)
        self.port = self.server.port
        self.url = f"ws://127.0.0.1:{self.port}/ws/events"

    def close(self) -> None:
        self.thread.submit(self.server.close()).result(30)
        self.thread.submit(self.bus.close()).result(30)
        self.thread.stop()
        self.latch.close()
        self.journal.close()
