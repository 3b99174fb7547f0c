"""Statements and calls in the order in which they run."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("allow", "def f():\n    import os\n    os.system('rm -rf /')"),
    ("block", "def f(p):\n    import os\n    os.system('rm -rf ' + p)\nf('/')"),
    ("block", "import threading, shutil\nthreading.Thread(target=shutil.rmtree, args=('/srv',)).start()"),
    ("block", "import shutil\nlist(map(shutil.rmtree, ['/etc']))"),
    ("allow", "import shutil\nif False:\n    shutil.rmtree('/')"),
    ("block", "import functools, os\nfunctools.partial(os.system, 'rm -rf /')()"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "python").verdict == verdict
