"""A gate, and a server that answers as a vendor would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from reactor_core.integration import EventBridge
from reactor_core.safety.audit import AuditEntry, audit_trail
from reactor_core.safety.confirm import Approvals, Method, Question, Said
from reactor_core.safety.gate import SafetyGate
from reactor_core.utils.settings import Settings


class Asked:
    """Somebody who answers every question in the same way, and remembers what he was asked."""

    def __init__(self) -> None:
        self.yes = True
        self.questions: list[Question] = []

    def __call__(self, question: Question, stop: threading.Event) -> Said:
        self.questions.append(question)
        return Said(self.yes, "alice", Method.TEXT)


@pytest.fixture
def people() -> Asked:
    return Asked()


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[EventBridge]:
    with EventBridge(settings=Settings(workspace=tmp_path / "workspace", state_dir=tmp_path / "state")) as made:
        yield made


@pytest.fixture
def gate(bridge: EventBridge, tmp_path: Path, people: Asked) -> Iterator[SafetyGate]:
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    approvals = Approvals(bridge, approver=people)
    with SafetyGate(bridge, cwd=project, approver=approvals) as made:
        yield made
    approvals.close()


def trail(gate: SafetyGate) -> list[AuditEntry]:
    return audit_trail(gate.bridge.journal.read())


class Vendor:
    """Answers each request with the next reply, as JSON or as server-sent events."""

    def __init__(self) -> None:
        self.replies: list[dict[str, Any] | list[dict[str, Any]]] = []
        self.requests: list[dict[str, Any]] = []
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                vendor.requests.append(json.loads(body))
                reply = vendor.replies.pop(0)
                if isinstance(reply, dict):
                    kind, said = "application/json", json.dumps(reply).encode()
                else:
                    kind = "text/event-stream"
                    said = b"".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in reply)
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    made = Vendor()
    yield made
    made.close()
