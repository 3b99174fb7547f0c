"""Runs with faults: seeded, counted, and the counts shown at the end."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
from tests.faults.harness.forks import Forks
from tests.faults.harness.tally import Tally

TALLY = Tally(
    seed=int(os.environ.get("REACTOR_FAULT_SEED") or random.SystemRandom().randrange(2**32)),
    share=float(os.environ.get("REACTOR_FAULT_SHARE") or 1),
)


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line of counts."""
    if TALLY.runs:
        terminalreporter.section("runs with faults")
        for line in TALLY.lines():
            terminalreporter.line(line)
