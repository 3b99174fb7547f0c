"""A small server of the HTTP contract, version 2, whose faults are chosen by the test."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from PIL import Image

DESCRIPTION = {
    "contract": 2,
    "model": "loopback 1",
    "capabilities": {
        "modes": ["full", "mask", "first_last"],
        "quantum": {"step": 4, "offset": 1, "maximum": 81},
        "context_frames": 2,
        "size_multiple": 8,
    },
}


def png(level: int, width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), level, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on a free port; the address as ``host:port``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Quiet(BaseHTTPRequestHandler):
    """Answers without logging; a client that has gone away is no error."""

    def log_message(self, *args: object) -> None:
        pass

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def answer(self, status: int, data: bytes = b"", kind: str = "application/json", **headers: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def answer_json(self, document: Any, status: int = 200, **headers: str) -> None:
        self.answer(status, json.dumps(document).encode(), **headers)


class FramesV2:
    """Keeps pictures by digest, makes frame ``i`` a plain grey of level ``i``; some frames alone if it is asked so.

    Args:
        multipart: Reply with parts instead of JSON.
        asks: Polls that a job takes before it is done; None answers at once.
        spoil: Changes the list of (index, png) before it is sent.
        reply: Sends a reply of its own instead, given the handler and the job.
    """

    def __init__(
        self,
        *,
        multipart: bool = False,
        asks: int | None = None,
        spoil: Callable[[list[tuple[int, bytes]]], list[tuple[int, bytes]]] = lambda frames: frames,
        reply: Callable[[Quiet, dict[str, Any]], None] | None = None,
        description: Any = DESCRIPTION,
    ) -> None:
        self.multipart, self.asks, self.spoil, self.reply = multipart, asks, spoil, reply
        self.description = description
        self.pictures: dict[str, bytes] = {}
        self.jobs: list[dict[str, Any]] = []
        self.seen: list[tuple[str, str, dict[str, str]]] = []

    def handler(self) -> type[Quiet]:
        me = self

        class Handler(Quiet):
            def do_GET(self) -> None:
                me.seen.append(("GET", self.path, dict(self.headers)))
                if self.path == "/frames":
                    self.answer_json(me.description)
                elif me.asks:
                    me.asks -= 1
                    self.answer(202, Retry_After="0")
                else:
                    me.send(self, me.jobs[-1])

            def do_DELETE(self) -> None:
                me.seen.append(("DELETE", self.path, dict(self.headers)))
                self.answer(204)

            def do_POST(self) -> None:
                me.seen.append(("POST", self.path, dict(self.headers)))
                job, files = me.read(self.headers["Content-Type"], self.body())
                for digest, data in files.items():
                    assert hashlib.sha256(data).hexdigest() == digest
                me.pictures |= files
                named = job["base"] + ([job["mask"]] if "mask" in job else [])
                missing = [entry["sha256"] for entry in named if entry["sha256"] not in me.pictures]
                if missing:
                    self.answer_json({"missing": missing}, 409)
                    return
                me.jobs.append(job)
                if me.asks is not None:
                    self.answer(202, Location="/jobs/1")
                else:
                    me.send(self, job)

        return Handler

    @staticmethod
    def read(content_type: str, body: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
        if content_type == "application/json":
            return json.loads(body), {}
        message = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
        parts = {str(part.get_param("name", header="content-disposition")): part for part in message.get_payload()}
        files = {name: part.get_payload(decode=True) for name, part in parts.items() if name != "job"}
        return json.loads(parts["job"].get_payload(decode=True)), files

    def send(self, handler: Quiet, job: dict[str, Any]) -> None:
        if self.reply is not None:
            self.reply(handler, job)
            return
        frames = [(index, png(index, job["width"], job["height"])) for index in job.get("frames", range(*job["span"]))]
        frames = self.spoil(frames)
        if self.multipart:
            body = b"".join(
                f"--B\r\nContent-Type: image/png\r\nFrame-Index: {index}\r\n\r\n".encode() + data + b"\r\n"
                for index, data in frames
            )
            handler.answer(200, body + b"--B--\r\n", "multipart/mixed; boundary=B")
            return
        entries = [{"index": index, "png_base64": base64.b64encode(data).decode()} for index, data in frames]
        handler.answer_json({"frames": entries})

    @contextmanager
    def serving(self) -> Iterator[str]:
        with listening(self.handler()) as address:
            yield address
