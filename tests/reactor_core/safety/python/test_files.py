"""Calls that touch files."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("block", "import shutil\nshutil.rmtree('/etc')"),
    ("allow", "import shutil\nshutil.rmtree('dist')"),
    ("confirm", "import os\nos.remove('data/x.csv')"),
    ("confirm", "open('data/x.csv', 'w').close()"),
    ("allow", "open('notes.txt').read()"),
    ("confirm", "open('/home/dev/.ssh/id_rsa').read()"),
    ("block", "from pathlib import Path\n(Path('/') / 'etc' / 'passwd').write_text('x')"),
    ("allow", "import tempfile, os\nf = tempfile.NamedTemporaryFile(delete=False)\nos.unlink(f.name)"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "python").verdict == verdict
