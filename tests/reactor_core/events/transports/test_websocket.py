from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.servers.hub import HubHost

from reactor_core.errors import ConfigError
from reactor_core.integration import EventBridge, EventSource, EventType


def neighbour(number: int, **changes) -> dict:
    return {
        "event_id": f"abc{number:05x}",
        "event_type": "interaction_end",
        "source": "jarvis_agent",
        "timestamp": "2026-11-21T12:00:00+00:00",
        "payload": {"n": number},
        "metadata": {},
        "target_sources": [],
        "priority": 5,
    } | changes


@pytest.fixture
async def bridge(tmp_path: Path, hub):
    async with EventBridge(
        EventSource.REACTOR_CORE, hub.url, fallback_to_file=False, workspace=tmp_path / "one"
    ) as bridge:
        yield bridge


async def first(bridge: EventBridge, *types: str):
    async with asyncio.timeout(30):
        async for event in bridge.listen(*types, after_seq=0):
            return event
    raise AssertionError("the bridge was closed")


async def test_the_first_frame_says_who_we_are(bridge, hub):
    await bridge.publish("tick", {})
    await hub.wait(events=1)
    assert hub.identities == [{"type": "identity", "source": "reactor_core"}]
    assert [status.state for status in bridge.relays()] == ["connected"]


async def test_what_is_published_reaches_the_hub_in_the_familys_words(bridge, hub):
    event = await bridge.publish(EventType.TRAINING_PROGRESS, {"epoch": 2}, priority=2)
    (frame,) = await hub.wait(events=1)
    assert frame["event_id"] == event.event_id
    assert frame["event_type"] == "training_progress"
    assert frame["payload"] == frame["data"] == {"epoch": 2}
    assert frame["priority"] == 2


async def test_what_a_neighbour_says_is_stored_and_heard(bridge, hub):
    await hub.wait(clients=1)
    await hub.say(neighbour(1))
    event = await first(bridge, "interaction_end")
    assert (event.source, event.data, event.priority) == (EventSource.JARVIS_AGENT, {"n": 1}, 3)
    assert event.seq == 1
    assert bridge.verify().ok


async def test_two_workspaces_meet_at_the_hub(bridge, hub, tmp_path):
    async with EventBridge("scout", hub.url, workspace=tmp_path / "two") as other:
        await hub.wait(clients=2)
        event = await other.publish("scout_topic_added", {"topic": "x"})
        heard = await first(bridge, "scout_topic_added")
    assert (heard.event_id, heard.data) == (event.event_id, {"topic": "x"})
    assert await bridge.get_events_by_type("scout_topic_added", source="scout") == [heard]
    assert len(await hub.wait(events=1)) == 1  # it is not sent back to the hub


async def test_publishing_does_not_wait_for_a_hub_that_is_away(bridge, hub):
    await hub.wait(clients=1)
    await hub.die()
    async with asyncio.timeout(5):
        events = [await bridge.publish("tick", {"n": number}) for number in range(5)]
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]


async def test_what_was_published_while_the_hub_was_dead_arrives_in_order_after_its_restart(bridge, hub):
    await bridge.publish("tick", {"n": 0})
    await hub.wait(events=1)
    await hub.die()
    for number in range(1, 100):
        await bridge.publish("tick", {"n": number})
    await hub.start()
    frames = await hub.wait(events=100)
    assert list(dict.fromkeys(frame["data"]["n"] for frame in frames)) == list(range(100))


async def test_a_new_process_sends_what_the_last_one_could_not(tmp_path, hub):
    await hub.die()
    async with EventBridge(websocket_url=hub.url, fallback_to_file=False, workspace=tmp_path) as bridge:
        event = await bridge.publish("tick", {"n": 1})
    await hub.start()
    async with EventBridge(websocket_url=hub.url, fallback_to_file=False, workspace=tmp_path):
        frames = await hub.wait(events=1)
    assert [frame["event_id"] for frame in frames] == [event.event_id]


async def test_what_the_hub_confirmed_is_not_sent_again(tmp_path, hub):
    for number in range(3):
        async with EventBridge(websocket_url=hub.url, fallback_to_file=False, workspace=tmp_path) as bridge:
            await hub.wait(clients=1)
            await bridge.publish("tick", {"n": number})
    frames = await hub.wait(events=3)
    assert [frame["data"]["n"] for frame in frames] == [0, 1, 2]


