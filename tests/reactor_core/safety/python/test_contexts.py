"""Names that a test replaces, and loops that wait."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("allow", "from unittest import mock\nimport shutil\nwith mock.patch('shutil.rmtree'):\n    shutil.rmtree('/')"),
    ("block", "from unittest import mock\nimport shutil\nwith mock.patch('shutil.move'):\n    shutil.rmtree('/')"),
    ("allow", "import time, subprocess\nwhile True:\n    subprocess.run(['git', 'status'])\n    time.sleep(5)"),
    ("block", "import subprocess\nwhile True:\n    subprocess.Popen(['git', 'status'])"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "python").verdict == verdict
