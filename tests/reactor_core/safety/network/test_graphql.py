"""GraphQL is parsed, not searched."""

from __future__ import annotations

from reactor_core.safety.network.graphql import operation, with_variables


def test_an_alias_does_not_hide_the_field() -> None:
    read = operation("mutation { harmless: deleteAll(where: {}) { n } }")
    assert read is not None
    assert (read[0], read[1][0].name) == ("mutation", "deleteAll")


def test_variables_take_their_values() -> None:
    assert with_variables("id : $ id", {"id": 7}) == "id : 7"
