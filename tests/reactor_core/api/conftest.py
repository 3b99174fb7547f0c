"""The application in this process, and the real server in another one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.testclient import TestClient
from tests.reactor_core.api.serving import DEADLINE, HERE, Served, answers, end, free_port, must_run, until

from reactor_core.api.limits import ApiLimits
from reactor_core.api.server import create_app
from reactor_core.utils.settings import Settings


@pytest.fixture
def api_settings(tmp_path: Path) -> Settings:
    return Settings(workspace=tmp_path / "workspace", state_dir=tmp_path / "state", cache_dir=tmp_path / "cache")


@pytest.fixture
def api(api_settings: Settings) -> Iterator[TestClient]:
    """A client on this machine, of the application as it is started by default."""
    with TestClient(create_app(api_settings), base_url=HERE, client=("127.0.0.1", 50000)) as client:
        yield client


@pytest.fixture
def remote(api: TestClient) -> TestClient:
    """A client on another machine, of the same application."""
    return TestClient(api.app, base_url="http://reactor.example", client=("203.0.113.9", 50000))


@pytest.fixture
def serve_here(api_settings: Settings) -> Iterator[Callable[..., str]]:
    """Starts a server on a thread, with limits of one's own; returns its address."""
    with contextlib.ExitStack() as ending:

        def start(limits: ApiLimits | None = None) -> str:
            port = free_port()
            app = create_app(api_settings, limits=limits)
            server = uvicorn.Server(
                uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=5, ws="websockets-sansio")
            )
            thread = threading.Thread(target=server.run)
            thread.start()

            def stop() -> None:
                app.state.services.end_streams()
                server.should_exit = True
                thread.join(DEADLINE)
                assert not thread.is_alive()

            url = f"http://127.0.0.1:{port}"
            until(lambda: server.started)
            ending.callback(stop)
            return url

        yield start


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts ``uvicorn reactor_core.api.server:app`` or another command line, on a free port of 127.0.0.1."""
    with contextlib.ExitStack() as ending:

        def start(*arguments: str, wait: bool = True, module: str = "uvicorn", **environment: str) -> Served:
            port = free_port()
            words = ["reactor_core.api.server:app", "--port", str(port)] if module == "uvicorn" else []
            log = tmp_path / f"server-{port}.log"
            with log.open("wb") as stream:
                process = subprocess.Popen(
                    [sys.executable, "-m", module, *words, *arguments],
                    cwd=tmp_path,
                    env={
                        **os.environ,
                        "REACTOR_WORKSPACE": str(tmp_path / "workspace"),
                        "REACTOR_STATE_DIR": str(tmp_path / "state"),
                        "REACTOR_CORE_PORT": str(port),
                        **environment,
                    },
                    stdout=stream,
                    stderr=stream,
                    start_new_session=True,
                )
            ending.callback(end, process)
            served = Served(process, f"http://127.0.0.1:{port}", log)
            if wait:
                until(lambda: answers(served.url) or must_run(served))
            return served

        yield start
