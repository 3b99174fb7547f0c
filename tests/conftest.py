"""What every test run has around it: a state folder of its own, and at its end the promises that are not kept yet."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Machines are shared: how long an example takes says nothing about the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# Tiny models lose more at thread barriers than they win, and lose all when the processors are shared. Set before torch
# is imported, and inherited by the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What outlives a workspace (the anchors of its journal) stays out of the user's own folder.
STATE = Path(tempfile.mkdtemp(prefix="reactor-tests-"))
os.environ["REACTOR_STATE_DIR"] = str(STATE)

# Programs that tests start inherit what is ignored here, and some are ended by Ctrl-C. A shell that runs the tests in
# the background lets it be ignored.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.servers.fixtures", "tests.faults.harness.plugin"]

NOT_YET = Path(__file__).parent / "contract" / "seeds" / "not_yet.toml"


@pytest.fixture(autouse=True)
def signals_stay_as_they_were() -> Iterator[None]:
    """Name the test that leaves a handler behind, and not one of those that fail by it later."""
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(kind) for kind in kinds]
    yield
    after = [signal.getsignal(kind) for kind in kinds]
    for kind, handler in zip(kinds, before, strict=True):
        if handler is not None:  # None: not installed by Python
            signal.signal(kind, handler)
    assert after == before, "this test, or what it uses, has changed the handlers of SIGINT or SIGTERM"


def pytest_unconfigure() -> None:
    """Remove the state folder of this run."""
    shutil.rmtree(STATE, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the published code blocks that are not true yet, if the run held their tests."""
    reports = [r for kind in terminalreporter.stats.values() for r in kind if hasattr(r, "nodeid")]
    if not any("tests/contract/test_seed_" in report.nodeid for report in reports):
        return
    listed = tomllib.loads(NOT_YET.read_text(encoding="utf-8"))
    terminalreporter.section("published code blocks that are not true yet")
    for block, entry in listed["blocks"].items():
        terminalreporter.line(f"{block}: {entry['because']}")
    terminalreporter.line("")
    terminalreporter.line("blocks whose code runs, but whose comments promise more:")
    for block, missing in listed["promises"].items():
        terminalreporter.line(f"{block}: {missing}")
