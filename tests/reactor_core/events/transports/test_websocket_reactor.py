"""The client against our own hub: real sockets, a cable that is cut, hubs that die and forget."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.servers.hub import HubHost
from tests.servers.postgres import free_port
from tests.servers.proxy import Proxy
from tests.servers.station import Station

from reactor_core.events import new_event
from reactor_core.events.drafts import Draft
from reactor_core.events.transports import websocket as module


class Town:
    """A hub behind a cable, and the workspaces that use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.hub: HubHost | None = None
        self.start()
        self.proxy = Proxy(self.port)
        self.stations: list[Station] = []

    def start(self, name: str = "hub") -> None:
        self.hub = HubHost(self.folder / name, port=self.port)

    def stop(self) -> None:
        if self.hub is not None:
            self.hub.close()
            self.hub = None

    def station(self, name: str, **options) -> Station:
        url = f"ws://127.0.0.1:{self.proxy.port}/ws/events"
        station = Station(self.folder / name, url, name, **options)
        self.stations.append(station)
        return station

    def joined(self, name: str, **options) -> Station:
        station = self.station(name, **options)
        station.connected()
        return station

    def leave(self, station: Station) -> None:
        self.stations.remove(station)
        station.close()

    def close(self) -> None:
        for station in self.stations:
            station.close(seconds=0.1)
        self.stop()
        self.proxy.close()


@pytest.fixture
def town(tmp_path):
    town = Town(tmp_path)
    yield town
    town.close()


def numbers(events) -> list[int]:
    return [event.data["n"] for event in events if event.event_type != "gap"]


@pytest.mark.parametrize("encoding", ["msgpack", "json"])
def test_workspaces_exchange_events_through_the_hub(town, encoding):
    one, two = town.joined("one", encoding=encoding), town.joined("two")
    sent = one.publish(*range(500))
    answers = two.publish(*range(1000, 1500))
    assert [event.event_id for event in two.received(500)] == sent
    assert [event.event_id for event in one.received(500)] == answers
    one.delivered()
    assert one.relay.status.sent == 500
    assert (one.relay.status.duplicates, one.relay.status.rejected) == (0, 0)


def test_a_cut_cable_costs_time_only(town):
    one, two = town.joined("one"), town.joined("two")
    for round_ in range(6):
        one.publish(*range(round_ * 100, round_ * 100 + 100))
        two.publish(*range(round_ * 100, round_ * 100 + 100), lane=2)
        if round_ % 2:
            town.proxy.cut()
        else:
            town.proxy.mend()
    town.proxy.mend()
    assert numbers(two.received(600)) == list(range(600))
    assert numbers(one.received(600)) == list(range(600))
    assert (one.relay.status.gaps, two.relay.status.gaps) == (0, 0)


def test_a_cable_that_carries_nothing_is_noticed(town, monkeypatch):
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.5)
    one, two = town.joined("one"), town.joined("two")
    town.proxy.hold()
    one.publish(*range(100))
    one.until(lambda: one.relay.status.state == "down")
    town.proxy.mend()
    assert numbers(two.received(100)) == list(range(100))


def test_each_side_goes_on_where_it_was_without_saying_anything_twice(town):
    one, two = town.joined("one"), town.joined("two")
    one.publish(*range(10))
    two.received(10)
    town.leave(two)
    one.publish(*range(10, 20))
    one.publish(*range(20, 30), lane=4)
    one.delivered()
    again = town.joined("two")
    assert numbers(again.received(20)) == list(range(30))
    again.publish(30)
    one.received(1)
    assert again.relay.status.duplicates == one.relay.status.duplicates == 0


def test_what_is_published_while_the_hub_is_away_arrives_in_order_when_it_is_back(town):
    one, two = town.joined("one"), town.joined("two")
    town.stop()
    one.publish(*range(2000))
    town.start()
    assert numbers(two.received(2000)) == list(range(2000))


