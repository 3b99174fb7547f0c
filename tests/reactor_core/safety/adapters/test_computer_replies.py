from __future__ import annotations

import base64

import pytest
from anthropic.types import Message
from tests.reactor_core.safety.adapters.test_anthropic_messages import message, use

from reactor_core.errors import ConfigError
from reactor_core.safety.adapters.computer_replies import Done, anthropic_result, calls_of, openai_output


def test_only_computer_calls_are_taken():
    click = {"action": "left_click", "coordinate": [1, 2]}
    member = use("left_click", {"coordinate": [3, 4]}, "toolu_3", toolset_name="computer")
    reply = Message.model_validate(message(use("bash", {"command": "ls"}), use("computer", click, "toolu_2"), member))
    vendor, calls = calls_of(reply)
    assert vendor == "anthropic"
    assert calls == [("toolu_2", (click,)), ("toolu_3", ({"action": "left_click", "coordinate": [3, 4]},))]
    with pytest.raises(ConfigError):
        calls_of("hello")


def test_results_are_what_the_vendors_expect():
    result = anthropic_result("toolu_1", Done("the screen", picture=b"PNG"))
    assert base64.b64decode(result["content"][0]["source"]["data"]) == b"PNG"
    assert "is_error" not in result
    assert anthropic_result("toolu_1", Done("no", failed=True))["is_error"] is True
    output = openai_output("call_1", b"PNG")["output"]
    assert output["image_url"] == "data:image/png;base64," + base64.b64encode(b"PNG").decode()
