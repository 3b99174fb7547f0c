"""Shared patterns of mail."""

from __future__ import annotations

from reactor_core.safety.calls import Call
from reactor_core.safety.email.patterns import flagged, mail_finding


def test_a_finding_carries_the_call() -> None:
    call = Call("delete", named={"id": "7", "permanent": True}, source="delete(id='7', permanent=True)")
    assert flagged(call, "permanent")
    assert mail_finding(call, "C1", "deletes").part == "delete(id='7', permanent=True)"
