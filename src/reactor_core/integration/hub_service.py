"""``reactor hub``: the meeting point of workspaces and old neighbours, as a process of its own."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from reactor_core.errors import ConfigError, StorageError
from reactor_core.events.hub import PATH, Hub, HubServer
from reactor_core.events.vocabulary import EventSource
from reactor_core.integration.event_bridge import EventBridge
from reactor_core.utils.settings import Settings
from reactor_core.utils.tokens import is_loopback, matches, workspace_token

__all__ = ["DEFAULT_PORT", "run_hub"]

T = TypeVar("T")

_log = logging.getLogger(__name__)

DEFAULT_PORT = 8000
"""Where the services of the family look for their hub."""

SWITCH_SECONDS = 0.0005
"""How long one thread may hold the interpreter while another wants it. With Python's usual 5 ms an urgent event waits
for the thread that writes the journal at each system call of its way through the hub."""


def run_hub(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    token_file: Path | None = None,
    echo: Callable[[str], object] = print,
) -> int:
    """Serve until SIGTERM or SIGINT; then let go of every peer, store what came in, and return.

    Args:
        host: Address to listen on. Any but this machine's own needs a token that was given.
        port: 0 takes a free one.
        token_file: File with the token; None takes ``settings.api_token``, or the workspace's own.
        echo: Called once, with where the hub listens, when it does.

    Returns:
        0.

    Raises:
        ConfigError: The address is open to others and no token was given, or the token cannot be used.
        EnvironmentMissing: The address cannot be listened on.
        JournalError: The journal cannot be opened.
        StorageError: The token file cannot be read.
    """
    if token_file is not None:
        settings = settings.model_copy(update={"api_token": SecretStr(_read_token(token_file))})
    if settings.api_token is None and not is_loopback(host):
        raise ConfigError(
            f"--host {host} is open to other machines, and no token was given",
            remedy="set REACTOR_API_TOKEN or pass --token-file; or listen on 127.0.0.1",
        )
    token = workspace_token(settings)
    sys.setswitchinterval(SWITCH_SECONDS)
    with _ending_signals() as asked, _HubBridge(_without_itself(settings, host, port)) as bridge:
        hub = Hub(
            bridge.journal,
            bridge.bus,
            latch=bridge.latch,
            authenticate=lambda shown: matches(shown, token.value),
            source=bridge.source,
        )
        server = HubServer(hub, token=token.value)
        try:
            bridge.call(server.start(host, port))
            name = f"[{host}]" if ":" in host else host
            shown = "as given" if token.path is None else f"in {token.path}"
            echo(f"Hub at ws://{name}:{server.port}{PATH}\nToken for clients on other machines: {shown}")
            asked.wait()
        finally:
            bridge.call(server.close())
    return 0


class _HubBridge(EventBridge):
    """The hub's own connection to its workspace. Peers are served on its thread, where events are handed out."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(EventSource.SYSTEM, fallback_to_file=False, settings=settings)

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the bridge's loop, and wait for it."""
        return self._started()[1].submit(coroutine).result()


def _without_itself(settings: Settings, host: str, port: int) -> Settings:
    """A machine where every program finds its hub in the environment: the hub must not connect to itself."""
    if settings.event_bridge_ws_url is None:
        return settings
    address = urlsplit(settings.event_bridge_ws_url)
    same = address.hostname == host or (is_loopback(address.hostname) and host in ("0.0.0.0", "::", "127.0.0.1"))  # noqa: S104
    if not same or address.port != port:
        return settings
    _log.info("EVENT_BRIDGE_WS_URL names this hub itself: it does not connect there")
    return settings.model_copy(update={"event_bridge_ws_url": None})


def _read_token(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"cannot read --token-file {path}: {error}") from error


@contextmanager
def _ending_signals() -> Iterator[threading.Event]:
    """Set when the process is asked to end."""
    asked = threading.Event()
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
