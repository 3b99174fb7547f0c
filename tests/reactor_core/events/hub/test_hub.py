from __future__ import annotations

import asyncio

import pytest
from tests.servers.hub import TOKEN, HubHost
from tests.servers.peers import Meeting

from reactor_core.events import new_event
from reactor_core.events.hub.hub import _begin
from reactor_core.events.hub.wire import Ack, Events, Fault, Gap, Hello, LatchFrame, pack
from reactor_core.events.latch import Latch


def numbers(events) -> list[int]:
    return [event.data["n"] for event, _, _ in events]


@pytest.mark.parametrize("encodings", [("msgpack", "msgpack"), ("json", "msgpack"), ("msgpack", "json")])
async def test_what_one_peer_sends_the_others_get_and_it_is_acknowledged(host, meeting, encodings):
    one, two = await meeting.join("a", encoding=encodings[0]), await meeting.join("b", encoding=encodings[1])
    sent = await one.publish(*range(10), text="ü€")
    await one.acked(3, 10)
    got = await two.events(10)
    assert [event.event_id for event, _, _ in got] == [event.event_id for event in sent]
    assert [seq for _, seq, _ in got] == list(range(1, 11))
    assert [event.payload() for event, _, _ in got] == [event.payload() for event in sent]
    assert [event.origin for event in host.journal.read()] == ["node:a"] * 10


async def test_the_sender_does_not_get_its_own_events_back(host, meeting):
    one, two = await meeting.join("a"), await meeting.join("b")
    await one.publish(1)
    await two.publish(2)
    assert numbers(await one.events(1)) == [2]


async def test_an_acknowledgement_means_that_it_is_on_disk(host, meeting):
    one = await meeting.join()
    await one.publish(*range(100))
    await one.acked(3, 100)
    assert host.journal.head().seq == 100


async def test_a_peer_goes_on_where_it_was(host, meeting):
    one, two = await meeting.join("a"), await meeting.join("b")
    await one.publish(*range(5))
    await two.events(5)
    await two.socket.close()
    await one.publish(*range(5, 9), first=6)
    await one.publish(100, first=10, lane=2)
    await one.acked(2, 10)
    again = await meeting.join("b", hub=two.welcome.node, after={1: 0, 2: 5, 3: 7, 4: 5})
    assert again.welcome.after == {1: 0, 2: 5, 3: 7, 4: 5}
    assert sorted(numbers(await again.events(3))) == [7, 8, 100]


async def test_a_peer_that_was_never_here_begins_now(host, meeting):
    one = await meeting.join("a")
    await one.publish(*range(5))
    await one.acked(3, 5)
    two = await meeting.join("b")
    assert two.welcome.after == {1: 5, 2: 5, 3: 5, 4: 5}
    await one.publish(7, first=6)
    assert numbers(await two.events(1)) == [7]


def test_lost_history_is_named():
    hello = Hello("n", "s", hub="h", after={1: 10, 2: 10, 3: 10, 4: 50})
    assert _begin(hello, node="h", head=60, first=1) == ({1: 10, 2: 10, 3: 10, 4: 50}, None)
    assert _begin(hello, node="h", head=60, first=21) == (
        {1: 20, 2: 20, 3: 20, 4: 50},
        Gap("compacted", 11, 20),
    )
    assert _begin(hello, node="h", head=40, first=1) == (
        {1: 10, 2: 10, 3: 10, 4: 40},
        Gap("rolled_back", 41, 50),
    )
    assert _begin(hello, node="other", head=60, first=31) == (dict.fromkeys((1, 2, 3, 4), 30), Gap("another_journal"))
    assert _begin(Hello("n", "s"), node="h", head=60, first=31) == (dict.fromkeys((1, 2, 3, 4), 60), None)


async def test_only_the_types_that_were_asked_for_are_sent(host, meeting):
    one, two = await meeting.join("a"), await meeting.join("b", types=["ERROR"])
    await one.publish(1)
    event, _ = new_event("scout", "error", {"n": 2}, priority=3)
    await one.again([event], first=2)
    assert numbers(await two.events(1)) == [2]


