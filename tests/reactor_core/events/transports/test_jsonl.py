from __future__ import annotations

import asyncio
import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reactor_core.events import Journal, new_event
from reactor_core.events.bus import Bus
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.transports import JsonlRelay, RelayGroup
from reactor_core.integration import EventBridge

HEARTBEAT = {"event_type": "service_up", "source": "scout", "timestamp": "2026-11-21T12:00:00Z", "payload": {}}


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


class Station:
    """A workspace with a relay on a shared file, without any other transport."""

    def __init__(self, workspace: Path, file: Path) -> None:
        self.journal = Journal(workspace / "reactor.db")
        self.thread = LoopThread(workspace.name)
        self.thread.start()
        self.bus = Bus(self.journal, self.thread, target="reactor_core")
        self.relay = JsonlRelay(file, journal=self.journal, bus=self.bus, source="reactor_core", workspace=workspace)
        self.group = RelayGroup([self.relay], self.thread)

    def publish(self, number: int) -> str:
        event, payload = new_event("reactor_core", "tick", {"n": number})
        return self.journal.append(event, payload=payload).result(30).event.event_id

    def wait(self, count: int) -> list:
        """Wait until the journal holds so many events."""

        async def wait() -> list:
            bell = asyncio.Event()
            self.bus.add_bell(bell)
            async with asyncio.timeout(30):
                while len(events := self.journal.read()) < count:
                    bell.clear()
                    await bell.wait()
            return events

        return self.thread.submit(wait()).result(40)

    def until(self, true: Callable[[], bool]) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + 30
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def flush(self) -> None:
        self.until(lambda: self.group.status()[0].state == "connected")
        self.thread.submit(self.relay.flush()).result(40)

    def close(self) -> None:
        self.thread.submit(self.group.close(10)).result(20)
        self.thread.submit(self.bus.close()).result(30)
        self.thread.stop()
        self.journal.close()


@pytest.fixture
def stations(tmp_path: Path):
    opened: list[Station] = []

    def open_station(name: str) -> Station:
        opened.append(Station(tmp_path / name, tmp_path / "shared" / "all.jsonl"))
        return opened[-1]

    yield open_station
    for station in opened:
        station.close()


def test_what_one_workspace_publishes_the_other_stores(stations):
    one, two = stations("one"), stations("two")
    sent = [one.publish(number) for number in range(20)]
    assert [event.event_id for event in two.wait(20)] == sent
    assert [event.event_id for event in one.journal.read()] == sent


def test_both_write_to_one_file_without_tearing_lines(stations, tmp_path):
    one, two = stations("one"), stations("two")
    for number in range(40):
        one.publish(number)
        two.publish(number)
    ids = {event.event_id for event in one.wait(80)}
    assert ids == {event.event_id for event in two.wait(80)}
    assert len(lines(tmp_path / "shared" / "all.jsonl")) == 80


def test_half_a_line_is_read_when_it_is_whole(stations, tmp_path):
    station = stations("one")
    file = tmp_path / "shared" / "all.jsonl"
    file.parent.mkdir(exist_ok=True)
    text = json.dumps(HEARTBEAT | {"event_id": "0" * 32, "payload": {"text": "ü"}}, ensure_ascii=False).encode()
    with file.open("ab", buffering=0) as neighbour:
        neighbour.write(json.dumps(HEARTBEAT | {"event_id": "1" * 32}).encode() + b"\n" + text[:-5])
        station.wait(1)
        neighbour.write(text[-5:] + b"\n")
        assert station.wait(2)[1].data == {"text": "ü"}


def test_lines_that_are_no_events_are_passed_over(stations, tmp_path):
    station = stations("one")
    file = tmp_path / "shared" / "all.jsonl"
    file.parent.mkdir(exist_ok=True)
    good = json.dumps(HEARTBEAT | {"event_id": "1" * 32}).encode()
    file.write_bytes(b"not json\n\n{}\n\xff\n" + good + b"\n")
    assert [event.event_id for event in station.wait(1)] == ["1" * 32]
    assert station.group.status()[0].rejected == 3


