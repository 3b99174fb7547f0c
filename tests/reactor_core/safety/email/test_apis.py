"""Interfaces of libraries."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("imap.store('1:*', '+FLAGS', '\\\\Deleted'); imap.expunge()", "block"),
        ("imap.store('26', '+FLAGS', '\\\\Deleted')", "confirm"),
        ("gmail.users().messages().untrash(userId='me', id='1')", "allow"),
        ("graph.post('/me/messages/5/reply', {'comment': 'ok'})", "confirm"),
    ],
)
def test_apis_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "email").verdict) == verdict
