"""Runs with faults: seeded, and counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.faults.harness.forks import Forks
from tests.faults.harness.plugin import TALLY
from tests.faults.harness.tally import Tally


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Makes processes."""
    with Forks() as forks:
        yield forks


@pytest.fixture
def tally(request: pytest.FixtureRequest, record_property) -> Iterator[Tally]:
    """Says how many runs this test makes, gives it its random numbers, and counts what it does."""
    before = TALLY.runs
    yield TALLY.begin(request.node.nodeid)
    record_property("runs", TALLY.runs - before)
    record_property("seed", TALLY.seed)
