from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from tests.reactor_core.safety.adapters.conftest import Asked, Vendor, trail

from reactor_core.errors import ActionBlocked, ActionDenied, ConfigError, Halted
from reactor_core.safety.adapters import instrument
from reactor_core.safety.gate import SafetyGate

ASK = {"model": "claude", "max_tokens": 100, "messages": [{"role": "user", "content": "clean up"}]}


def use(name: str, given: dict[str, Any], call: str = "toolu_1", **more: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": call, "name": name, "input": given, "caller": {"type": "direct"}, **more}


def message(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": list(blocks),
        "stop_reason": "tool_use", "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip


def pieces(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    """The same message as server-sent events."""
    whole = message()
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {**whole, "stop_reason": None}}]
    for i, block in enumerate(blocks):
        text = json.dumps(block.get("input"))
        events.append({"type": "content_block_start", "index": i, "content_block": {**block, "input": {}}})
        for part in (text[:5], text[5:]):
            delta = {"type": "input_json_delta", "partial_json": part}
            events.append({"type": "content_block_delta", "index": i, "delta": delta})
        events.append({"type": "content_block_stop", "index": i})
    stop = {"stop_reason": "tool_use", "stop_sequence": None}
    events.append({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 1}})
    return [*events, {"type": "message_stop"}]


@pytest.fixture
def client(vendor: Vendor, gate: SafetyGate) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="test", base_url=vendor.url, max_retries=0) as made:
        yield instrument(made, gate)


def test_a_harmless_call_comes_through_and_its_result_is_its_outcome(
    client: anthropic.Anthropic, vendor: Vendor, gate: SafetyGate
) -> None:
    vendor.replies = [message(use("bash", {"command": "ls"})), message()]
    reply = client.messages.create(**ASK)
    assert [block.type for block in reply.content] == ["tool_use"]
    assert reply.stop_reason == "tool_use"
    assert [entry.outcome for entry in trail(gate)] == [""]
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "no such file", "is_error": True}
    client.messages.create(**{**ASK, "messages": [*ASK["messages"], {"role": "user", "content": [result]}]})
    (entry,) = trail(gate)
    assert (entry.action, entry.kind, entry.outcome) == ("ls", "shell", "failed")
    assert entry.evidence["context"] == {"call": "toolu_1", "tool": "bash"}


def test_a_blocked_call_is_replaced_by_a_text_that_says_so(client: anthropic.Anthropic, vendor: Vendor) -> None:
    vendor.replies = [message(use("bash", {"command": "rm -rf /"}), use("bash", {"command": "ls"}, "toolu_2"))]
    reply = client.messages.create(**ASK)
    first, second = reply.content
    assert (first.type, second.type, reply.stop_reason) == ("text", "tool_use", "tool_use")
    assert "blocked by B1" in first.text
    vendor.replies = [message(use("bash", {"command": "rm -rf /"}))]
    assert client.messages.create(**ASK).stop_reason == "end_turn"


def test_a_risky_call_waits_for_people(client: anthropic.Anthropic, vendor: Vendor, people: Asked) -> None:
    vendor.replies = [message(use("bash", {"command": "rm notes.txt"}))] * 2
    assert client.messages.create(**ASK).content[0].type == "tool_use"
    people.yes = False
    assert "alice said no" in client.messages.create(**ASK).content[0].text
    assert len(people.questions) == 2


def test_a_refusal_can_be_an_error(vendor: Vendor, gate: SafetyGate, people: Asked) -> None:
    with anthropic.Anthropic(api_key="test", base_url=vendor.url, max_retries=0) as made:
        client = instrument(made, gate, refused="raise")
        vendor.replies = [message(use("bash", {"command": command})) for command in ("rm -rf /", "rm notes.txt")]
        with pytest.raises(ActionBlocked):
            client.messages.create(**ASK)
        people.yes = False
        with pytest.raises(ActionDenied):
            client.messages.create(**ASK)


@pytest.mark.parametrize("command", ["ls", "rm -rf /"])
def test_pieces_are_held_back_until_the_call_is_whole(
    client: anthropic.Anthropic, vendor: Vendor, command: str
) -> None:
    vendor.replies = [pieces(use("bash", {"command": command}))] * 3
    with client.messages.create(**ASK, stream=True) as stream:
        events = list(stream)
    blocks = [event.content_block.type for event in events if event.type == "content_block_start"]
    stops = [event.delta.stop_reason for event in events if event.type == "message_delta"]
    allowed = command == "ls"
    assert (blocks, stops) == ((["tool_use"], ["tool_use"]) if allowed else (["text"], ["end_turn"]))
    for messages in (client.messages, client.beta.messages):
        with messages.stream(**ASK) as helper:
            final = helper.get_final_message()
        assert final.content[0].type == blocks[0]
        assert ("blocked by B1" in str(final.content[0])) is not allowed


