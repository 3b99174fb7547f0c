"""Calls that start and end programs."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("block", "import os\nos.execlp('rm', 'rm', '-rf', '/')"),
    ("allow", "import subprocess\nsubprocess.run(['git', 'status'])"),
    ("confirm", "import subprocess\nsubprocess.run(cmd, shell=True)"),
    ("block", "import subprocess\nsubprocess.run(['sh'], input='rm -rf /home')"),
    ("block", "import os\nwhile True: os.fork()"),
    ("block", "import subprocess\nfor h in open('hosts'):\n    subprocess.run(['ssh', h.strip(), 'sudo reboot'])"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "python").verdict == verdict
