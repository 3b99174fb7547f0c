"""What folders hold."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    (
        "block",
        "import os\nfor r, d, fs in os.walk('/home'):\n    for f in fs:\n        os.remove(os.path.join(r, f))",
    ),
    ("allow", "import glob, os\nfor f in glob.glob('build/*'):\n    os.remove(f)"),
    ("block", "import os\nfor n in os.listdir('/etc'):\n    os.remove('/etc/' + n)"),
    ("confirm", "import os\nfor n in sorted(os.listdir('checkpoints'))[:-3]:\n    os.remove('checkpoints/' + n)"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "python").verdict == verdict