async def test_an_urgent_event_goes_out_before_its_source_has_committed_it_and_again_afterwards(host, meeting):
    one, two = await meeting.join("a"), await meeting.join("b")
    (event,) = await one.publish(1, first=None, lane=1, early=True)
    first, second = await two.events(2)
    assert first == (event, None, True)
    assert second == (event, 1, True)  # the hub has it; its source may be dead
    assert [open_.event_id for open_ in host.journal.unconfirmed()] == [event.event_id]
    await one.again([event], first=1)
    await one.acked(1, 1)
    assert (await two.events(1))[0] == (event, 1, False)
    assert host.journal.unconfirmed() == []
    assert host.journal.head().seq == 1


async def test_a_new_peer_does_not_get_what_was_before_its_time_when_it_is_confirmed(host, meeting):
    one = await meeting.join("a")
    (event,) = await one.publish(1, first=None, lane=1, early=True)
    await meeting.until(lambda: host.journal.head().seq == 1)
    two = await meeting.join("b")
    await one.again([event], first=1)
    await one.acked(1, 1)
    await one.publish(2, first=2)
    assert numbers(await two.events(1)) == [2]


async def test_a_peer_that_was_away_learns_what_was_committed_meanwhile(host, meeting):
    one = await meeting.join("a")
    first, second = await one.publish(1, 2, first=None, lane=1, early=True)
    await one.again([first], first=1)
    await one.acked(1, 1)
    two = await meeting.join("b", hub=one.welcome.node, after=dict.fromkeys((1, 2, 3, 4), 2),
                     unconfirmed=[first.event_id, second.event_id, "unknown"])  # fmt: skip
    ((event, _, early),) = await two.events(1)
    assert (event, early) == (first, False)


async def test_a_peer_without_credit_gets_urgent_events_and_the_state_of_the_kill_switch_only(host, meeting):
    one, two = await meeting.join("a"), await meeting.join("b", credit=0)
    await one.publish(*range(1000))
    await one.acked(3, 1000)
    await one.publish(7, first=1001, lane=1)
    assert numbers(await two.events(2, credit=False)) == [7, 7]  # and again when it is stored
    host.latch.trip(reason="smoke", by="test")
    assert (await two.frame(LatchFrame)).state["reason"] == "smoke"
    await two.send(Ack(credit=1))
    assert numbers(await two.events(1, credit=False)) == [0]


async def test_no_more_than_the_credit_is_on_its_way(host, meeting):
    one, two = await meeting.join("a"), await meeting.join("b", credit=4096)
    await one.publish(*range(200), text="x" * 200)
    size = 0
    while size < 4096:
        frame = await two.frame(Events)
        size += sum(len(packed.payload) + 64 for packed in frame.events)
    assert size < 4096 + 400
    await one.publish(7, first=201, lane=1)
    assert numbers(await two.events(2, credit=False)) == [7, 7]  # and again when it is stored


async def test_the_kill_switch_travels_in_both_directions_at_the_handshake(host, meeting, tmp_path):
    theirs = Latch(tmp_path / "theirs")
    theirs.trip(reason="fire", event_id="e1", by="somebody")
    state = {"tripped_epoch": 1, "cleared_epoch": 0, "reason": "fire", "event_id": "e1", "at": "", "by": "somebody"}
    assert host.latch.state().tripped is False
    one = await meeting.join("a", latch=state)
    assert one.welcome.latch["tripped_epoch"] == 1
    assert host.latch.state().tripped
    two = await meeting.join("b")
    assert two.welcome.latch["reason"] == "fire"
    theirs.close()


async def test_a_trip_that_comes_later_reaches_everybody(host, meeting):
    one, two = await meeting.join("a"), await meeting.join("b")
    await one.send(LatchFrame({"tripped_epoch": 3, "cleared_epoch": 0, "reason": "fire"}))
    assert (await two.frame(LatchFrame)).state["tripped_epoch"] == 3
    assert host.latch.state().tripped


