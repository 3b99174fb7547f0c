"""The hosted repository."""

from __future__ import annotations

import pytest
from tests.reactor_core.safety.tools.verdicts import verdict


@pytest.mark.parametrize(
    "action",
    [
        "gh repo delete acme/x --yes",
        "gh repo edit acme/x --visibility public",
        "gh api -X DELETE repos/acme/x/branches/main/protection",
        "gh api -X DELETE repos/acme/x/git/refs/heads/main",
        "glab repo delete acme/x",
    ],
)
def test_is_blocked(action: str) -> None:
    assert verdict(action) == "block"


@pytest.mark.parametrize(
    "action",
    [
        "gh pr create --fill",
        "gh pr merge 4 --squash",
        "gh release create v1",
        "gh release delete v1",
        "gh secret set TOKEN",
        "gh auth token",
        "gh workflow run ci.yml",
        "gh issue close 4",
        "gh gist create x.txt",
        "gh repo create acme/y",
        "gh ssh-key add key.pub",
        "gh extension install x/y",
    ],
)
def test_is_asked_about(action: str) -> None:
    assert verdict(action) == "confirm"


@pytest.mark.parametrize(
    "action",
    [
        "gh pr list",
        "gh pr checkout 4",
        "gh pr diff 4",
        "gh run watch 99",
        "gh api repos/acme/x",
        "gh issue view 4",
        "gh repo clone acme/x",
        "gh release list",
        "gh search code 'rm -rf'",
        "gh auth status",
    ],
)
def test_is_let_through(action: str) -> None:
    assert verdict(action) == "allow"
