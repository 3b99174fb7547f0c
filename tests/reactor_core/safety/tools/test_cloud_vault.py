"""Vault."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("vault status", "allow"),
        ("vault audit disable file/", "block"),
        ("vault kv get secret/web", "confirm"),
    ],
)
def test_cloud_vault_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "cloud").verdict) == verdict
