"""What calls do."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("list_folders()", "allow"),
        ('move(id=7, folder="Receipts")', "allow"),
        ('draft(to="everyone@acme.example", body="x")', "allow"),
        ('delete_messages(query="*", permanent=True)', "block"),
        ("delete_messages(ids=[1, 2], permanent=True)", "confirm"),
        ("help(delete_mailbox)", "allow"),
        ('exec(bytes.fromhex("64656c6574655f6d61696c626f78287065726d616e656e743d5472756529").decode())', "block"),
    ],
)
def test_verbs_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "email").verdict) == verdict
