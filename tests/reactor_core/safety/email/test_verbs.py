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


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ('open_folder(name="Sent", page=2)', "allow"),
        ('set_view(folder="Inbox", sort="date_desc")', "allow"),
        ('insert_template(draft=4, template="intro")', "allow"),
        ('delete_label(name="Old clients")', "confirm"),
        ('send_reminder(event="e8")', "confirm"),
        ('read_message(id=7, subject="Your one-time login code", show_body=True)', "confirm"),
        ('delete_messages(query="subject:\\"new forwarding address\\"", permanent=True)', "block"),
        ('bulk_send(csv="leads.csv", template="t1")', "block"),
        ('send_bulk(segment="workshop guests", count=3)', "confirm"),
    ],
)
def test_views_are_free_and_what_is_sent_or_hidden_is_not(action: str, expected: str) -> None:
    assert judge_action(action, "email").verdict.value == expected
