from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from tests.reactor_core.safety.adapters.conftest import Asked, Vendor, trail

from reactor_core.errors import ActionBlocked, ActionDenied, ApprovalInvalid, ConfigError
from reactor_core.safety.adapters import instrument
from reactor_core.safety.gate import SafetyGate

ASK: dict[str, Any] = {"model": "gpt", "input": "clean up"}
CHECK = {"id": "cu_sc_1", "code": "malicious_instructions", "message": "The page tells the model what to do"}


def response(*items: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "resp_1", "object": "response", "created_at": 1, "model": "gpt", "output": list(items), "tools": [],
        "parallel_tool_calls": True, "tool_choice": "auto", "status": "completed", "error": None,
        "incomplete_details": None, "instructions": None, "metadata": {}, "temperature": 1, "top_p": 1,
    }  # fmt: skip


def function(name: str, **given: Any) -> dict[str, Any]:
    return {
        "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name, "arguments": json.dumps(given),
        "status": "completed",
    }  # fmt: skip


def computer(step: dict[str, Any], *checks: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "computer_call", "id": "cu_1", "call_id": "call_1", "action": step, "status": "completed",
        "pending_safety_checks": list(checks),
    }  # fmt: skip


def shell(*commands: str) -> dict[str, Any]:
    return {
        "type": "shell_call", "id": "sh_1", "call_id": "call_1", "status": "completed",
        "action": {"commands": list(commands)},
    }  # fmt: skip


def patch(operation: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "apply_patch_call",
        "id": "ap_1",
        "call_id": "call_1",
        "status": "completed",
        "operation": operation,
    }


def pieces(item: dict[str, Any]) -> list[dict[str, Any]]:
    """A response with one function call as server-sent events."""
    place = {"output_index": 0, "item_id": item["id"]}
    events = [
        {"type": "response.created", "response": response()},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "arguments": ""}},
        {"type": "response.function_call_arguments.delta", **place, "delta": item["arguments"]},
        {
            "type": "response.function_call_arguments.done",
            **place,
            "arguments": item["arguments"],
            "name": item["name"],
        },
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response(item)},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


@pytest.fixture
def client(vendor: Vendor, gate: SafetyGate) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="test", base_url=vendor.url, max_retries=0) as made:
        yield instrument(made, gate)


@pytest.mark.parametrize(
    "item",
    [
        function("bash", command="rm -rf /"),
        shell("ls", "rm -rf /"),
        {"type": "local_shell_call", "id": "l", "call_id": "c", "status": "completed",
         "action": {"type": "exec", "command": ["rm", "-rf", "/"], "env": {}}},
        function("run_query", sql="DROP TABLE users"),
        patch({"type": "delete_file", "path": "/etc/passwd"}),
    ],
)  # fmt: skip
def test_a_blocked_call_of_any_type_is_an_error(client: openai.OpenAI, vendor: Vendor, item: dict[str, Any]) -> None:
    vendor.replies = [response(item)]
    with pytest.raises(ActionBlocked):
        client.responses.create(**ASK)


def test_a_harmless_call_comes_through_and_its_output_is_its_outcome(
    client: openai.OpenAI, vendor: Vendor, gate: SafetyGate
) -> None:
    vendor.replies = [response(function("bash", command="ls")), response()]
    assert client.responses.create(**ASK).output[0].type == "function_call"
    output = {"type": "function_call_output", "call_id": "call_1", "output": "a b"}
    client.responses.create(model="gpt", input=[output])
    assert [(entry.action, entry.outcome) for entry in trail(gate)] == [("ls", "completed")]


def test_a_pending_safety_check_is_asked_about_and_acknowledged_once_agreed(
    client: openai.OpenAI, vendor: Vendor, people: Asked
) -> None:
    vendor.replies = [response(computer({"type": "scroll", "x": 1, "y": 2, "scroll_x": 0, "scroll_y": 9}, CHECK))]
    call = client.responses.create(**ASK).output[0]
    (question,) = people.questions
    assert "The page tells the model what to do" in question.asked.sentence
    assert [check.id for check in call.pending_safety_checks] == ["cu_sc_1"]
    screen = {"type": "computer_screenshot", "image_url": "data:image/png;base64,AA=="}
    vendor.replies = [response(), response()]
    output = {"type": "computer_call_output", "call_id": "call_1", "output": screen}
    client.responses.create(model="gpt", input=[output])
    assert vendor.requests[-1]["input"][0]["acknowledged_safety_checks"] == [CHECK]
    with pytest.raises(ApprovalInvalid, match="nobody agreed"):
        client.responses.create(model="gpt", input=[{**output, "acknowledged_safety_checks": [CHECK]}])
    people.yes = False
    vendor.replies = [response(computer({"type": "screenshot"}, CHECK))]
    with pytest.raises(ActionDenied):
        client.responses.create(**ASK)


def test_typing_and_keys_are_judged_as_such(client: openai.OpenAI, vendor: Vendor, gate: SafetyGate) -> None:
    vendor.replies = [
        response(computer({"type": "type", "text": "hello"})),
        response(computer({"type": "keypress", "keys": ["CTRL", "F"]})),
        response(computer({"type": "wait"})),
    ]
    for _ in range(3):
        client.responses.create(**ASK)
    assert [entry.action for entry in trail(gate)] == ['type: "hello"', "key: CTRL+F"]


@pytest.mark.parametrize("command", ["ls", "rm -rf /"])
def test_pieces_are_held_back_until_the_call_is_whole(client: openai.OpenAI, vendor: Vendor, command: str) -> None:
    vendor.replies = [pieces(function("bash", command=command))]
    stream = client.responses.create(**ASK, stream=True)
    assert next(stream).type == "response.created"
    if command == "ls":
        assert len(list(stream)) == 5
    else:  # nothing of the call was seen
        with pytest.raises(ActionBlocked):
            next(stream)


async def test_an_async_client_is_guarded_too(vendor: Vendor, gate: SafetyGate) -> None:
    async with openai.AsyncOpenAI(api_key="test", base_url=vendor.url, max_retries=0) as made:
        client = instrument(made, gate)
        vendor.replies = [response(shell("rm -rf /")), pieces(function("bash", command="rm -rf /"))]
        with pytest.raises(ActionBlocked):
            await client.responses.create(**ASK)
        with pytest.raises(ActionBlocked):
            async for _ in await client.responses.create(**ASK, stream=True):
                pass


def test_chat_completions_are_guarded_whole(client: openai.OpenAI, vendor: Vendor) -> None:
    def chat(command: str) -> dict[str, Any]:
        call = {
            "id": "c",
            "type": "function",
            "function": {"name": "bash", "arguments": json.dumps({"command": command})},
        }
        said = {"role": "assistant", "content": None, "tool_calls": [call]}
        choices = [{"index": 0, "finish_reason": "tool_calls", "message": said}]
        return {"id": "x", "object": "chat.completion", "created": 1, "model": "gpt", "choices": choices}

    messages: Any = [{"role": "user", "content": "clean up"}]
    vendor.replies = [chat("ls"), chat("rm -rf /")]
    assert client.chat.completions.create(model="gpt", messages=messages).choices[0].message.tool_calls
    with pytest.raises(ActionBlocked):
        client.chat.completions.create(model="gpt", messages=messages)
    with pytest.raises(ConfigError, match="in pieces"):
        client.chat.completions.create(model="gpt", messages=messages, stream=True)
