"""Requests are read as a server would."""

from __future__ import annotations

from reactor_core.safety.network.request import read_request


def test_dots_of_a_path_are_folded() -> None:
    request = read_request("GET https://a.example/v1/x/../users/%37")
    assert request is not None
    assert request.segments == ("v1", "users", "7")


def test_a_header_changes_the_method() -> None:
    request = read_request("POST https://a.example/notes/1 (X-HTTP-Method-Override: DELETE)")
    assert request is not None
    assert request.method == "DELETE"
