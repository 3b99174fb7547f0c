from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reactor_core.events import Event, EventType, Journal, new_event
from reactor_core.events.bus import Bus
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.transports import FolderRelay, RelayGroup, folder
from reactor_core.integration import EventBridge

HEARTBEAT = {"event_type": "service_up", "source": "scout", "timestamp": "2026-11-21T12:00:00Z", "payload": {}}


class Station:
    """A workspace with a relay on a shared folder, without any other transport."""

    def __init__(self, workspace: Path, shared: Path) -> None:
        self.journal = Journal(workspace / "reactor.db")
        self.thread = LoopThread(workspace.name)
        self.thread.start()
        self.bus = Bus(self.journal, self.thread, target="reactor_core")
        self.relay = FolderRelay(shared, journal=self.journal, bus=self.bus, source="reactor_core", workspace=workspace)
        self.group = RelayGroup([self.relay], self.thread)

    def publish(self, number: int, priority: int = 3) -> str:
        event, payload = new_event("reactor_core", "tick", {"n": number}, priority=priority)
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
        self.until(lambda: self.relay.status.state == "connected")
        self.thread.submit(self.relay.flush()).result(40)

    def close(self) -> None:
        self.thread.submit(self.group.close(10)).result(20)
        self.thread.submit(self.bus.close()).result(30)
        self.thread.stop()
        self.journal.close()


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    path = tmp_path / "jarvis" / "events"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def stations(tmp_path: Path, shared: Path):
    opened: list[Station] = []

    def open_station(name: str) -> Station:
        opened.append(Station(tmp_path / name, shared))
        return opened[-1]

    yield open_station
    for station in opened:
        station.close()


def test_what_one_workspace_publishes_the_other_stores_once(stations, shared):
    one, two = stations("one"), stations("two")
    sent = {one.publish(number, priority=1 + number % 4) for number in range(20)}
    assert {event.event_id for event in two.wait(20)} == sent
    assert len(one.journal.read()) == 20
    assert len(list(shared.iterdir())) == 20


def test_a_file_is_named_and_spelled_as_the_family_does_it(stations, shared):
    station = stations("one")
    event_id = station.publish(7)
    station.flush()
    (file,) = shared.iterdir()
    date, clock, rest = file.name.split("_", 2)
    assert (len(date), len(clock), rest) == (8, 6, f"{event_id}.json")
    spelled = json.loads(file.read_text())
    assert (spelled["event_id"], spelled["payload"], spelled["target_sources"]) == (event_id, {"n": 7}, [])
    assert file.stat().st_mode & 0o077 == 0


def test_half_a_file_is_read_when_it_is_whole(stations, shared):
    station = stations("one")
    text = json.dumps(HEARTBEAT | {"event_id": "ab12", "payload": {"text": "x" * 50}})
    with (shared / "20261121_120000_ab12.json").open("w") as neighbour:
        neighbour.write(text[:40])
        neighbour.flush()
        (shared / "20261121_120001_cd34.json").write_text(json.dumps(HEARTBEAT | {"event_id": "cd34"}))
        station.wait(1)
        neighbour.write(text[40:])
    assert station.wait(2)[1].data == {"text": "x" * 50}
    assert station.relay.status.rejected == 0


def test_what_never_becomes_whole_is_refused_in_the_end(stations, shared, monkeypatch):
    monkeypatch.setattr(folder, "HALF_SECONDS", 0.05)
    station = stations("one")
    (shared / "20261121_120000_ab12.json").write_text('{"event_id": ')
    (shared / "20261121_120000_cd34.json").write_text("{}")  # whole, but no event
    (shared / "20261121_120001_ef56.json").write_text(json.dumps(HEARTBEAT | {"event_id": "ef56"}))
    station.wait(1)

    station.until(lambda: station.relay.status.rejected == 2)


