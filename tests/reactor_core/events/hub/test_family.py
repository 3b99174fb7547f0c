from __future__ import annotations

import json

import pytest

from reactor_core.events import new_event
from reactor_core.events.hub.family import is_control


async def test_old_neighbours_meet_at_the_hub(host, meeting):
    agent, prime = await meeting.join_old("jarvis_agent"), await meeting.join_old("jarvis_prime")
    await agent.publish(1)
    heard = await prime.event()
    assert (heard["event_type"], heard["source"], heard["priority"]) == ("interaction_end", "jarvis_agent", 3)
    assert heard["payload"] == heard["data"] == {"n": 1}
    assert heard["target_sources"] == []
    assert [event.origin for event in host.journal.read()] == ["family:jarvis_agent"]


async def test_both_dialects_meet_on_one_path(host, meeting):
    old, new = await meeting.join_old(), await meeting.join("a")
    await old.publish(1)
    ((event, seq, early),) = await new.events(1)
    assert (event.data, event.source, seq, early) == ({"n": 1}, "jarvis_agent", 1, False)
    await new.publish(2)
    assert (await old.event())["payload"] == {"n": 2}


async def test_an_old_neighbour_does_not_hear_itself_nor_what_is_for_others(host, meeting):
    old, new = await meeting.join_old("jarvis_agent"), await meeting.join("a")
    await old.publish(1)
    await new.events(1)
    own, _ = new_event("jarvis_agent", "tick", {"n": 2})
    others, _ = new_event("scout", "tick", {"n": 3}, metadata={"target_sources": ["jarvis_prime"]})
    its, _ = new_event("scout", "tick", {"n": 4}, metadata={"target_sources": ["jarvis_agent"]})
    await new.again([own, others, its])
    assert (await old.event())["data"] == {"n": 4}


async def test_an_urgent_event_reaches_an_old_neighbour_once_and_before_a_backlog(host, meeting):
    old, new = await meeting.join_old(), await meeting.join("a")
    (event,) = await new.publish(1, first=None, lane=1, early=True)
    await new.again([event], first=1)
    await new.publish(2, first=2)
    assert [(await old.event())["data"]["n"] for _ in range(2)] == [1, 2]


async def test_who_joins_a_halted_family_hears_the_halt_first(host, meeting):
    host.latch.trip(reason="fire", event_id="0123456789abcdef0123", by="test")
    old = await meeting.join_old()
    heard = await old.event()
    assert (heard["event_type"], heard["event_id"]) == ("kill_switch_triggered", "0123456789abcdef0123")
    assert heard["data"]["action"] == "fire"


async def test_frames_that_are_no_events_harm_nobody(host, meeting, caplog):
    old, new = await meeting.join_old(), await meeting.join("a")
    bad = ("{", "[]", "null", "[" * 100_000, '{"type": "ping"}', b"\xff", '{"event_id": "x", "event_type": 7}')
    for frame in bad:
        await old.socket.send(frame)
    await old.publish(1, source=7)
    await old.publish(2, event_type="moon_phase")
    ((event, _, _),) = await new.events(1)
    assert (event.event_type, event.data) == ("moon_phase", {"n": 2})
    (counts,) = [peer.counts for peer in host.hub.peers() if peer.dialect == "family"]
    assert counts.rejected == len(bad)  # all but the ping, and the event without a source
    assert caplog.text.count("what is no event") == 1


async def test_an_event_that_is_said_twice_is_stored_once_and_other_content_is_not(host, meeting):
    old, new = await meeting.join_old(), await meeting.join("a")
    for payload in ({"n": 1}, {"n": 1}, {"n": "forged"}):
        await old.publish(1, payload=payload, event_id="0123456789abcdef0123")
    await old.publish(2)
    assert [event.data for event, _, _ in await new.events(2)] == [{"n": 1}, {"n": 2}]
    (counts,) = [peer.counts for peer in host.hub.peers() if peer.dialect == "family"]
    assert (counts.received, counts.duplicates, counts.rejected) == (2, 1, 1)


@pytest.mark.parametrize(
    ("frame", "control"),
    [('{"type": "welcome"}', True), ('{"event_type": "x", "type": "y"}', False), ("[]", False), ("{", False)],
)
def test_frames_about_the_connection_are_told_from_events(frame, control):
    assert is_control(frame) is control
    assert is_control(json.dumps(json.loads(frame)) if frame != "{" else frame) is control
