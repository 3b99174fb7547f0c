"""What the fields of a request ask for."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ('PUT https://a.example/v1/users/7/role {"role":"admin"}', "block"),
        ('POST https://m.example/v3/send {"list":"all-subscribers"}', "block"),
        ('POST https://bank.example/v2/transfers {"amount":"ALL","to":"x"}', "block"),
        ('POST https://bank.example/v2/transfers {"amount":"5","to":"x"}', "confirm"),
    ],
)
def test_content_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "network").verdict) == verdict