def test_half_a_file_that_vanishes_holds_up_nothing(stations, shared):
    station = stations("one")
    half = shared / "20261121_120000_ab12.json"
    half.write_text('{"event_id": ')
    (shared / "20261121_120001_cd34.json").write_text(json.dumps(HEARTBEAT | {"event_id": "cd34"}))
    station.wait(1)
    before = station.relay.state_rows()
    half.unlink()

    station.until(lambda: station.relay.state_rows() != before)


def test_a_workspace_that_is_new_here_reads_no_old_news_and_one_that_was_away_reads_on(tmp_path, shared):
    old = shared / "20200101_120000_aaaa.json"
    old.write_text(json.dumps(HEARTBEAT | {"event_id": "aaaa"}))
    os.utime(old, (1, 1))
    Station(tmp_path / "one", shared).close()
    (shared / "20261121_120000_bbbb.json").write_text(json.dumps(HEARTBEAT | {"event_id": "bbbb"}))
    station = Station(tmp_path / "one", shared)
    (event,) = station.wait(1)
    assert event.metadata["family_event_id"] == "bbbb"
    station.close()
    again = Station(tmp_path / "one", shared)
    again.flush()
    assert len(again.journal.read()) == 1
    again.close()


def test_a_day_of_absence_is_a_gap_and_old_files_go_once_they_are_stored(tmp_path, shared, monkeypatch):
    station = Station(tmp_path / "one", shared)
    stored = station.publish(1)
    station.flush()
    station.close()
    foreign = shared / "20261120_120000_bbbb.json"
    foreign.write_text(json.dumps(HEARTBEAT | {"event_id": "bbbb"}))
    now = time.time()
    monkeypatch.setattr(folder.time, "time", lambda: now + 2 * folder.LIFE_SECONDS)
    again = Station(tmp_path / "one", shared)
    gap = again.wait(2)[-1]
    assert gap.event_type == EventType.GAP
    assert gap.data["transport"] == f"folder://{shared}"
    assert gap.data["lost_from"] < gap.data["lost_to"]
    again.until(lambda: not any(stored in file.name for file in shared.iterdir()))
    again.close()
    assert foreign.exists()


def test_a_folder_that_everybody_can_write_is_left_alone(tmp_path, shared, caplog):
    shared.chmod(0o777)
    station = Station(tmp_path / "one", shared)
    station.publish(1)
    station.close()
    assert "can be written by everybody" in caplog.text
    assert list(shared.iterdir()) == []


def test_links_and_other_names_are_passed_over(stations, shared, tmp_path):
    station = stations("one")
    secret = tmp_path / "secret"
    secret.write_text(json.dumps(HEARTBEAT | {"event_id": "link"}))
    (shared / "20261121_120000_link.json").symlink_to(secret)
    (shared / "20261121_120000_note.txt").write_text(json.dumps(HEARTBEAT | {"event_id": "note"}))
    (shared / "20261121_120001_good.json").write_text(json.dumps(HEARTBEAT | {"event_id": "good"}))
    (event,) = station.wait(1)
    assert event.metadata["family_event_id"] == "good"


def test_an_id_that_is_no_file_name_still_travels(stations, shared):
    one, two = stations("one"), stations("two")
    text = json.dumps(HEARTBEAT | {"event_id": "../../../etc/passwd-or-worse", "payload": {"n": 1}})
    one.journal.append(Event.from_json(text), origin="elsewhere").result(30)
    assert two.wait(1)[0].event_id == "../../../etc/passwd-or-worse"
    assert len(list(shared.iterdir())) == 1


async def test_a_bridge_uses_the_folder_that_the_environment_names(tmp_path, shared, monkeypatch):
    monkeypatch.setenv("JARVIS_EVENTS_DIR", str(shared))
    async with EventBridge(workspace=tmp_path / "one") as bridge:
        assert [status.name for status in bridge.relays()] == [f"folder://{shared}"]
        event = await bridge.publish("tick", {"n": 1})
    assert [file.name.split("_")[2] for file in shared.iterdir()] == [f"{event.event_id}.json"]
