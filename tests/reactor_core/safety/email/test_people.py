"""Who is reached."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ('send_email(to="ana@acme.example", body="hi")', "confirm"),
        ('send_email(to="all-customers@lists.acme.example", body="hi")', "block"),
        ("for r in people[:500]: send_email(to=r, body=t)", "block"),
        ("send_email(bcc=customers[:1200], body=t)", "block"),
    ],
)
def test_people_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "email").verdict) == verdict