async def test_an_async_client_is_guarded_too(vendor: Vendor, gate: SafetyGate) -> None:
    async with anthropic.AsyncAnthropic(api_key="test", base_url=vendor.url, max_retries=0) as made:
        client = instrument(made, gate)
        call = use("bash", {"command": "rm -rf /"})
        vendor.replies = [message(call), pieces(call), pieces(call)]
        reply = await client.messages.create(**ASK)
        assert reply.content[0].type == "text"
        events = [event async for event in await client.messages.create(**ASK, stream=True)]
        assert [event.content_block.type for event in events if event.type == "content_block_start"] == ["text"]
        async with client.messages.stream(**ASK) as helper:
            assert (await helper.get_final_message()).content[0].type == "text"


def test_no_way_around_the_gate_is_left_open(client: anthropic.Anthropic, vendor: Vendor) -> None:
    vendor.replies = [message(use("bash", {"command": "rm -rf /"}))] * 3
    assert client.beta.messages.create(**ASK).content[0].type == "text"
    assert client.with_options(timeout=5).messages.create(**ASK).content[0].type == "text"
    assert client.copy().beta.messages.create(**ASK).content[0].type == "text"
    for raw in (client.messages.with_raw_response, client.beta.messages.with_raw_response):
        with pytest.raises(ConfigError, match="raw response"):
            raw.create(**ASK)
    with pytest.raises(ConfigError, match="raw response"), client.messages.with_streaming_response.create(**ASK):
        pytest.fail("it was let through")


def test_clicks_are_asked_about_unless_somebody_says_what_they_hit(
    vendor: Vendor, gate: SafetyGate, people: Asked
) -> None:
    click = use("computer", {"action": "left_click", "coordinate": [100, 200]})
    member = use("left_click", {"coordinate": [5, 6]}, toolset_name="computer")
    look = use("computer", {"action": "screenshot"})
    with anthropic.Anthropic(api_key="test", base_url=vendor.url, max_retries=0) as made:
        blind = instrument(made, gate)
        vendor.replies = [message(look), message(click), message(member)]
        for _ in range(3):
            assert blind.messages.create(**ASK).content[0].type == "tool_use"
    assert [question.asked.action for question in people.questions] == [
        "click: point (100, 200)", "click: point (5, 6)",
    ]  # fmt: skip
    labels = {(100, 200): 'tab "Billing" | app: Account settings', (5, 6): 'button "Delete all backups" | app: NAS'}
    with anthropic.Anthropic(api_key="test", base_url=vendor.url, max_retries=0) as made:
        seeing = instrument(made, gate, describe=lambda x, y: labels[x, y])
        vendor.replies = [message(click), message(member)]
        assert seeing.messages.create(**ASK).content[0].type == "tool_use"
        assert seeing.messages.create(**ASK).content[0].type == "text"
    assert len(people.questions) == 2


def test_a_tripped_switch_stops_every_call(client: anthropic.Anthropic, vendor: Vendor, gate: SafetyGate) -> None:
    gate.bridge.latch.trip(reason="enough")
    vendor.replies = [message(use("bash", {"command": "ls"}))]
    assert "kill switch is tripped" in client.messages.create(**ASK).content[0].text
    with pytest.raises(Halted), gate.guard("ls"):
        pytest.fail("it was let through")


def test_a_call_of_no_tool_is_not_touched(client: anthropic.Anthropic, vendor: Vendor, gate: SafetyGate) -> None:
    vendor.replies = [message({"type": "text", "text": "rm -rf / is dangerous"})]
    assert client.messages.create(**ASK).content[0].text == "rm -rf / is dangerous"
    assert trail(gate) == []


def test_the_client_of_the_seed_is_guarded_in_five_lines(vendor: Vendor, tmp_path: Any) -> None:
    from reactor_core.integration import EventBridge, EventSource
    from reactor_core.utils.settings import Settings

    settings = Settings(workspace=tmp_path / "seed", state_dir=tmp_path / "state")
    with EventBridge(source=EventSource.JARVIS_AGENT, settings=settings) as bridge, SafetyGate(bridge) as gate:
        client = instrument(anthropic.Anthropic(api_key="test", base_url=vendor.url), gate)
        vendor.replies = [message(use("bash", {"command": "rm -rf ~"}))]
        response = client.messages.create(**ASK)
        client.close()
        assert response.content[0].type == "text"
        assert [str(event.event_type) for event in bridge.journal.read()] == ["safety_blocked"]
