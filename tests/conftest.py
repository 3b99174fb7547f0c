"""What every test run has around it: a state folder of its own, and at its end the promises that are not kept yet."""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
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

pytest_plugins = ["tests.servers.fixtures", "tests.faults.harness.plugin"]

NOT_YET = Path(__file__).parent / "contract" / "seeds" / "not_yet.toml"


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
