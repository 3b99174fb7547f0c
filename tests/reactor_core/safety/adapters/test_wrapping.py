from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anthropic
import pytest
from tests.reactor_core.safety.adapters.conftest import Vendor

from reactor_core.errors import ConfigError
from reactor_core.safety.adapters.wrapping import wrap_posts


class Marks:
    """Marks what passes."""

    def concerns(self, path: str) -> bool:
        return path == "/marked"

    def sent(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**body, "sent": True}

    def reply(self, path: str, reply: Any) -> Any:
        return {**reply, "seen": True}

    def filter(self, path: str) -> Any:
        raise AssertionError("nothing comes in pieces")


def test_only_what_concerns_the_gate_passes_it(vendor: Vendor) -> None:
    with anthropic.Anthropic(api_key="test", base_url=vendor.url, max_retries=0) as client:
        client.messages.create  # noqa: B018  a part that is made before the gate stands there
        wrap_posts(client, Marks())
        vendor.replies = [{"a": 1}] * 3
        for asked in (client, client.copy()):
            assert asked.post("/marked", cast_to=object, body={"b": 2}) == {"a": 1, "seen": True}
        assert client.post("/other", cast_to=object, body={"b": 2}) == {"a": 1}
        assert vendor.requests == [{"b": 2, "sent": True}, {"b": 2, "sent": True}, {"b": 2}]
        assert client.messages._post == client.post
        with pytest.raises(ConfigError, match="raw response"):
            client.post("/marked", cast_to=object, options={"headers": {"x-stainless-raw-response": "true"}})
