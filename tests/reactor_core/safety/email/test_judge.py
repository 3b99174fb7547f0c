"""The judge of mail actions, as the door calls it."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action
from reactor_core.safety.verdict import Verdict


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ('send_email(to="lee@partner.example", subject="Quote", body="...")', Verdict.CONFIRM),
        ("list_folders()", Verdict.ALLOW),
        ('create_rule(match="subject:security alert", action="delete permanently")', Verdict.BLOCK),
        ('for r in recipients[:500]: send_email(to=r, subject="Offer", body=t)', Verdict.BLOCK),
        ("gibberish without any call", Verdict.CONFIRM),
    ],
)
def test_actions(action: str, verdict: Verdict) -> None:
    assert judge_action(action, "email").verdict is verdict
