"""The application as a whole: what it does before and while it runs, and the real server around it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.testclient import TestClient
from tests.reactor_core.api.serving import DEADLINE, HERE, Served, messages, until

from reactor_core.api import server
from reactor_core.api.application import GRACEFUL_SECONDS
from reactor_core.api.headers import SECURITY_HEADERS
from reactor_core.api.limits import ApiLimits
from reactor_core.api.problems import PROBLEM_JSON
from reactor_core.api.server import create_app
from reactor_core.events.journal import JOURNAL_NAME, Journal
from reactor_core.utils.settings import Settings

Serve = Callable[..., Served]
SECRET = "a-token-for-the-tests"


def own_address() -> str:
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
            address = str(probe.getsockname()[0])
        except OSError:
            address = "127.0.0.1"
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    return address


def test_making_it_opens_and_writes_nothing(tmp_path: Path) -> None:
    create_app(Settings(workspace=tmp_path / "workspace", state_dir=tmp_path / "state"))
    assert list(tmp_path.iterdir()) == []


def test_the_lazy_one_is_made_once_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.delitem(vars(server), "app", raising=False)
    first = server.app
    assert first is server.app
    with TestClient(first, base_url=HERE, client=("127.0.0.1", 1)) as client:
        assert client.get("/health").status_code == 200
    assert (tmp_path / "workspace" / JOURNAL_NAME).exists()
    monkeypatch.delitem(vars(server), "app")
    with pytest.raises(AttributeError, match="application"):
        _ = server.application  # type: ignore[attr-defined]


def test_before_its_start_it_answers_nothing(api_settings: Settings) -> None:
    answer = TestClient(create_app(api_settings), base_url=HERE, client=("127.0.0.1", 1)).get("/health")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:reactor:problem:not-ready")


def test_it_can_be_started_again(api_settings: Settings) -> None:
    app = create_app(api_settings)
    for count in (0, 1):
        with TestClient(app, base_url=HERE, client=("127.0.0.1", 1)) as client:
            assert client.get("/health").json()["events"] == count
            client.post("/v1/events", json={"event_type": "feedback", "data": {}})


def test_no_route_is_open_to_other_machines(api: TestClient, remote: TestClient) -> None:
    paths = list(api.get("/openapi.json").json()["paths"])
    assert "/health" in paths
    for path in [*paths, "/openapi.json", "/docs", "/nothing"]:
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            answer = remote.request(method, path.replace("{event_id}", "some-id"))
            assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM_JSON), path
            assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_the_token_opens_all_of_them(api_settings: Settings, remote: TestClient) -> None:
    token = (api_settings.workspace / "token").read_text().strip()
    answer = remote.get("/health", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_a_page_of_another_site_cannot_write(api: TestClient) -> None:
    body = '{"event_type": "kill_switch_triggered", "data": {}}'
    headers = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    answer = api.post("/v1/events", content=body, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:reactor:problem:cross-site")


def test_every_answer_carries_the_security_headers(api: TestClient) -> None:
    for path in ("/health", "/nothing", "/metrics", "/v1/events?limit=0"):
        headers = api.get(path).headers
        assert [name for name in SECURITY_HEADERS if name not in headers] == []
        assert "x-request-id" in headers
        assert "access-control-allow-origin" not in headers


def test_a_method_that_does_not_exist_names_those_that_do(api: TestClient) -> None:
    answer = api.delete("/v1/events")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(("words", "setting"), [(["--host", "0.0.0.0"], ""), ([], "::")])
def test_our_launcher_refuses_other_machines_without_a_token(
    words: list[str],
    setting: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["server.py", *words])
    monkeypatch.setenv("REACTOR_CORE_HOST", setting)
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "workspace"))
    assert server.main() == 3
    assert "REACTOR_API_TOKEN" in capsys.readouterr().err
    assert not (tmp_path / "workspace").exists()


def test_our_launcher_serves_and_ends_when_it_is_told_to(serve: Serve) -> None:
    """With an open stream, which would never end by itself."""
    served = serve(module="reactor_core.api.server")
    assert "server" not in httpx.get(f"{served.url}/health").headers
    with httpx.stream("GET", f"{served.url}/v1/events/stream", timeout=DEADLINE) as stream:
        lines = messages(stream.iter_lines())
        next(lines)
        began = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        assert all("data" not in message for message in lines)  # the stream ends, properly
    assert served.process.wait(DEADLINE) in (0, -signal.SIGTERM)
    assert time.monotonic() - began < GRACEFUL_SECONDS
    assert "made a token" in served.said()
    assert "listening on" not in served.said()  # a warning that only other addresses than loopback get
    assert (Path(served.log).parent / "workspace" / "token").read_text().strip() not in served.said()


def test_an_open_address_is_warned_about_and_answers_others_only_with_the_token(serve: Serve) -> None:
    """As published: ``uvicorn reactor_core.api.server:app --host 0.0.0.0``, which we cannot refuse."""
    address = own_address()
    served = serve("--host", "0.0.0.0", REACTOR_API_TOKEN=SECRET)
    until(lambda: "listening on 0.0.0.0" in served.said())
    outside = f"http://{address}:{urlsplit(served.url).port}/health"
    assert httpx.get(f"{served.url}/health").status_code == 200
    assert httpx.get(outside).status_code == 401
    assert httpx.get(outside, headers={"X-Forwarded-For": "127.0.0.1", "Host": "localhost"}).status_code == 401
    assert httpx.get(outside, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert httpx.get(outside, headers={"Authorization": f"Bearer {SECRET}"}).status_code == 200
    # uvicorn by default takes a proxy's client for the client; ours looks at the header itself.
    for value in ("203.0.113.9", "127.0.0.1"):
        assert httpx.get(f"{served.url}/health", headers={"X-Forwarded-For": value}).status_code == 401
    assert SECRET not in served.said()


@pytest.mark.parametrize(
    ("length", "status"), [(b"100", b" 408 "), (b"99999999", b" 413 "), (b"x", b" 400 "), (b"-1", b" 400 ")]
)
def test_a_client_that_sends_half_a_body_is_answered_and_let_go(
    serve_here: Callable[..., str], length: bytes, status: bytes
) -> None:
    address = urlsplit(serve_here(ApiLimits(body_seconds=0.2)))
    with socket.create_connection((address.hostname, address.port), timeout=DEADLINE) as client:
        head = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        client.sendall(head + b"Content-Length: " + length + b"\r\n\r\n[")
        answer = b""
        while part := client.recv(4096):
            answer += part
    assert status in answer.split(b"\r\n")[0]


def test_several_workers_serve_one_workspace(serve: Serve) -> None:
    served = serve("--workers", "2")
    until(lambda: served.said().count("Application startup complete") == 2)
    sent = set()
    with httpx.stream("GET", f"{served.url}/v1/events/stream", params={"after": "0"}, timeout=DEADLINE) as stream:
        found = messages(stream.iter_lines())
        for n in range(12):  # a connection each, so that both are asked
            answer = httpx.post(f"{served.url}/v1/events", json={"event_type": "feedback", "data": {"n": n}})
            sent.add(f'"event_id":"{answer.json()["event_id"]}"')
            events = httpx.get(f"{served.url}/v1/events", params={"limit": 100}).json()["events"]
            assert len(events) == n + 1  # whoever is asked, at once
        got = set()
        while len(got) < 12:
            data = next(found).get("data", "")
            got |= {mark for mark in sent if mark in data}
    assert got == sent


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 8))])
def test_what_was_acknowledged_is_there_after_kill_9(serve: Serve, tmp_path: Path, seed: int) -> None:
    """Stored, and got once by a reader of the stream that comes back to the next server."""
    chance = random.Random(seed)
    served = serve()
    acknowledged: list[str] = []
    got: list[str] = []
    last = ""

    def append() -> None:
        with httpx.Client(base_url=served.url, timeout=DEADLINE) as client, contextlib.suppress(httpx.TransportError):
            while True:
                batch = [{"event_type": "feedback", "data": {"n": n}} for n in range(7)]
                results = client.post("/v1/events", json=batch).json()["results"]
                acknowledged.extend(result["event_id"] for result in results)

    def read(url: str, wanted: set[str] | None) -> None:
        nonlocal last
        headers = {"Last-Event-ID": last} if last else {}
        with contextlib.suppress(httpx.TransportError):
            with httpx.stream(
                "GET", f"{url}/v1/events/stream", params={"after": "0"}, headers=headers, timeout=DEADLINE
            ) as answer:
                for message in messages(answer.iter_lines()):
                    if "data" in message:
                        got.append(json.loads(message["data"])["event_id"])
                    last = message.get("id", last)
                    if wanted is not None and len(got) >= len(wanted):
                        return

    threads = [threading.Thread(target=append) for _ in range(4)]
    threads.append(threading.Thread(target=read, args=(served.url, None)))
    for thread in threads:
        thread.start()
    wanted = chance.randint(50, 200)
    until(lambda: len(acknowledged) > wanted and got)
    os.killpg(served.process.pid, signal.SIGKILL)
    for thread in threads:
        thread.join(DEADLINE)
    with Journal(tmp_path / "workspace" / JOURNAL_NAME) as journal:
        stored = [event.event_id for event in journal.read()]
        assert journal.verify().ok
    assert len(acknowledged) > wanted
    assert set(acknowledged) <= set(stored)
    read(serve().url, set(stored))
    assert sorted(got) == sorted(stored)
