"""Names that come from what another command lists."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action
from reactor_core.safety.shell.listings import LISTINGS


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("rm -rf $(find /data)", "block"),
        ("find . -name '*.pyc' | xargs rm -f", "allow"),
        ("find packages -name node_modules -print0 | xargs -0 rm -rf", "allow"),
        ("$(which rm) -rf /srv", "block"),
        ('d=$(mktemp -d); rm -rf "$d"', "allow"),
        ('rm -rf "$(dirname /srv/x)"', "block"),
        ("rm -rf $(git rev-parse --show-toplevel)/build", "allow"),
        ('rm -rf "$(pwd)/dist"', "allow"),
        ("rm -rf $(cat list.txt)", "confirm"),
        ('cd "$(mktemp -d)" && rm -rf ./*', "allow"),
    ],
)
def test_it_is_judged_by_what_it_does(action: str, verdict: str) -> None:
    assert judge_action(action, "shell").verdict == verdict


def test_each_listing_has_a_name_of_its_own() -> None:
    assert {"find", "ls", "git", "which", "mktemp"} <= set(LISTINGS)
