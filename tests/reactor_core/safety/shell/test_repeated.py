"""Commands that run another for each thing."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action
from reactor_core.safety.shell.repeated import REPEATERS


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("echo /etc | xargs -n1 sudo rm -r -f", "block"),
        ('printf "/a\\n/srv\\n" | xargs -I{} rm -rf {}', "block"),
        ("xargs rm -f < list.txt", "confirm"),
        ("find /srv -type f -exec rm -f {} +", "block"),
        ("find . -name '*.sh' -exec bash -n {} \\;", "allow"),
        ("find src -name '*.py' -exec grep -l x {} +", "allow"),
        ("parallel rm -rf ::: /srv /opt", "block"),
        ("ls *.txt | xargs wc -l", "allow"),
        ("echo 'rm -rf /srv' | xargs -0 sh -c", "block"),
        ("find . -name x -exec sh -c 'rm -rf /srv' \\;", "block"),
    ],
)
def test_it_is_judged_by_what_it_does(action: str, verdict: str) -> None:
    assert judge_action(action, "shell").verdict == verdict


def test_each_repeater_has_a_name_of_its_own() -> None:
    assert {"xargs", "find", "parallel"} <= set(REPEATERS)
