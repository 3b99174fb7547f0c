"""A table with a clock that the test turns."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reactor_core.jobs.job import Owner
from reactor_core.jobs.table import JobTable

ROOT = Path(__file__).resolve().parents[3]
OWNER = Owner("here", 1, 1.0)


class Turned:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def utc_now(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    def turn(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Turned:
    return Turned()


@pytest.fixture
def table(tmp_path: Path, clock: Turned) -> Iterator[JobTable]:
    with JobTable(tmp_path / "workspace", clock=clock) as table:
        yield table


@pytest.fixture
def kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Installs the plugin of :mod:`tests.reactor_core.jobs.work`; the environment in which workers find it too."""
    place = tmp_path / "installed"
    info = place / "jobs_for_tests-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: jobs-for-tests\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[reactor.plugins]\njobs_for_tests = tests.reactor_core.jobs.work:plugin\n")
    monkeypatch.syspath_prepend(str(place))
    path = os.pathsep.join([str(place), str(ROOT)])
    monkeypatch.setenv("PYTHONPATH", path)
    return {"PYTHONPATH": path}


def until(ready: Callable[[], Any], *, seconds: float = 30.0) -> Any:
    """Ask until the answer is true; returns it."""
    deadline = time.monotonic() + seconds
    while not (answer := ready()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return answer
