from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from reactor_core.events import EventType
from reactor_core.safety.confirm import Approvals, Method, Said

YES = Said(True, "dev", Method.TEXT, "ok")


@pytest.fixture
def asking(bridge, factors):
    """By the machine's own clock, as these tests wait."""
    with Approvals(bridge, factors=factors) as approvals:
        yield approvals


def denials(bridge):
    return [event for event in bridge.journal.read() if event.event_type == EventType.SAFETY_DENIED]


async def test_an_answer_wakes_who_waits(asking, decide):
    ticket = await asking.request_async(decide())
    waiting = asyncio.ensure_future(ticket.answer())
    await asyncio.sleep(0)
    await asyncio.to_thread(asking.say, ticket.ticket_id, YES)
    outcome = await asyncio.wait_for(waiting, 30)
    assert (outcome.confirmed, outcome.method, outcome.principal) == (True, "text", "dev")
    assert ticket.settled


def test_an_answer_of_another_process_wakes_who_waits(asking, decide, settings):
    ticket = asking.request(decide())
    script = (
        "import sys; from pathlib import Path\n"
        "from reactor_core.integration import EventBridge; from reactor_core.utils.settings import Settings\n"
        "from reactor_core.safety.confirm import Approvals, Method, Said\n"
        "settings = Settings(workspace=Path(sys.argv[1]), state_dir=Path(sys.argv[2]))\n"
        "with EventBridge(settings=settings) as bridge, Approvals(bridge) as approvals:\n"
        "    approvals.say(sys.argv[3], Said(False, 'boss', Method.TEXT, 'no'))\n"
    )
    arguments = [str(settings.workspace), str(settings.state_dir), ticket.ticket_id]
    child = subprocess.Popen([sys.executable, "-c", script, *arguments])
    outcome = ticket.wait(60)
    assert child.wait(30) == 0
    assert (outcome.confirmed, outcome.method, outcome.principal) == (False, "text", "boss")


def test_no_answer_in_time_is_a_denial(asking, decide, bridge):
    ticket = asking.request(decide(), timeout_seconds=0.05)
    outcome = ticket.wait()
    assert (outcome.confirmed, outcome.method) == (False, "timeout")
    assert [event.data["confirmation_method"] for event in denials(bridge)] == ["timeout"]


async def test_the_same_on_a_loop(asking, decide, bridge):
    ticket = asking.request(decide())
    outcome = await ticket.answer(timeout=0.05)
    assert not outcome.confirmed
    assert asking.question(ticket.ticket_id).state == "expired"
    assert len(denials(bridge)) == 1


def test_who_gives_up_asks_no_more(asking, decide, bridge):
    ticket = asking.request(decide())
    ticket.cancel()
    assert not ticket.wait(30).confirmed
    assert [event.data["confirmation_method"] for event in denials(bridge)] == ["withdrawn"]
    ticket.cancel()
    assert len(denials(bridge)) == 1


def test_giving_up_late_takes_no_answer_back(asking, decide):
    ticket = asking.request(decide())
    asking.say(ticket.ticket_id, YES)
    ticket.cancel()
    assert ticket.wait(30).confirmed


def test_an_approver_is_asked_once_however_often_one_waits(bridge, factors, decide):
    asked = []

    def approver(question, stop):
        asked.append(question.asked.action)
        return YES

    with Approvals(bridge, factors=factors, approver=approver) as approvals:
        ticket = approvals.request(decide(), session="agent")
        assert ticket.wait(30).principal == "dev"
        assert ticket.wait(30).principal == "dev"
    assert asked == ["rm notes.txt"]


def test_an_approver_is_told_when_somebody_else_has_answered(bridge, factors, decide):
    asking, ended = threading.Event(), threading.Event()

    def approver(question, stop):
        asking.set()
        if stop.wait(30):
            ended.set()
        return Said(True, "late", Method.TERMINAL)

    with Approvals(bridge, factors=factors, approver=approver) as approvals:
        ticket = approvals.request(decide())

        def other():
            asking.wait(30)
            approvals.say(ticket.ticket_id, Said(False, "boss", Method.TEXT))

        threading.Thread(target=other).start()
        assert ticket.wait(30).principal == "boss"
        assert ended.wait(30)
        assert [answer.person for answer in approvals.question(ticket.ticket_id).answers] == ["boss"]


def test_an_approver_that_fails_leaves_the_question_to_others(bridge, factors, decide, caplog):
    def approver(question, stop):
        raise OSError("the window is gone")

    with Approvals(bridge, factors=factors, approver=approver) as approvals:
        ticket = approvals.request(decide())
        assert not ticket.wait(0.3).confirmed
    assert "the approver failed" in caplog.text


def test_the_agent_as_its_own_approver_is_refused(bridge, factors, decide, caplog):
    with Approvals(bridge, factors=factors, approver=lambda *_: Said(True, "agent", Method.TEXT)) as approvals:
        ticket = approvals.request(decide(), session="agent")
        assert not ticket.wait(0.3).confirmed
    assert "cannot allow it" in caplog.text


def test_a_blocked_action_is_never_asked_in_flow(bridge, factors, decide):
    from reactor_core.safety.verdict import Verdict

    asked = []
    with Approvals(bridge, factors=factors, approver=lambda *given: asked.append(given)) as approvals:
        ticket = approvals.request(decide(verdict=Verdict.BLOCK))
        assert not ticket.wait(0.1).confirmed
    assert asked == []


async def test_waiting_does_not_hold_up_the_loop(asking, decide):
    ticket = asking.request(decide())
    turns = 0
    waiting = asyncio.ensure_future(ticket.answer(timeout=0.3))
    begin = time.monotonic()
    while not waiting.done():
        turns += 1
        await asyncio.sleep(0.01)
    assert turns > 5, f"{turns} turns in {time.monotonic() - begin:.2f} s"
    assert not waiting.result().confirmed
