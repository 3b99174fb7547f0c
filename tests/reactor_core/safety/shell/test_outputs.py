"""What is printed at run time and then run."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action
from reactor_core.safety.scope import Scope
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.shell.outputs import printed
from reactor_core.safety.shell.sources import Source
from reactor_core.safety.shell.state import Shell, World
from reactor_core.safety.verdict import Judged


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("sh -c \"$(printf 'rm -rf %s' /srv)\"", "block"),
        ("echo rm -rf /srv | sh", "block"),
        ("echo -e '\\x72\\x6d -rf /srv' | sh", "block"),
        ("for i in $(seq 2); do echo $i; done", "allow"),
        ("echo 'rm -rf /' ", "allow"),
        ('echo "$(id -un)"', "allow"),
        ("s=; for c in 114 109; do s=$s$(printf \"\\\\$(printf '%03o' $c)\"); done; $s -rf /srv", "block"),
        ("x=$(date); $x", "confirm"),
    ],
)
def test_it_is_judged_by_what_it_does(action: str, verdict: str) -> None:
    assert judge_action(action, "shell").verdict == verdict


def test_what_nobody_knows_stays_unknown_and_says_where_it_came_from() -> None:
    shell = Shell(Scope(RUBRIC_SETTING, lambda _kind, _text, _scope: Judged(), cwd="/w"), World())
    fetched = printed(Source("curl", (), None, shell, "/w"))
    assert (fetched.text, fetched.origin.fetched) == (None, True)
    assert printed(Source("sort", (), fetched, shell, "/w")).origin.fetched
    assert printed(Source("date", (), None, shell, "/w")).origin.pipeline == (("date",),)