def test_a_file_that_was_replaced_is_read_from_its_start(stations, tmp_path):
    station = stations("one")
    file = tmp_path / "shared" / "all.jsonl"
    file.parent.mkdir(exist_ok=True)
    for number in (1, 2):
        fresh = tmp_path / "fresh"
        fresh.write_text(json.dumps(HEARTBEAT | {"event_id": str(number) * 32}) + "\n")
        os.replace(fresh, file)
        assert len(station.wait(number)) == number


def test_reading_goes_on_where_it_ended_and_old_news_stays_unread(tmp_path):
    file = tmp_path / "all.jsonl"
    file.write_text(json.dumps(HEARTBEAT | {"event_id": "0" * 32}) + "\n")
    for number in (1, 2):
        station = Station(tmp_path / "one", file)
        with file.open("a") as neighbour:
            neighbour.write(json.dumps(HEARTBEAT | {"event_id": str(number) * 32}) + "\n")
        station.wait(number)
        station.close()
    with Journal(tmp_path / "one" / "reactor.db") as journal:
        assert [event.event_id[0] for event in journal.read()] == ["1", "2"]


def test_what_a_neighbour_writes_between_two_runs_is_read(tmp_path):
    file = tmp_path / "all.jsonl"
    Station(tmp_path / "one", file).close()
    file.write_text(json.dumps(HEARTBEAT | {"event_id": "1" * 32}) + "\n")
    station = Station(tmp_path / "one", file)
    assert len(station.wait(1)) == 1
    station.close()


def test_a_file_that_is_no_plain_file_of_ours_is_left_alone(tmp_path, caplog):
    (tmp_path / "pipe").mkdir()
    pipe = tmp_path / "pipe" / "all.jsonl"
    os.mkfifo(pipe)  # opening it would block
    station = Station(tmp_path / "one", pipe)
    station.publish(1)
    station.close()
    assert "no plain file of this user" in caplog.text


def test_a_link_that_somebody_else_put_there_is_not_followed(stations, tmp_path, caplog):
    station = stations("one")
    file = tmp_path / "shared" / "all.jsonl"
    file.parent.mkdir(exist_ok=True)
    victim = tmp_path / "victim"
    victim.write_text("")
    file.symlink_to(victim)
    station.publish(1)
    station.thread.submit(station.group.close(10)).result(20)
    assert "Too many levels of symbolic links" in caplog.text
    assert victim.read_text() == ""


def test_a_file_that_is_rotated_is_read_to_its_end_first(stations, tmp_path):
    station = stations("one")
    file = tmp_path / "shared" / "all.jsonl"
    file.parent.mkdir(exist_ok=True)
    with file.open("ab", buffering=0) as neighbour:
        neighbour.write(json.dumps(HEARTBEAT | {"event_id": "1" * 32}).encode() + b"\n")
        station.wait(1)
        file.rename(tmp_path / "old")
        neighbour.write(json.dumps(HEARTBEAT | {"event_id": "2" * 32}).encode() + b"\n")
        file.write_text(json.dumps(HEARTBEAT | {"event_id": "3" * 32}) + "\n")
    assert [event.event_id[0] for event in station.wait(3)] == ["1", "2", "3"]


def test_a_file_that_was_replaced_while_nobody_read_it_is_a_gap(tmp_path):
    file = tmp_path / "all.jsonl"
    events: list = []
    for number in (1, 2):
        fresh = tmp_path / "fresh"
        fresh.write_text(json.dumps(HEARTBEAT | {"event_id": str(number) * 32}) + "\n")
        if number == 2:
            fresh.replace(file)
        station = Station(tmp_path / "one", file)
        if number == 1:
            fresh.replace(file)
        events = station.wait(2 * number - 1)
        station.close()
    assert [event.event_type for event in events] == ["service_up", "gap", "service_up"]
    assert "replaced" in events[1].data["reason"]


