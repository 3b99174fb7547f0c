from __future__ import annotations

import pytest
from tests.reactor_core.safety.gui.test_sight import sight
from tests.reactor_core.safety.scopes import rule

from reactor_core.safety.gui.outward import paid, spoken


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('button "Pay" | app: Bank | amount: $50.00 | payee: saved', "C7"),
        ('button "Transfer all" | app: Bank | amount: $18,204.77 (full balance)', "B7"),
        ('button "Save new bank details" | app: Vendor portal', "B7"),
        ('button "Place order" | app: Amazon | total: $24.10', "C7"),
        ('button "Sell all" | app: Coinbase | holdings: 3.2 BTC | total: all', "B7"),
        ('button "Cancel" | app: Bank | dialog: "Send the full balance?"', ""),
        ('button "Order by name" | app: Files', ""),
        ('button "Change" | app: member portal | payouts go to: account ending 266', "B7"),
    ],
)
def test_paid(text, expected):
    assert rule(paid(sight(f"click: {text}"))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('button "Send" | app: Mail | to: a@b.example', "C7"),
        ('button "Send" | app: Mail | to: 15000 recipients', "B7"),
        ('button "Send now" | app: Mailchimp | audience: "All contacts" (12,480)', "B7"),
        ('button "Send" | app: Mail | to: a@b.example | attachment: applicants.ods', "B7"),
        ('button "Save draft" | app: Mail | to: 300 recipients', ""),
        ('button "I agree" | app: DocuSign | dialog: "Sign it"', "C7"),
        ('button "Decline" | app: Google Calendar | invite: "Lunch"', "C7"),
        ('button "Decline" | app: call | from: unknown', ""),
        ('button "Notify buyer" | app: Shop | order: 1088', "C7"),
        ('button "Zoom" | app: Maps', ""),
    ],
)
def test_spoken(text, expected):
    assert rule(spoken(sight(f"click: {text}"))) == expected
