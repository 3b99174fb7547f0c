"""Where events can be handed to: stdout, a file that bridges share, another workspace, a hub."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from reactor_core.errors import ConfigError, StorageError
from reactor_core.events.event import Event
from reactor_core.events.journal import JOURNAL_NAME, Journal
from reactor_core.events.vocabulary import Priority
from reactor_core.events.writer import Appended
from reactor_core.utils.files import storage_errors

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

__all__ = ["Target", "open_target"]

HUB_SECONDS = 30.0
"""How long a hub may take to connect, and to confirm what it got."""

_WINDOW = 512


class Target(Protocol):
    """Takes events one after the other."""

    known: int | None
    """How many it had already; None where it does not say."""

    def send(self, event: Event) -> None:
        """Hand over one event."""
        ...

    def finish(self) -> None:
        """Wait until it has all of them."""
        ...


@contextmanager
def open_target(name: str, *, token: str | None = None) -> Iterator[Target]:
    """The target that a name means.

    Args:
        name: ``-``, ``ws://`` or ``wss://``, a file that ends in ``.jsonl``, or the folder of a workspace.
        token: Bearer token for a hub.

    Raises:
        ConfigError: The name is none of these.
        StorageError: The file cannot be written, the hub cannot be reached.
        JournalError: The workspace's journal cannot be opened.
    """
    if name == "-":
        yield _Lines(sys.stdout, Event.to_json)
    elif name.startswith(("ws://", "wss://")):
        with _hub(name, token) as hub:
            yield hub
    elif "://" in name:
        raise ConfigError(f"events cannot be sent to {name}", remedy='use "-", ws://..., a .jsonl file or a folder')
    elif name.endswith(".jsonl"):
        path = Path(name)
        with storage_errors(path), path.open("a", encoding="utf-8") as stream:
            yield _Lines(stream, Event.to_family_json)
    else:
        with Journal(Path(name) / JOURNAL_NAME) as journal:
            yield _Workspace(journal)


class _Lines:
    known: int | None = None

    def __init__(self, stream: IO[str], spell: Callable[[Event], bytes]) -> None:
        self._stream = stream
        self._spell = spell

    def send(self, event: Event) -> None:
        # One write for each line, so that those who share the file never see half of one.
        self._stream.write(self._spell(event).decode() + "\n")
        self._stream.flush()

    def finish(self) -> None:
        self._stream.flush()


class _Workspace:
    def __init__(self, journal: Journal) -> None:
        self.known: int | None = 0
        self._journal = journal
        self._waiting: deque[Future[Appended]] = deque()

    def send(self, event: Event) -> None:
        urgent = event.priority == Priority.CRITICAL
        if urgent:
            self.finish()  # it would overtake those that wait
        self._waiting.append(self._journal.append(event, origin="replay"))
        if len(self._waiting) >= _WINDOW or urgent:
            self._settle()

    def finish(self) -> None:
        while self._waiting:
            self._settle()

    def _settle(self) -> None:
        self.known = (self.known or 0) + self._waiting.popleft().result().duplicate


class _Hub:
    """Speaks the family's dialect, which every hub knows: a pong says that all before the ping was handled."""

    known: int | None = None

    def __init__(self, url: str, connection: ClientConnection) -> None:
        self._url = url
        self._connection = connection
        self._unconfirmed = 0

    def send(self, event: Event) -> None:
        self._connection.send(event.to_family_json().decode())
        self._unconfirmed += 1
        if self._unconfirmed >= _WINDOW:
            self.finish()

    def finish(self) -> None:
        if not self._connection.ping().wait(HUB_SECONDS):
            raise StorageError(f"{self._url} did not confirm within {HUB_SECONDS:.0f} s", remedy="run it again")
        self._unconfirmed = 0


@contextmanager
def _hub(url: str, token: str | None) -> Iterator[_Hub]:
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    headers = None if token is None else {"Authorization": f"Bearer {token}"}
    try:
        with connect(url, additional_headers=headers, open_timeout=HUB_SECONDS) as connection:
            connection.send('{"type":"identity","source":"system"}')

            def drain() -> None:
                # What the hub sends is not for us, but unread it would hold up the pongs.
                with suppress(WebSocketException, OSError):
                    for _ in connection:
                        pass

            threading.Thread(target=drain, name="reactor-replay", daemon=True).start()
            yield _Hub(url, connection)
    except (WebSocketException, OSError, ValueError) as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"{url}: {error}", remedy="run it again when the hub is up") from error
