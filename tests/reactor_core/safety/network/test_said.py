"""Names of inner fields."""

from __future__ import annotations

from reactor_core.safety.network.request import read_request
from reactor_core.safety.network.said import all_fields, last_word


def test_an_inner_field_carries_the_outer_name() -> None:
    request = read_request('PUT https://a.example/x {"scan": {"status": "off"}}')
    assert request is not None
    assert ("scan status", "off") in all_fields(request)
    assert last_word("payout bank_account") == "bankaccount"
