"""Two workspaces with a hub or a Redis between them: each of the processes is killed, at random and at each point."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from tests.faults.harness import history, judge
from tests.faults.harness.fleet import Fleet, Member
from tests.faults.harness.forks import Forks
from tests.faults.harness.runs import arrived, judged, pair, slice_of
from tests.faults.harness.tally import Tally
from tests.servers.postgres import free_port
from tests.servers.proxy import Proxy
from tests.servers.valkey import ValkeyServer

from reactor_core.events.audit import verify_workspace

JOURNAL = (None, "journal.begin", "journal.inserted", "journal.committed", "journal.answered")
HUB_DEATHS = [
    *(("publisher", point) for point in (*JOURNAL, "relay.sent", "relay.confirmed")),
    *(("hub", point) for point in (*JOURNAL, "hub.received", "hub.committed", "hub.acked")),
    *(("subscriber", point) for point in (*JOURNAL, "relay.stored", "inbox.applied", "inbox.committed")),
]
REDIS_DEATHS = [
    *(("publisher", point) for point in (None, "journal.committed", "relay.sent", "relay.confirmed")),
    *(("subscriber", point) for point in (None, "journal.committed", "relay.stored", "inbox.committed")),
]


def through_hub(forks: Forks, folder: Path, tally: Tally) -> Fleet:
    port = free_port()
    hub = Member("hub", {"workspace": str(folder / "hub"), "port": port})
    members = pair(folder, tally, ws_url=f"ws://127.0.0.1:{port}/ws/events")
    return Fleet(forks, folder, tally, {"hub": hub, **members})


@pytest.mark.parametrize(("name", "point"), slice_of(HUB_DEATHS, "hub.committed", "relay.confirmed"))
def test_through_a_hub_everything_arrives_once_and_in_order(forks, tmp_path, tally, name, point):
    fleet = through_hub(forks, tmp_path, tally)
    fleet.start_all()
    for _ in tally.times(1):
        fleet.die(name, point)
    fleet.settle("publisher", arrived(tmp_path), "everything has arrived")
    assert judged(tmp_path, tally) == []
    assert judge.proofs(tmp_path / "hub" / "reactor.db") == []


def test_an_urgent_event_outlives_its_publisher_and_is_listed_as_unconfirmed(forks, tmp_path, tally):
    port = free_port()
    hub = Member("hub", {"workspace": str(tmp_path / "hub"), "port": port})
    members = pair(tmp_path, tally, ws_url=f"ws://127.0.0.1:{port}/ws/events")
    members["publisher"].options |= {"lanes": [1], "tasks": 1}
    fleet = Fleet(forks, tmp_path, tally, {"hub": hub, **members})
    fleet.start_all()
    wanted = len(tally.times(2))
    for deaths in range(1, wanted + 9):
        # Its writer hangs before the commit, usually long enough for the event to go out; then it dies.
        fleet.die("publisher", "journal.inserted", seconds=0.5)
        if deaths >= wanted and verify_workspace(tmp_path / "there").unconfirmed:
            break
    fleet.settle("publisher", arrived(tmp_path), "everything has arrived")
    assert judged(tmp_path, tally) == []
    assert len(verify_workspace(tmp_path / "there").unconfirmed) >= 1


@pytest.mark.parametrize("point", slice_of([None, "relay.sent", "relay.confirmed", "journal.committed"], "relay.sent"))
def test_what_the_hub_acknowledged_outlives_the_publisher_and_its_disk(forks, tmp_path, tally, point):
    port = free_port()
    hub = Member("hub", {"workspace": str(tmp_path / "hub"), "port": port})
    url = f"ws://127.0.0.1:{port}/ws/events"
    here = {"workspace": str(tmp_path / "here"), "source": "reactor_core", "tasks": 8}
    options = {**here, "ws_url": url, "ack": "remote"}
    fleet = Fleet(forks, tmp_path, tally, {"hub": hub, "publisher": Member("publisher", options)})
    fleet.start_all()
    for _ in tally.times(1):
        fleet.die("publisher", point)
        shutil.rmtree(tmp_path / "here")  # the machine is gone, and its disk with it
        acked = history.records(tmp_path, "acked")
        assert history.lost(acked, history.stored(tmp_path / "hub" / "reactor.db"), "the hub") == []
        tally.count("acknowledged by the hub", len(acked))
    fleet.stop("hub")
    assert judge.proofs(tmp_path / "hub" / "reactor.db") == []


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path / "valkey")
    yield server
    server.kill()


@pytest.mark.parametrize(("name", "point"), slice_of(REDIS_DEATHS, "relay.stored"))
def test_through_redis_everything_arrives_once_and_in_order(forks, tmp_path, tally, valkey, name, point):
    fleet = Fleet(forks, tmp_path, tally, pair(tmp_path, tally, redis_url=valkey.url))
    fleet.start_all()
    for _ in tally.times(1):
        fleet.die(name, point)
    fleet.settle("publisher", arrived(tmp_path), "everything has arrived")
    assert judged(tmp_path, tally) == []


def kill_and_restart(server: ValkeyServer) -> None:
    server.kill()
    server.start()


def flush(server: ValkeyServer) -> None:
    with Redis.from_url(server.url) as client:
        client.flushall()


@pytest.mark.slow
@pytest.mark.parametrize("fault", [kill_and_restart, flush])
def test_a_redis_that_dies_or_forgets_costs_nothing(forks, tmp_path, tally, valkey, fault):
    fleet = Fleet(forks, tmp_path, tally, pair(tmp_path, tally, redis_url=valkey.url))
    fleet.start_all()
    for _ in tally.times(2):
        fleet.wait_for_work(tally.chance.randrange(1, 300))
        fault(valkey)
        tally.run()
        tally.count(f"Redis: {fault.__name__.replace('_', ' ')}")
    fleet.wait_for_work(50)
    fleet.settle("publisher", arrived(tmp_path), "everything has arrived")
    assert judged(tmp_path, tally, gaps=fault is flush) == []


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "hold"])
def test_a_cable_that_is_cut_or_carries_nothing_costs_nothing(forks, tmp_path, tally, damage):
    port = free_port()
    cable = Proxy(port)
    try:
        hub = {"hub": Member("hub", {"workspace": str(tmp_path / "hub"), "port": port})}
        members = pair(tmp_path, tally, ws_url=f"ws://127.0.0.1:{cable.port}/ws/events")
        fleet = Fleet(forks, tmp_path, tally, hub | members)
        fleet.start_all()
        for _ in tally.times(3):
            fleet.wait_for_work(tally.chance.randrange(1, 300))
            getattr(cable, damage)()
            fleet.wait_for_work(tally.chance.randrange(1, 300))  # publishing goes on
            cable.mend()
            tally.run()
            tally.count(f"cable: {damage}")
        fleet.settle("publisher", arrived(tmp_path), "everything has arrived")
    finally:
        cable.close()
    assert judged(tmp_path, tally) == []
