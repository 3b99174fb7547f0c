"""Expressions whose value is known."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("block", "import os\ngetattr(os, 'sys' + 'tem')('rm -rf /')"),
    ("block", "import os\nos.system(f\"rm -rf {'/' + 'home'}\")"),
    ("block", "import os\n{'a': os.system}['a']('rm -rf /')"),
    ("block", "import os\nos.environ['P'] = '/home'\nos.system('rm -rf $P')"),
    ("block", "x = ' ' * 10**12"),
    ("allow", "import os\nfor f in os.listdir('src'):\n    if f.endswith('.pyc'):\n        os.remove('src/' + f)"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "python").verdict == verdict
