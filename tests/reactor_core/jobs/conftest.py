"""A table with a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reactor_core.jobs.job import Owner
from reactor_core.jobs.table import JobTable

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
