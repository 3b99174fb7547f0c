"""A metadata server for rehearsals and tests: it answers as Compute Engine's does, and preempts when it is told to."""

from __future__ import annotations

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import ClassVar, Self
from urllib.parse import parse_qs, urlsplit

__all__ = ["RehearsalMetadataServer"]

_BASE = "/computeMetadata/v1/"


class RehearsalMetadataServer:
    """Serves ``instance/preempted`` on a free port of this machine's loopback.

    ``wait_for_change``, ``timeout_sec`` and ``last_etag`` work as Google documents them; a request without the header
    ``Metadata-Flavor: Google`` is refused.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._preempted = self._closed = False
        self.requests = 0
        """How many requests for ``instance/preempted`` have come."""
        handler = type("Handler", (_Handler,), {"rehearsal": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="rehearsal-metadata")
        self.host = f"127.0.0.1:{self._server.server_port}"
        """``host:port``, for ``GCE_METADATA_HOST``."""

    def preempt(self) -> None:
        """Say from now on that the machine is being taken away."""
        with self._changed:
            self._preempted = True
            self._changed.notify_all()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server; requests that wait are answered."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, *, wait: bool, tag: str, seconds: float | None) -> tuple[str, str]:
        """Value and entity tag of ``instance/preempted``.

        Args:
            wait: Whether to wait until the tag is another one.
            tag: That the client knows.
            seconds: How long to wait; None waits for ever.
        """
        with self._changed:
            self.requests += 1
            self._changed.notify_all()
            if wait:
                self._changed.wait_for(lambda: self._closed or self._tag() != tag, seconds)
            return ("TRUE" if self._preempted else "FALSE"), self._tag()

    def wait_for_request(self, seconds: float) -> bool:
        """Whether somebody has asked, waiting for it at most so long."""
        with self._changed:
            return self._changed.wait_for(lambda: self.requests > 0, seconds)

    def _tag(self) -> str:
        return "2" if self._preempted else "1"


class _Handler(BaseHTTPRequestHandler):
    rehearsal: ClassVar[RehearsalMetadataServer]

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if self.headers.get("Metadata-Flavor") != "Google":
            self._say(HTTPStatus.FORBIDDEN, "missing Metadata-Flavor:Google header", "")
        elif address.path != f"{_BASE}instance/preempted":
            self._say(HTTPStatus.NOT_FOUND, "not served in a rehearsal", "")
        else:
            seconds = query.get("timeout_sec")
            value, tag = self.rehearsal.answer(
                wait=query.get("wait_for_change") == "true",
                tag=query.get("last_etag", ""),
                seconds=None if seconds is None else float(seconds),
            )
            self._say(HTTPStatus.OK, value, tag)

    def _say(self, status: HTTPStatus, text: str, tag: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Metadata-Flavor", "Google")
            self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())
        except ConnectionError:  # the client ended while it waited
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Nothing on the terminal."""
