"""git: what is discarded."""

from __future__ import annotations

import pytest
from tests.reactor_core.safety.tools.verdicts import verdict


@pytest.mark.parametrize(
    "action",
    [
        "git branch -D main",
        "git branch | grep -v '^\\*' | xargs git branch -D",
    ],
)
def test_is_blocked(action: str) -> None:
    assert verdict(action) == "block"


@pytest.mark.parametrize(
    "action",
    [
        "git checkout -- src",
        "git checkout .",
        "git checkout HEAD~2 -- src/a.py",
        "git checkout -f",
        "git checkout src/a.py",
        "git switch -f main",
        "git restore src/a.py",
        "git restore --staged --worktree .",
        "git clean -fd",
        "git clean -xfd",
        "git branch -D feature/x",
        "git rm -rf .",
        "git branch -M other",
    ],
)
def test_is_asked_about(action: str) -> None:
    assert verdict(action) == "confirm"


@pytest.mark.parametrize(
    "action",
    [
        "git checkout feature/x",
        "git checkout -b fix/y",
        "git switch main",
        "git switch -c fix/z",
        "git restore --staged .",
        "git clean -n",
        "git clean -fdX build/",
        "git branch -d merged",
        "git branch -a",
        "git rm --cached big.bin",
        "git rm src/old.py",
    ],
)
def test_is_let_through(action: str) -> None:
    assert verdict(action) == "allow"