def test_a_file_that_was_cut_short_is_a_gap(stations, tmp_path):
    station = stations("one")
    file = tmp_path / "shared" / "all.jsonl"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(HEARTBEAT | {"event_id": "1" * 32, "payload": {"text": "x" * 100}}) + "\n")
    station.wait(1)
    with file.open("r+") as neighbour:
        neighbour.truncate(0)
    station.wait(2)
    with file.open("a") as neighbour:
        neighbour.write(json.dumps(HEARTBEAT | {"event_id": "2" * 32}) + "\n")
    assert [event.event_type for event in station.wait(3)] == ["service_up", "gap", "service_up"]


def test_half_a_line_that_a_dead_writer_left_spoils_no_other(stations, tmp_path):
    station = stations("one")
    file = tmp_path / "shared" / "all.jsonl"
    file.parent.mkdir(exist_ok=True)
    file.write_text('{"event_id": "dead')
    file.chmod(0o600)
    sent = station.publish(1)
    station.flush()
    assert file.read_text().splitlines()[0] == '{"event_id": "dead'
    assert json.loads(file.read_text().splitlines()[1])["event_id"] == sent


def test_without_space_no_half_line_stays_and_the_events_follow_later(tmp_path, caplog):
    file = tmp_path / "all.jsonl"
    with file.open("wb") as big:
        big.truncate(1 << 26)
        big.seek(0, os.SEEK_END)
        big.write(b"\n")
    size = file.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))  # the journal is far smaller
    try:
        station = Station(tmp_path / "one", file)
        sent = [station.publish(number) for number in range(3)]
        station.until(lambda: station.group.status()[0].state == "down")
        assert file.stat().st_size == size
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    station.until(lambda: station.group.status()[0].sent == 3)
    station.close()
    with file.open("rb") as written:
        written.seek(size)
        assert [json.loads(line)["event_id"] for line in written] == sent


async def test_without_a_hub_nothing_is_written_outside_the_workspace(tmp_path, fallback_file):
    async with EventBridge(fallback_to_file=True, workspace=tmp_path / "one") as bridge:
        await bridge.publish("tick", {})
    assert not fallback_file.parent.exists()


async def test_while_the_hub_is_up_nothing_is_written_to_the_file(tmp_path, hub, fallback_file):
    async with EventBridge(websocket_url=hub.url, workspace=tmp_path / "one") as bridge:
        await hub.wait(clients=1)
        await bridge.publish("tick", {})
        await hub.wait(events=1)
    assert not fallback_file.exists()


async def test_what_a_dead_hub_misses_is_in_the_file_and_reaches_the_hub_later(tmp_path, hub, fallback_file):
    async with (
        EventBridge(websocket_url=hub.url, workspace=tmp_path / "one") as bridge,
        EventBridge("scout", websocket_url=hub.url, workspace=tmp_path / "two") as neighbour,
    ):
        await hub.wait(clients=2)
        await bridge.publish("tick", {"n": 0})
        await hub.wait(events=1)
        await hub.die()
        events = [await bridge.publish("tick", {"n": number}) for number in range(1, 5)]
        async with asyncio.timeout(30):
            async for heard in neighbour.listen("tick", after_seq=0):
                if heard.data["n"] == 4:
                    break
        # The first one may be there too: the hub died before it could confirm it.
        written = [line["event_id"] for line in lines(fallback_file) if line["data"]["n"] > 0]
        assert written == [event.event_id for event in events]
        assert fallback_file.stat().st_mode & 0o077 == 0
        await hub.start()
        frames = await hub.wait(events=5)
        assert {frame["data"]["n"] for frame in frames} == {0, 1, 2, 3, 4}
        found = await neighbour.get_events_by_type("tick")
        assert [event.data["n"] for event in found if event.data["n"]] == [1, 2, 3, 4]
