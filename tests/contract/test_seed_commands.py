"""The published command lines and requests, as far as this machine can try them.

Commands that only need this machine run as they stand, in an empty folder. Lines that install from the registry, or
clone from the public host, are checked for what they rest on: the extra, the folder, the name.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import httpx
import pytest

from reactor_core.utils.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTION = "reactor-core"


def shell(script: str, folder: Path, *, seconds: float = 540) -> subprocess.CompletedProcess[str]:
    """Run lines with bash in ``folder``, with this interpreter's programs first on the path."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def commands(source: str) -> list[str]:
    return [line for line in source.splitlines() if line.strip() and not line.startswith("#")]


def starts(source: str, folder: Path) -> None:
    """A server's command line: it has started when its port answers, and the process is still there."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for command in commands(source):
        port = int(re.findall(r"--port (\d+)", command + " --port 8003")[0])
        with (folder / "server.log").open("w+") as log:
            server = subprocess.Popen(
                command.split(), cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
            try:
                deadline = time.monotonic() + 60
                while not answers_at(port):
                    assert server.poll() is None, (folder / "server.log").read_text()
                    assert time.monotonic() < deadline, (folder / "server.log").read_text()
                    time.sleep(0.1)
                assert server.poll() is None, f"port {port} belongs to another program"
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(server.pid, signal.SIGKILL)  # a reloader's child outlives it otherwise
                server.wait()


def answers_at(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).is_success
    except httpx.TransportError:
        return False


def rests_on(source: str, folder: Path) -> None:
    """Installation lines: the distribution, its extras and the folders they name are there."""
    provided = set(metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or ())
    for command in commands(source):
        for name, extra in re.findall(r"pip install ([a-z-]+)(?:\[(\w+)\])?$", command):
            if name == DISTRIBUTION:
                assert not extra or extra in provided, f"no extra [{extra}]"
        for extra in re.findall(r'pip install -e "\.\[(\w+)\]"', command):
            assert extra in provided, f"no extra [{extra}]"
        for needed in re.findall(r"-r (\S+)", command):
            assert (ROOT / needed).exists(), needed
    if "mlforge" in source or "pybind11" in source:
        assert (ROOT / "mlforge" / "CMakeLists.txt").exists()


def collects(source: str, folder: Path) -> None:
    """Test lines: pytest finds tests where they point. The bare ``pytest`` is the run that this test belongs to."""
    rests_on(source, folder)
    for command in commands(source):
        if command.startswith("pytest "):  # with a path
            done = shell(command.replace("pytest", "pytest --collect-only -q", 1), ROOT)
            assert done.returncode == 0, done.stdout


async def ask(method: str, path: str, body: Any = None) -> httpx.Response:
    app = importlib.import_module("reactor_core.api.server").app
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8003") as client:
            return await client.request(method, path, json=body)


def answers(source: str, folder: Path) -> None:
    """``METHOD /path`` and an optional JSON body, asked of the application itself."""
    line, _, body = source.partition("\n")
    method, path = line.split()
    answer = asyncio.run(ask(method, path, json.loads(body) if body.strip() else None))
    assert answer.is_success, answer.text


def has_keys(source: str, folder: Path) -> None:
    """A published answer: the application's own has the same keys."""
    answer = asyncio.run(ask("GET", "/jarvis/status"))
    assert set(json.loads(source)) <= set(answer.json())


def makes_a_clip(source: str, folder: Path) -> None:
    """A generation command exits 0 and leaves the files where the document says they are."""
    done = shell(source, folder)
    assert done.returncode == 0, done.stderr
    clips = list(folder.glob(".a1r/cache/*/artifact.mp4"))
    assert clips
    for clip in clips:
        assert list(clip.parent.glob("run/frames/*.png"))


def is_understood(source: str, folder: Path) -> None:
    """A command line whose words the program takes."""
    (line,) = commands(source)
    python, _, module, *words = shlex.split(line)
    assert (python, module) == ("python", "a1_reactor.cli")
    command, bound, _ = importlib.import_module(module).app.parse_args(words, exit_on_error=False, print_error=False)
    assert (command.__name__, len(bound.arguments)) == (words[0], 3)


def is_read(source: str, folder: Path) -> None:
    """Every variable is one that the settings read, and its published value is accepted."""
    values = dict(line.partition("#")[0].strip().split("=", 1) for line in commands(source))
    with pytest.MonkeyPatch.context() as environment:
        for name, value in values.items():
            environment.setenv(name, value)
        settings = load_settings()
    for name, value in values.items():
        field = next(f for f, info in Settings.model_fields.items() if name in info.validation_alias.choices)
        assert str(getattr(settings, field)).lower() == value, name


TRY: dict[str, Callable[[str, Path], None]] = {
    "a1-reactor/2-install": rests_on,  # verbatim in the slow test below
    "a1-reactor/3-run-a-demo": makes_a_clip,
    "a1-reactor/4-regen-a-window": is_understood,  # takes long: it runs verbatim in the slow test below
    "a1-reactor/5-start-api-server": starts,
    "reactor-core/quick-install-python-only-no-c-bindings": rests_on,
    "reactor-core/build-from-source-with-mlforge-c-bindings": rests_on,
    "reactor-core/for-local-development-m1-mac": rests_on,
    "reactor-core/for-gcp-training-32gb-vm": rests_on,
    "reactor-core/starting-the-api-server": starts,
    "reactor-core/health-check": answers,
    "reactor-core/trigger-training": answers,
    "reactor-core/submit-experience-log": answers,
    "reactor-core/get-jarvis-status": answers,
    "reactor-core/get-jarvis-status-2": has_keys,
    "reactor-core/environment-variables": is_read,
    "reactor-core/running-tests": collects,
    "reactor-core/building-mlforge-c-bindings": rests_on,
}


@pytest.mark.timeout(600)  # seconds of processor time, but a busy machine may take minutes over them
def test_published_command(other_block: Any, seed_workspace: Path) -> None:
    TRY[other_block.id](other_block.source, seed_workspace)


@pytest.mark.slow
def test_demo_then_regen_in_one_folder(published: dict[str, Any], seed_workspace: Path) -> None:
    """As a reader types them: the second command works on what the first one left."""
    makes_a_clip(published["a1-reactor/3-run-a-demo"].source, seed_workspace)
    makes_a_clip(published["a1-reactor/4-regen-a-window"].source, seed_workspace)


@pytest.mark.slow
def test_the_install_lines_in_a_fresh_folder(published: dict[str, Any], tmp_path: Path) -> None:
    """A virtual environment of its own; afterwards the demo command runs in it."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, tracked.split("\0")):
        if (ROOT / name).exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    script = published["a1-reactor/2-install"].source + published["a1-reactor/3-run-a-demo"].source
    makes_a_clip(script, tmp_path)
