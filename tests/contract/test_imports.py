"""What is cheap stays cheap: importing a package, or asking for help, loads none of the heavy libraries."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = (
    "torch",
    "bitsandbytes",
    "transformers",
    "peft",
    "fastapi",
    "matplotlib",
    "cv2",
    "huggingface_hub",
    "sqlglot",
    "anthropic",
    "openai",
    "mcp",
)

REPORT = f"import json, sys; print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]), file=sys.stderr)"

HELP = """
import sys
from {module} import main
sys.argv = [{program!r}, *{arguments!r}]
try:
    status = main()
except SystemExit as end:
    status = end.code
assert not status, status
"""


def loaded_by(code: str) -> list[str]:
    """The heavy libraries that a fresh interpreter holds after running ``code``."""
    done = subprocess.run([sys.executable, "-c", f"{code}\n{REPORT}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr.splitlines()[-1])


@pytest.mark.parametrize(
    "module",
    [
        "reactor_core",
        "a1_reactor",
        "reactor_core.integration",
        "reactor_core.events",
        "reactor_core.safety",
        "reactor_core.cli",
        "a1_reactor.cli",
    ],
)
def test_importing_loads_no_heavy_library(module: str) -> None:
    assert loaded_by(f"import {module}") == []


@pytest.mark.parametrize(
    ("module", "program", "arguments"),
    [
        ("reactor_core.cli", "reactor", ["--help"]),
        ("reactor_core.cli", "reactor", ["--version"]),
        ("reactor_core.cli", "reactor", ["train", "--help"]),
        ("reactor_core.cli", "reactor", ["demo", "--help"]),
        ("a1_reactor.cli", "a1-reactor", ["--help"]),
        ("a1_reactor.cli", "a1-reactor", ["regen", "--help"]),
    ],
)
def test_asking_for_help_loads_no_heavy_library(module: str, program: str, arguments: list[str]) -> None:
    assert loaded_by(HELP.format(module=module, program=program, arguments=arguments)) == []