async def test_a_clearing_does_not_travel(host, meeting):
    host.latch.trip(reason="fire", by="test")
    one = await meeting.join("a", latch={"tripped_epoch": 1, "cleared_epoch": 1, "reason": "fire"})
    assert one.welcome.latch["cleared_epoch"] == 0
    assert host.latch.state().tripped


async def test_an_event_for_others_passes_through(host, meeting):
    one, two = await meeting.join("a"), await meeting.join("b")
    event, _ = new_event("scout", "tick", {"n": 1}, metadata={"target_sources": ["jarvis_prime"]})
    await one.again([event])
    assert numbers(await two.events(1)) == [1]


async def test_cursors_pass_over_what_is_not_for_the_peer(host, meeting):
    one = await meeting.join("a")
    for first in range(1, 1001, 100):
        await one.publish(*range(100), first=first)
    at = {}
    while at.get(3, 0) < 256:
        at = (await one.frame(Ack)).at or at
    assert at[3] >= 256


async def test_an_id_that_is_taken_is_refused_and_the_rest_goes_on(host, meeting):
    one, two = await meeting.join("a"), await meeting.join("b")
    (event,) = await one.publish(1)
    forged, _ = new_event("scout", "tick", {"n": "forged"})
    packed = pack(forged)
    twin = pack(event)
    fake = type(packed)(twin.event_id, packed.event_type, packed.source, packed.lane, packed.ts_us, packed.payload, 2)
    await one.socket.send(one.codec.events([fake], early=False))
    fault = await one.frame(Fault)
    assert (fault.code, fault.event_id) == ("refused", event.event_id)
    await one.publish(3, first=3)
    assert numbers(await two.events(2)) == [1, 3]
    assert host.hub.peers()[0].counts.rejected + host.hub.peers()[1].counts.rejected == 1


@pytest.mark.parametrize("token", ["", "wrong", TOKEN])
async def test_who_is_not_known_must_show_the_token_in_the_first_frame(host, meeting, token):
    page = {"Origin": "https://elsewhere.example"}  # so being on this machine does not count
    if token == TOKEN:
        peer = await meeting.join("a", headers=page, token=token)
        await peer.publish(1)
        await peer.acked(3, 1)
        return
    with pytest.raises(AssertionError, match="a token is needed"):
        await meeting.join("a", headers=page, token=token)
    assert host.hub.peers() == []


async def test_a_hub_that_ends_stores_what_came_in_and_says_goodbye(tmp_path):
    host = HubHost(tmp_path / "hub")
    meeting = Meeting(host)
    peer = await meeting.join()
    await peer.publish(*range(50))
    await peer.acked(3, 50)
    await asyncio.to_thread(host.close)
    assert (await peer.closed())[0] == 1001
    await meeting.close()


async def test_the_figures_say_who_is_there_and_what_came(host, meeting):
    one = await meeting.join("a")
    await meeting.join_old()
    (event,) = await one.publish(1)
    await one.again([event], first=2)
    await one.acked(3, 2)
    figures = {(sample.name, sample.labels.get("dialect")): sample.value for sample in host.hub.metrics()}
    assert figures["reactor_hub_peers", "reactor"] == figures["reactor_hub_peers", "family"] == 1
    assert figures["reactor_hub_received", None] == figures["reactor_hub_duplicates", None] == 1
    await one.socket.close()
    await meeting.until(lambda: len(host.hub.peers()) == 1)
    assert sum(sample.value for sample in host.hub.metrics() if sample.name == "reactor_hub_received") == 1


async def test_a_hub_that_cannot_store_says_so_and_acknowledges_nothing(host, meeting):
    one = await meeting.join("a")
    host.journal.close()
    await one.publish(1)
    assert (await one.frame(Fault)).code == "storage"
    assert (await one.closed())[0] == 1013


async def test_a_long_reason_does_not_stop_the_kill_switch(host, meeting):
    host.latch.trip(reason="x" * 200_000, by="test")
    one = await meeting.join("a")
    assert one.welcome.latch["reason"] == "x" * 500
