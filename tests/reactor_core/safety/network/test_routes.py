"""Known services."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("DELETE https://api.github.com/repos/acme/web", "block"),
        ('PATCH https://api.github.com/repos/a/b/git/refs/heads/main {"force":true}', "block"),
        ('POST https://es.example:9200/logs/_count {"query":{"match_all":{}}}', "allow"),
        ("DELETE https://es.example:9200/_all", "block"),
        ("DELETE https://vault.example/v1/sys/audit/file", "block"),
        ("DELETE https://k8s.example/api/v1/namespaces/prod", "block"),
    ],
)
def test_routes_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "network").verdict) == verdict
