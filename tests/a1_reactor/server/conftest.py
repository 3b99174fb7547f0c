"""A server with a clip and two takes of a window of it, made once for all tests of this folder that only look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from a1_reactor.server.api import create_app
from a1_reactor.server.views import KINDS
from reactor_core.jobs.context import Stop
from reactor_core.jobs.processes import this_process
from reactor_core.jobs.worker import work
from reactor_core.utils.settings import Settings

HERE = "http://localhost:8080"
CLIP = {"prompt": "a street", "seconds": 1, "fps": 8, "width": 64, "height": 48}


def settings_in(folder: Path, **more: Any) -> Settings:
    return Settings(
        workspace=folder / "reactor",
        a1_workspace=folder / "a1r",
        state_dir=folder / "state",
        cache_dir=folder / "cache",
        provider_allow=("127.0.0.1:9",),
        **more,
    )


def client_of(settings: Settings) -> TestClient:
    return TestClient(create_app(settings), base_url=HERE, client=("127.0.0.1", 50000))


def until(ready: Callable[[], Any], *, seconds: float = 60.0) -> Any:
    """Ask until the answer is true; returns it."""
    deadline = time.monotonic() + seconds
    while not (answer := ready()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return answer


def made_here(client: TestClient, body: dict[str, Any]) -> dict[str, Any]:
    """Ask for a job and do it in this process: its supervisor has gone, and a worker costs seconds."""
    return done_here(client, client.post("/v1/jobs", json=body).json())


def done_here(client: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    """Do a job that waits in this process."""
    services = client.app.state.services
    held = services.table.claim(this_process(), kinds=KINDS)
    assert held is not None
    assert held.job_id == job["id"]
    work(services.table, held, services.settings, stop=Stop())
    return client.get(f"/v1/jobs/{job['id']}").json()


@dataclass
class Workshop:
    client: TestClient
    settings: Settings
    clip_job: dict[str, Any]
    takes_job: dict[str, Any]

    @property
    def clip(self) -> str:
        return self.clip_job["clip_ids"][0]

    @property
    def takes(self) -> list[str]:
        return self.takes_job["clip_ids"]


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """Tests leave its jobs and clips as they are; they may add to them."""
    settings = settings_in(tmp_path_factory.mktemp("workshop"))
    with client_of(settings) as client:
        # By a worker, as in life.
        asked = client.post("/v1/jobs", json=CLIP, headers={"Prefer": "wait=100", "Idempotency-Key": "the clip"})
        url = asked.headers["location"]
        clip_job = until(lambda: (now := client.get(url).json())["ended"] and now)
        assert clip_job["state"] == "succeeded", clip_job
        client.app.state.services._supervisor.stop()
        takes = {"parent": clip_job["clip_ids"][0], "windows": [[0.25, "3/4"]], "takes": 2, "seed": 5}
        takes_job = made_here(client, takes)
        assert takes_job["state"] == "succeeded", takes_job
        yield Workshop(client, settings, clip_job, takes_job)


@pytest.fixture
def still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A server whose jobs wait: nobody works on them."""
    monkeypatch.setattr("reactor_core.jobs.supervisor.Supervisor.start", lambda self: None)
    with client_of(settings_in(tmp_path)) as client:
        yield client
