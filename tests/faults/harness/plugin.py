"""One tally for a whole session of pytest, also where its tests are dealt out to several processes."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from tests.faults.harness.tally import Tally

# The process that deals the tests out chooses the seed, and the others inherit it.
SEED = int(os.environ.setdefault("REACTOR_FAULT_SEED", str(random.SystemRandom().randrange(2**32))))
TALLY = Tally(seed=SEED, share=float(os.environ.get("REACTOR_FAULT_SHARE") or 1))

_KEY = "reactor_faults"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand this process's counts to the one that dealt its tests out, if there is one."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_KEY] = TALLY.counts()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A process with tests has ended; one that died has told nothing."""
    counts = getattr(node, "workeroutput", {}).get(_KEY)
    if counts is not None:
        TALLY.add(counts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line of counts."""
    if TALLY.runs:
        terminalreporter.section("runs with faults")
        for line in TALLY.lines():
            terminalreporter.line(line)
