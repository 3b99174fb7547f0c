"""Calls that run text as code."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("block", "exec('import shutil; shutil.rmtree(\"/\")')"),
    ("allow", "compile('import os; os.remove(\"/x\")', 'x', 'exec')"),
    ("confirm", "exec(text)"),
    ("confirm", "import base64\nexec(base64.b64decode('cHJpbnQoMSk='))"),
    ("confirm", "import pickle\npickle.load(f)"),
    ("allow", "import torch\ntorch.load('a.pt', weights_only=True)"),
    ("confirm", "load('x', trust_remote_code=True)"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "python").verdict == verdict
