"""The metadata server of a Compute Engine machine: what the machine is told about itself.

https://cloud.google.com/compute/docs/metadata/overview
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from reactor_core.errors import StorageError

__all__ = ["PREEMPTION", "PreemptionWatch", "read_metadata"]

PREEMPTION = "preemption notice"
"""What a watch says when the machine is going to be taken away."""

_log = logging.getLogger(__name__)

_BASE = "/computeMetadata/v1/"
_HEADERS = {"Metadata-Flavor": "Google"}
_HANG_SECONDS = 60
"""How long the server keeps a request that waits for a change."""
_PATIENCE_SECONDS = 15
"""How much later than that a connection counts as dead."""
_CONNECT_SECONDS = 5
_PAUSES = (0.2, 1.0, 5.0, 15.0)
"""Seconds between attempts while the server does not answer; the last one repeats."""


def read_metadata(host: str, path: str, *, seconds: float = 2.0) -> str:
    """One value, such as ``instance/preempted`` or ``instance/zone``.

    Args:
        host: Host name or ``host:port`` of the server.
        path: Below ``computeMetadata/v1``.
        seconds: How long to wait for the answer.

    Raises:
        StorageError: There is no such server, or it does not answer as one.
    """
    connection = http.client.HTTPConnection(host, timeout=seconds)
    try:
        return _ask(connection, path)[0]
    except (OSError, http.client.HTTPException) as error:
        raise StorageError(f"metadata server {host}: {error}") from error
    finally:
        connection.close()


def _ask(connection: http.client.HTTPConnection, path: str) -> tuple[str, str]:
    """Value and entity tag."""
    connection.request("GET", _BASE + path, headers=_HEADERS)
    answer = connection.getresponse()
    body = answer.read()
    # Any web server may sit at the address; Google's names itself.
    if answer.status != http.HTTPStatus.OK or answer.getheader("Metadata-Flavor") != "Google":
        raise http.client.HTTPException(f"answered {answer.status} to {path}")
    return body.decode().strip(), answer.getheader("ETag") or "0"


class PreemptionWatch:
    """Calls back, once, as soon as the machine is going to be taken away.

    A request hangs at the server until ``instance/preempted`` changes; the server closes it now and then, and it is
    asked again. An unreachable server is asked again with growing pauses, and logged once: SIGTERM still comes.

    Args:
        host: Host name or ``host:port`` of the metadata server.
        told: Called with a reason, on a thread of the watch.
    """

    def __init__(self, host: str, told: Callable[[str], object]) -> None:
        self._host, self._told = host, told
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None
        self._thread = threading.Thread(target=self._run, name="reactor-preemption", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the watch, the request that hangs included."""
        self._ended.set()
        with self._lock:
            connection = self._connection
        if connection is not None and (sock := connection.sock) is not None:
            with contextlib.suppress(OSError):  # closed at this moment by the other side
                sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(_PATIENCE_SECONDS)

    def _run(self) -> None:
        failures, tag = 0, "0"
        while not self._ended.is_set():
            try:
                value, tag = self._wait(tag)
            except (OSError, http.client.HTTPException) as error:
                if self._ended.is_set():
                    return
                if failures == 0:
                    _log.warning("metadata server %s: %s; asking again until it answers", self._host, error)
                self._ended.wait(_PAUSES[min(failures, len(_PAUSES) - 1)])
                failures, tag = failures + 1, "0"
                continue
            failures = 0
            if value.upper() == "TRUE":
                self._told(PREEMPTION)
                return

    def _wait(self, tag: str) -> tuple[str, str]:
        """The value as soon as it is not the one of this tag; at the latest when the server gives up waiting."""
        connection = http.client.HTTPConnection(self._host, timeout=_CONNECT_SECONDS)
        try:
            connection.connect()
            connection.sock.settimeout(_HANG_SECONDS + _PATIENCE_SECONDS)
            with self._lock:
                if self._ended.is_set():
                    raise ConnectionAbortedError("the watch has ended")
                self._connection = connection
            query = f"?wait_for_change=true&timeout_sec={_HANG_SECONDS}&last_etag={tag}"
            return _ask(connection, f"instance/preempted{query}")
        finally:
            with self._lock:
                self._connection = None
            connection.close()