def test_the_kill_switch_overtakes_whatever_waits(town):
    one, two = town.joined("one"), town.joined("two")
    town.stop()
    one.publish(*range(10_000))
    (kill,) = one.publish(-1, lane=1, kind="kill_switch_triggered", action="x")
    town.start()
    two.until(lambda: two.journal.has(kill))
    assert two.journal.head().seq < 5000
    assert sorted(numbers(two.received(10_001))) == list(range(-1, 10_000))


def test_an_urgent_event_whose_source_dies_before_its_commit_is_kept_by_whoever_heard_it(town):
    one, two = town.joined("one"), town.joined("two")
    event, _ = new_event("one", "kill_switch_triggered", {"action": "x", "n": 1})
    one.bus.hand_out_early(event)  # and never committed
    two.until(lambda: two.journal.has(event.event_id))
    town.leave(one)
    for journal in (two.journal, town.hub.journal):
        assert [open_.event_id for open_ in journal.unconfirmed()] == [event.event_id]


def test_an_urgent_event_is_no_longer_open_once_its_source_has_committed_it(town):
    one, two = town.joined("one"), town.joined("two")
    one.publish(*range(20), lane=1)
    two.received(20)
    two.until(lambda: two.journal.unconfirmed() == [])
    assert town.hub.journal.unconfirmed() == []
    assert numbers(two.received(20)) == list(range(20))


def test_who_was_away_when_an_open_event_was_committed_learns_it_later(town):
    one, two = town.joined("one"), town.joined("two")
    event, payload = new_event("one", "kill_switch_triggered", {"action": "x", "n": 1})
    one.bus.hand_out_early(event)
    two.until(lambda: two.journal.has(event.event_id))
    town.leave(two)
    one.journal.append(event, payload=payload).result(30)
    one.delivered()
    again = town.joined("two")
    again.until(lambda: again.journal.unconfirmed() == [])


def test_a_hub_that_lost_its_journal_is_a_gap(town):
    one, two = town.joined("one"), town.joined("two")
    one.publish(*range(10))
    two.received(10)
    town.stop()
    one.publish(*range(10, 20))
    town.start("another")
    two.until(lambda: two.relay.status.gaps == 1)
    assert numbers(two.received(21)) == list(range(20))  # one of them is the other side's own gap
    (gap,) = [event for event in two.journal.read() if event.event_type == "gap" and event.source == "two"]
    assert gap.data == {"transport": two.relay.name, "reason": "another_journal", "lost_from": 0, "lost_to": 0}


def test_a_hub_that_was_put_back_to_an_old_copy_is_a_gap(town):
    one, two = town.joined("one"), town.joined("two")
    one.publish(*range(10))
    two.received(10)
    one.delivered()
    town.stop()
    shutil.copytree(town.folder / "hub", town.folder / "copy")
    town.start()
    one.publish(*range(10, 20))
    two.received(20)
    two.publish(-1)  # so that both cursors are behind the copy
    one.received(1)
    town.stop()
    town.start("copy")
    two.until(lambda: two.relay.status.gaps == 1)
    one.publish(*range(20, 30))
    assert numbers(two.received(31)) == list(range(30))
    (gap,) = [event.data for event in two.journal.read() if event.event_type == "gap" and event.source == "two"]
    assert gap["reason"] == "rolled_back"


def test_many_open_events_and_a_long_reason_fit_into_the_first_frame(town):
    one = town.station("one")
    one.connected()
    drafts = [
        Draft(new_event("two", "error", {"n": n})[0].at(None, "elsewhere"), origin="elsewhere", uncommitted=True)
        for n in range(3000)
    ]
    one.journal.append_many(drafts).result(60)
    one.latch.trip(reason="x" * 200_000, by="test")
    town.leave(one)
    again = town.joined("one")
    assert len(again.journal.unconfirmed()) == 3000


def test_a_trip_of_the_kill_switch_reaches_who_was_away(town):
    one = town.joined("one")
    one.latch.trip(reason="fire", by="test")
    two = town.joined("two")
    two.until(lambda: two.latch.state().tripped)
    assert two.latch.state().reason == "fire"


def test_a_token_that_is_not_the_hubs_is_said(town):
    one = town.station("one", token="not-the-token-of-the-hub")
    one.until(lambda: one.relay.status.state == "down")
    assert "401" in one.relay.status.detail
