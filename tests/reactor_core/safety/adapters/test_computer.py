"""A model that uses a computer, on a screen in memory."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import anthropic
import openai
import pytest
from tests.reactor_core.safety.adapters.conftest import Asked, Vendor, trail
from tests.reactor_core.safety.adapters.test_anthropic_messages import ASK, message, use
from tests.reactor_core.safety.screens import Element, MemoryScreen

from reactor_core.errors import ActionBlocked, ActionDenied, ApprovalInvalid, ConfigError, Halted
from reactor_core.events.vocabulary import EventType
from reactor_core.safety.adapters import Computer, instrument
from reactor_core.safety.confirm import Approvals, Question, Said
from reactor_core.safety.gate import SafetyGate

DELETE, NEXT, FIELD, SECRET, GUARD, FILE, TRASH = range(7)
AT = [(50, 25 + 40 * number) for number in range(7)]


@pytest.fixture
def screen() -> MemoryScreen:
    boxes = [(0, 5 + 40 * number, 100, 40) for number in range(7)]
    return MemoryScreen(
        Element("button", "Delete", boxes[DELETE], dialog="Delete 3 files?"),
        Element("tab", "Details", boxes[NEXT]),
        Element("field", "Search", boxes[FIELD], app="Notes"),
        Element("password field", "Password", boxes[SECRET], app="Login"),
        Element("switch", "Two-factor authentication", boxes[GUARD], app="Bank", on=True),
        Element("file", "thesis.odt", boxes[FILE]),
        Element("icon", "Trash", boxes[TRASH], app="Desktop"),
    )


@pytest.fixture
def computer(gate: SafetyGate, screen: MemoryScreen) -> Computer:
    return Computer(gate, screen, duration_ms=30)


def click(which: int) -> dict[str, Any]:
    return {"action": "left_click", "coordinate": list(AT[which])}


def shown(gate: SafetyGate) -> list[str]:
    kinds = (EventType.VISUAL_CLICK_PREVIEW, EventType.VISUAL_CLICK_VETOED)
    return [event.event_type for event in gate.bridge.journal.read() if event.event_type in kinds]


def outcomes(gate: SafetyGate) -> list[str]:
    kind = EventType.SAFETY_OUTCOME
    return [event.data["outcome"] for event in gate.bridge.journal.read() if event.event_type == kind]


async def test_a_risky_click_is_asked_about_by_name_shown_and_made(
    computer: Computer, screen: MemoryScreen, gate: SafetyGate, people: Asked
) -> None:
    await computer.do(click(DELETE))
    assert [question.asked.action for question in people.questions] == [
        'click: button "Delete" | app: "Files" | dialog: "Delete 3 files?"'
    ]
    assert (screen.elements[DELETE].clicks, screen.marks) == (["left"], 1)
    assert shown(gate) == [EventType.VISUAL_CLICK_PREVIEW]
    assert outcomes(gate)[-1] == "completed"


async def test_a_harmless_click_is_made_at_once_unless_all_are_to_be_shown(
    computer: Computer, screen: MemoryScreen, gate: SafetyGate, people: Asked
) -> None:
    await computer.do(click(NEXT))
    assert (screen.elements[NEXT].clicks, screen.marks, people.questions) == (["left"], 0, [])
    await Computer(gate, screen, shows="all", duration_ms=1).do({"action": "double_click", "coordinate": AT[NEXT]})
    assert (screen.elements[NEXT].clicks, screen.marks) == (["left"] * 3, 1)
    await Computer(gate, screen, shows="none").do(click(DELETE))
    assert (screen.elements[DELETE].clicks, screen.marks) == (["left"], 1)
    with pytest.raises(ConfigError):
        Computer(gate, screen, shows="some")  # type: ignore[arg-type]


async def test_what_is_blocked_or_refused_is_not_done(computer: Computer, screen: MemoryScreen, people: Asked) -> None:
    with pytest.raises(ActionBlocked):
        await computer.do(click(GUARD))
    people.yes = False
    with pytest.raises(ActionDenied):
        await computer.do(click(DELETE))
    assert (screen.elements[GUARD].on, screen.elements[DELETE].clicks, screen.marks) == (True, [], 0)


async def test_a_veto_while_it_is_shown_is_recorded_and_final(
    computer: Computer, screen: MemoryScreen, gate: SafetyGate
) -> None:
    screen.during = lambda: computer.veto("not that one")
    with pytest.raises(ActionDenied, match="not that one"):
        await computer.do(click(DELETE))
    assert screen.elements[DELETE].clicks == []
    assert shown(gate) == [EventType.VISUAL_CLICK_PREVIEW, EventType.VISUAL_CLICK_VETOED]
    assert outcomes(gate)[-1] == "abandoned"


async def test_a_target_that_changes_while_people_think_or_while_it_is_shown_is_not_clicked(
    computer: Computer, screen: MemoryScreen, gate: SafetyGate, people: Asked
) -> None:
    cover = Element("button", "Pay", screen.elements[DELETE].box, app="Bank")
    screen.during = lambda: screen.elements.append(cover)
    with pytest.raises(ApprovalInvalid, match="another window"):
        await computer.do(click(DELETE))
    screen.elements.remove(cover)
    screen.during = lambda: None

    def slowly(question: Question, stop: threading.Event) -> Said:
        screen.elements[DELETE].colour = "red"
        return people(question, stop)

    approvals = Approvals(gate.bridge, approver=slowly)
    with SafetyGate(gate.bridge, setting=gate.setting, approver=approvals) as slow_gate:
        with pytest.raises(ApprovalInvalid, match="picture"):
            await Computer(slow_gate, screen, duration_ms=1).do(click(DELETE))
    approvals.close()
    assert (cover.clicks, screen.elements[DELETE].clicks) == ([], [])
    assert shown(gate)[-1] == EventType.VISUAL_CLICK_VETOED


async def test_the_kill_switch_ends_it(computer: Computer, screen: MemoryScreen, gate: SafetyGate) -> None:
    screen.during = lambda: gate.bridge.latch.trip(reason="enough") and None
    with pytest.raises(Halted):
        await computer.do(click(DELETE))
    for step in (click(NEXT), {"action": "screenshot"}, {"action": "type", "text": "x"}):
        with pytest.raises(Halted):
            await computer.do(step)
    assert [one.clicks for one in screen.elements] == [[]] * 7


async def test_keys_go_where_they_were_judged_to_go(
    computer: Computer, screen: MemoryScreen, gate: SafetyGate, people: Asked
) -> None:
    screen.focused = screen.elements[FIELD]
    await computer.do({"action": "type", "text": "cats"})
    await computer.do({"action": "key", "text": "ctrl+a"})
    assert (screen.elements[FIELD].typed, screen.pressed) == ("cats", [("Control", "a")])
    assert trail(gate)[0].action == 'type: "cats" | focus: field "Search" | app: "Notes"'
    screen.elements.append(Element("field", "prompt", (0, 290, 9, 9), app="Terminal"))
    screen.focused = screen.elements[-1]
    with pytest.raises(ActionBlocked):
        await computer.do({"type": "type", "text": "rm -rf /"})
    people.yes = False
    screen.focused = screen.elements[DELETE]
    with pytest.raises(ActionDenied):
        await computer.do({"action": "key", "text": "Return"})
    assert len(screen.pressed) == 1


async def test_a_password_is_typed_and_not_written_down(
    computer: Computer, screen: MemoryScreen, gate: SafetyGate
) -> None:
    screen.focused = screen.elements[SECRET]
    await computer.do({"action": "type", "text": "correct horse battery"})
    assert screen.elements[SECRET].typed == "correct horse battery"
    assert "correct horse" not in json.dumps([event.data for event in gate.bridge.journal.read()], default=str)
    assert 'focus: password field "Password"' in trail(gate)[0].action


async def test_a_drag_names_both_ends(computer: Computer, screen: MemoryScreen, people: Asked) -> None:
    await computer.do({"type": "drag", "path": [{"x": x, "y": y} for x, y in (AT[FILE], AT[TRASH])]})
    asked = 'drag: file "thesis.odt" -> icon "Trash" | app: "Files" | app: "Desktop"'
    assert people.questions[0].asked.action == asked
    assert screen.dragged == [("thesis.odt", "Trash")]


async def test_the_other_steps(computer: Computer, screen: MemoryScreen) -> None:
    assert (await computer.do({"type": "screenshot"})).picture == b"\x89PNG a screen"
    await computer.do({"type": "move", "x": 50, "y": AT[NEXT][1]})
    assert (await computer.do({"action": "cursor_position"})).says == f"X=50,Y={AT[NEXT][1]}"
    await computer.do({"action": "left_click"})
    assert screen.elements[NEXT].clicks == ["left"]
    await computer.do({"action": "scroll", "scroll_direction": "down", "scroll_amount": 2})
    assert screen.wheel == (0, 2)
    await computer.do({"action": "wait", "duration": 0.01})
    with pytest.raises(ConfigError):
        await computer.do({"action": "left_mouse_down"})


async def test_a_name_of_the_callers_own_is_used(gate: SafetyGate, screen: MemoryScreen, people: Asked) -> None:
    computer = Computer(gate, screen, duration_ms=0, describe=lambda x, y: 'button "Send to all" | app: Mail')
    await computer.do(click(NEXT))
    assert people.questions[0].asked.action == 'click: button "Send to all" | app: Mail'


async def test_a_reply_of_anthropics_is_asked_about_once_and_done(
    vendor: Vendor, gate: SafetyGate, computer: Computer, screen: MemoryScreen, people: Asked
) -> None:
    vendor.replies = [
        message(
            use("computer", click(DELETE)), use("computer", {"action": "screenshot"}, "toolu_2"),
            use("bash", {"command": "ls"}, "toolu_3"),
        )
    ]  # fmt: skip
    with anthropic.Anthropic(api_key="test", base_url=vendor.url, max_retries=0) as made:
        client = computer.instrument(made)
        reply = await asyncio.to_thread(client.messages.create, **ASK)
    assert len(people.questions) == 1
    assert screen.elements[DELETE].clicks == []
    first, second = await computer.results(reply)
    assert len(people.questions) == 1
    assert (screen.elements[DELETE].clicks, screen.marks) == (["left"], 1)
    assert first == {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "done"}]}
    assert second["content"][0]["source"]["media_type"] == "image/png"


async def test_what_changed_since_the_reply_is_judged_anew_or_not_clicked(
    vendor: Vendor, gate: SafetyGate, computer: Computer, screen: MemoryScreen, people: Asked
) -> None:
    vendor.replies = [message(use("computer", click(NEXT)), use("computer", click(TRASH), "toolu_2"))] * 2
    with anthropic.Anthropic(api_key="test", base_url=vendor.url, max_retries=0) as made:
        client = instrument(made, gate, describe=computer.describe)
        assert client.messages.create(**ASK).content[0].type == "tool_use"
        assert trail(gate)[0].action == 'click: tab "Details" | app: "Files"'
    with anthropic.Anthropic(api_key="test", base_url=vendor.url, max_retries=0) as made:
        reply = computer.instrument(made).messages.create(**ASK)
    screen.elements[NEXT].role, screen.elements[NEXT].name = "button", "Delete everything"
    people.yes = False
    first, second = await computer.results(reply)
    assert first["is_error"]
    assert "not done" in first["content"][0]["text"]
    assert "an earlier step failed" in second["content"][0]["text"]
    assert (screen.elements[NEXT].clicks, screen.elements[TRASH].clicks) == ([], [])


async def test_a_picture_that_changed_since_the_reply_calls_the_click_off(
    vendor: Vendor, computer: Computer, screen: MemoryScreen
) -> None:
    vendor.replies = [message(use("computer", click(NEXT)))]
    with anthropic.Anthropic(api_key="test", base_url=vendor.url, max_retries=0) as made:
        reply = computer.instrument(made).messages.create(**ASK)
    screen.elements[NEXT].colour = "red"
    (result,) = await computer.results(reply)
    assert "the picture around the point changed" in result["content"][0]["text"]
    assert screen.elements[NEXT].clicks == []


async def test_a_response_of_openais_is_done_and_answered_by_a_picture(
    vendor: Vendor, computer: Computer, screen: MemoryScreen, people: Asked
) -> None:
    action = {"type": "click", "button": "left", "x": AT[DELETE][0], "y": AT[DELETE][1]}
    call = {"type": "computer_call", "id": "cu_1", "call_id": "call_1", "status": "completed", "action": action,
            "pending_safety_checks": []}  # fmt: skip
    reply = {
        "id": "resp_1", "object": "response", "created_at": 1, "model": "computer-use-preview", "output": [call],
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "status": "completed",
    }  # fmt: skip
    vendor.replies = [reply, reply]
    async with openai.AsyncOpenAI(api_key="test", base_url=vendor.url, max_retries=0) as made:
        client = computer.instrument(made)
        response = await client.responses.create(model="computer-use-preview", input="clean up")
        (answer,) = await computer.results(response)
        assert answer["output"]["image_url"].startswith("data:image/png;base64,")
        assert (screen.elements[DELETE].clicks, len(people.questions)) == (["left"], 1)
        response = await client.responses.create(model="computer-use-preview", input="clean up")
    screen.during = lambda: computer.veto("no")
    with pytest.raises(ActionDenied):
        await computer.results(response)
    assert screen.elements[DELETE].clicks == ["left"]


async def test_steps_are_done_one_after_the_other(computer: Computer, screen: MemoryScreen) -> None:
    screen.focused = screen.elements[FIELD]
    await asyncio.gather(*(computer.do({"action": "type", "text": word}) for word in ("one ", "two ", "three")))
    assert screen.elements[FIELD].typed == "one two three"
