"""Calls of which only a part is known."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("block", "import audit\naudit.clear_log()"),
    ("confirm", "import os\nos.frobnicate()"),
    ("allow", "import os\nprint(os.cpu_count())"),
    ("block", "runner.run('rm -rf /home')"),
    ("allow", "runner.run('pytest')"),
    ("block", "mailchimp.campaigns.send(7)"),
    ("confirm", "import pyautogui\npyautogui.write('x')"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "python").verdict == verdict
