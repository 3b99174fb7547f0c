"""Azure."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("az vm list -o table", "allow"),
        ("az group delete --name prod-rg --yes", "block"),
        ("az lock delete --name keep -g rg", "block"),
        ("az vm restart -g rg -n web-4", "confirm"),
    ],
)
def test_cloud_azure_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "cloud").verdict) == verdict
