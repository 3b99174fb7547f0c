from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient
from tests.a1_reactor.server.conftest import CLIP, settings_in, until

from a1_reactor.server import api
from reactor_core.api.problems import PROBLEM_JSON
from reactor_core.errors import ConfigError


def test_clients_beyond_this_machine_show_the_token(still):
    remote = TestClient(still.app, base_url="http://clips.example", client=("203.0.113.9", 50000))
    refused = remote.get("/v1/jobs")
    assert (refused.status_code, refused.headers["content-type"]) == (401, PROBLEM_JSON)
    token = still.app.state.services.token.value
    assert remote.get("/v1/jobs", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert remote.get("/v1/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_pages_of_other_sites_are_refused(still):
    assert still.post("/v1/jobs", json=CLIP, headers={"Origin": "https://evil.example"}).status_code == 403
    assert still.get("/v1/jobs", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_every_answer_has_a_policy_and_an_id_and_large_bodies_are_not_read(still):
    answer = still.get("/v1/jobs")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-request-id"]
    large = still.post("/v1/jobs", content=b" " * (9 << 20), headers={"Content-Type": "application/json"})
    assert (large.status_code, large.json()["type"]) == (413, "urn:reactor:problem:body-too-large")


def test_the_description_is_complete(still):
    paths = still.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert operation.get("description"), f"{method} {path} says nothing"
            assert "4XX" in operation["responses"]


def test_before_the_start_nothing_is_answered(tmp_path):
    made = api.create_app(settings_in(tmp_path))
    client = TestClient(made, base_url="http://localhost:8080", client=("127.0.0.1", 1))
    assert client.get("/health").status_code == 503
    assert not list(tmp_path.iterdir())


def test_an_address_beyond_loopback_needs_a_token(monkeypatch):
    monkeypatch.delenv("REACTOR_API_TOKEN", raising=False)
    with pytest.raises(ConfigError, match="REACTOR_API_TOKEN"):
        api.serve(host="0.0.0.0")


def test_only_app_is_made_when_it_is_looked_up():
    with pytest.raises(AttributeError):
        api.nothing  # noqa: B018


@pytest.fixture
def start(tmp_path):
    """Starts ``uvicorn a1_reactor.server.api:app`` on a free port; returns the process and its address."""
    import socket

    started: list[subprocess.Popen[bytes]] = []

    def start() -> tuple[subprocess.Popen[bytes], str]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {
            "REACTOR_WORKSPACE": str(tmp_path / "reactor"),
            "A1_REACTOR_WORKSPACE": str(tmp_path / "a1r"),
            "REACTOR_STATE_DIR": str(tmp_path / "state"),
        }
        words = [sys.executable, "-m", "uvicorn", "a1_reactor.server.api:app", "--port", str(port)]
        with (tmp_path / f"{port}.log").open("wb") as log:
            process = subprocess.Popen(words, env={**os.environ, **environment}, stdout=log, stderr=log)
        started.append(process)
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert process.poll() is None, (tmp_path / f"{port}.log").read_text()
            try:
                return httpx.get(f"{url}/health", timeout=5).is_success
            except httpx.TransportError:
                return False

        until(answers)
        return process, url

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait()


@pytest.mark.slow
def test_a_job_survives_the_death_of_the_server_and_of_its_worker(start, tmp_path):
    server, url = start()
    job = httpx.post(f"{url}/v1/jobs", json={**CLIP, "seconds": 40, "width": 256, "height": 256}).json()
    until(lambda: httpx.get(f"{url}/v1/jobs/{job['id']}").json()["progress"] > 0.05)
    server.kill()
    server.wait()
    from reactor_core.jobs import JobTable

    with JobTable(tmp_path / "reactor") as table:
        held = table.get(job["id"])
        assert held.state == "running"  # the worker goes on without its server
        os.kill(held.owner.pid, signal.SIGKILL)
    _, url = start()
    done = until(lambda: (now := httpx.get(f"{url}/v1/jobs/{job['id']}").json())["ended"] and now, seconds=120)
    assert (done["state"], done["attempts"]) == ("succeeded", 2)
    events = httpx.get(f"{url}{job['events_url']}").text
    assert "WorkerLost" in events
    assert len(list(Path(tmp_path / "a1r" / "cache").iterdir())) == 1