async def test_history_from_before_the_first_connection_stays_here(tmp_path, hub):
    async with EventBridge(workspace=tmp_path) as bridge:
        await bridge.publish("tick", {"n": "old"})
    async with EventBridge(websocket_url=hub.url, fallback_to_file=False, workspace=tmp_path) as bridge:
        await bridge.publish("tick", {"n": "new"})
        frames = await hub.wait(events=1)
    assert [frame["data"]["n"] for frame in frames] == ["new"]


async def test_an_urgent_event_overtakes_what_waits_for_the_hub(bridge, hub):
    await hub.wait(clients=1)
    await hub.die()
    for number in range(100):
        await bridge.publish("tick", {"n": number})
    await bridge.emit_kill_switch_triggered("mouse_corner", "Sending 500 emails", 147.3)
    await hub.start()
    frames = await hub.wait(events=101)
    assert frames[0]["event_type"] == "kill_switch_triggered"


async def test_an_event_that_the_hub_says_twice_is_stored_once(bridge, hub):
    await hub.wait(clients=1)
    for number in (1, 1, 2):
        await hub.say(neighbour(number))
    async with asyncio.timeout(30):
        async for event in bridge.listen(after_seq=0):
            if event.data["n"] == 2:
                break
    assert [event.data["n"] for event in await bridge.get_events_by_type("interaction_end")] == [1, 2]


async def test_frames_that_are_no_events_harm_nobody(bridge, hub, caplog):
    await hub.wait(clients=1)
    for frame in ("{", b"\xff", "[]", "null", "[" * 50_000, '{"type": "welcome"}', neighbour(0, source=7)):
        await hub.say(frame)
    await hub.say(neighbour(1))
    assert (await first(bridge)).data == {"n": 1}
    assert bridge.relays()[0].rejected == 6  # all but the welcome, which is about the connection
    assert "cannot be stored" in caplog.text


async def test_an_unknown_type_passes_through(bridge, hub):
    await hub.wait(clients=1)
    await hub.say(neighbour(1, event_type="moon_phase"))
    assert (await first(bridge)).event_type == "moon_phase"


async def test_a_second_bridge_of_the_workspace_leaves_the_connection_to_the_first(bridge, hub):
    await hub.wait(clients=1)
    async with EventBridge("jarvis_agent", hub.url, fallback_to_file=False, workspace=bridge.workspace) as second:
        event = await second.publish("tick", {"n": 1})
        frames = await hub.wait(events=1)
        assert [frame["event_id"] for frame in frames] == [event.event_id]
        assert second.relays()[0].state != "connected"
    assert len(hub.identities) == 1


@pytest.mark.parametrize("url", ["http://localhost:8000", "localhost", "ws://", "ws://h:port/"])
def test_an_address_that_is_none_is_refused(tmp_path, url):
    with pytest.raises(ConfigError, match="websocket_url"):
        EventBridge(websocket_url=url, workspace=tmp_path)


async def test_credentials_stay_out_of_names_and_journal(tmp_path, hub):
    url = hub.url.replace("ws://", "ws://me:secret-word@") + "?token=secret-word"
    async with EventBridge(websocket_url=url, fallback_to_file=False, workspace=tmp_path) as bridge:
        await bridge.publish("tick", {})
        await hub.wait(events=1)
        assert bridge.relays()[0].name == hub.url
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or b"secret-word" not in file.read_bytes()


async def test_a_halt_elsewhere_halts_this_bridge(tmp_path):
    host = HubHost(tmp_path / "hub")
    try:
        async with EventBridge(websocket_url=host.url, fallback_to_file=False, workspace=tmp_path / "one") as bridge:
            halted = asyncio.Event()
            loop = asyncio.get_running_loop()
            bridge.on_halt(lambda _: loop.call_soon_threadsafe(halted.set))
            await asyncio.to_thread(host.latch.trip, reason="fire", by="test")
            async with asyncio.timeout(30):
                await halted.wait()
            assert bridge.latch.state().reason == "fire"
    finally:
        await asyncio.to_thread(host.close)


async def test_publish_waits_for_the_hub_if_asked_to(tmp_path):
    host = HubHost(tmp_path / "hub")
    try:
        async with EventBridge(websocket_url=host.url, fallback_to_file=False, workspace=tmp_path / "one") as bridge:
            event = await bridge.publish("tick", {"n": 1}, ack="remote", timeout=30)
            assert host.journal.has(event.event_id)
    finally:
        await asyncio.to_thread(host.close)
