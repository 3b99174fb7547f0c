"""Code inside a request."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ('POST https://db.a.example/sql {"stmt":"SELECT 1; TRUNCATE TABLE t"}', "block"),
        ('POST https://a.example/graphql {"query":"mutation { deleteManyOrders(where: {}) { n } }"}', "block"),
        ('POST https://a.example/graphql {"query":"query deleteAll { jobs { id } }"}', "allow"),
        ('POST https://r.a.example/exec {"cmd_b64":"bHMgLWxh"}', "confirm"),
        ('POST https://r.a.example/exec {"cmd_b64":"cm0gLXJmIC9ob21l"}', "block"),
    ],
)
def test_code_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "network").verdict) == verdict
