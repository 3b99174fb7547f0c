"""A secret that is shown."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("confirm", "import os\nprint(os.environ['API_TOKEN'])"),
    ("allow", "import os\nprint(os.environ.get('LANG'))"),
    ("confirm", "import os, logging\nlogging.info(os.environ['DB_PASSWORD'])"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "python").verdict == verdict
