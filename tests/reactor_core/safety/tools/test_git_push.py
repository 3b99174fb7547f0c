"""git push: whose branches it changes."""

from __future__ import annotations

import pytest
from tests.reactor_core.safety.tools.verdicts import verdict


@pytest.mark.parametrize(
    "action",
    [
        "git push -f origin master",
        "git push origin --force HEAD:main",
        "git push --mirror",
        "git push origin --delete release/1.0",
        "git push --force --all",
        "git push origin +refs/heads/*:refs/heads/*",
        "git push --force-with-lease origin develop",
        "git push origin HEAD~5:main --force",
        "git push --prune origin",
        "git branch -r | sed 's/origin.//' | xargs git push origin --delete",
    ],
)
def test_is_blocked(action: str) -> None:
    assert verdict(action) == "block"


@pytest.mark.parametrize(
    "action",
    [
        "git push origin main",
        "git push -f",
        "git push origin :feature/login",
        "git push --tags",
        "git push origin v1.2.0",
        "git push origin --delete v1.2.0",
        "git push https://github.com/other/fork.git feature/login",
        "git push --all",
        'git push -f origin "$BRANCH"',
        "git push heroku feature/login",
        "git push production HEAD",
    ],
)
def test_is_asked_about(action: str) -> None:
    assert verdict(action) == "confirm"


@pytest.mark.parametrize(
    "action",
    [
        "git push",
        "git push origin HEAD",
        "git push -u origin feature/login",
        "git push origin feature/login --dry-run --force",
        "git push --no-verify origin feature/login",
        "git push origin HEAD:refs/for/feature",
    ],
)
def test_is_let_through(action: str) -> None:
    assert verdict(action) == "allow"
