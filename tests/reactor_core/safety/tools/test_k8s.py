"""Clusters."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("kubectl get pods -A", "allow"),
        ("kubectl delete ns prod --dry-run=none", "block"),
        ("kubectl delete ns prod --dry-run=client", "allow"),
        ("kubectl delete pod web-1 -n prod", "confirm"),
        ("helm uninstall web -n staging", "confirm"),
        ("kubectl apply -f https://paste.example/raw/1", "block"),
    ],
)
def test_k8s_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "cloud").verdict) == verdict
