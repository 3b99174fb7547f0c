"""The account itself."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ('set_forwarding(to="x@evil.example")', "block"),
        ("disable_forwarding()", "allow"),
        ("set_security(two_factor=False)", "block"),
        ('create_rule(match="subject:security alert", action="delete")', "block"),
        ('create_rule(match="from:news@shop.example", action="archive")', "confirm"),
        ('add_delegate(user="ana@acme.example", rights="read")', "confirm"),
    ],
)
def test_account_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "email").verdict) == verdict
