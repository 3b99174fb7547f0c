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
        (r"find . \( -name __pycache__ -o -name '*.egg-info' \) -prune -exec rm -rf {} +", "allow"),
        (r"find . \( -name __pycache__ -o -name .git \) -exec rm -rf {} +", "block"),
        ("find . -type d -name build -exec rm -rf {} + -o -name dist -exec rm -rf {} +", "allow"),
        ("find . -path '*/node_modules/*' -exec rm -f {} +", "allow"),
        ("find /home/dev -mindepth 1 ! -name keep -exec rm -rf {} +", "block"),
        (r"find . -not \( -name build -o -name dist \) -exec rm -rf {} +", "block"),
        ("find /srv -name keep -prune -o -exec rm -rf {} +", "block"),
        ("find /data -name keep -prune -o -print0 | xargs -0 rm -rf", "block"),
        ("find -L /srv -type f | xargs rm -f", "block"),
        ("find . " + r"\( " * 40 + "-name build " + r"\) " * 40 + "-exec rm -rf {} +", "block"),
    ],
)
def test_it_is_judged_by_what_it_does(action: str, verdict: str) -> None:
    assert judge_action(action, "shell").verdict == verdict


def test_each_listing_has_a_name_of_its_own() -> None:
    assert {"find", "ls", "git", "which", "mktemp"} <= set(LISTINGS)
