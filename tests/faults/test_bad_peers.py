"""Peers that break every rule join a hub while two honest ones exchange events: nobody honest notices."""

from __future__ import annotations

import contextlib

import psutil
import pytest
from tests.faults.harness import judge
from tests.faults.harness.attackers import ATTACKS
from tests.faults.harness.fleet import Fleet, Member
from tests.faults.harness.runs import arrived, judged, pair
from tests.servers.postgres import free_port

GROWTH = 64 << 20


@pytest.mark.slow
def test_bad_peers_harm_nobody(forks, tmp_path, tally):
    port = free_port()
    hub = Member("hub", {"workspace": str(tmp_path / "hub"), "port": port})
    members = pair(tmp_path, tally, ws_url=f"ws://127.0.0.1:{port}/ws/events")
    fleet = Fleet(forks, tmp_path, tally, {"hub": hub, **members})
    fleet.start_all()
    fleet.wait_for_work(50)
    assert hub.child is not None
    process = psutil.Process(hub.child.pid)
    before = process.memory_info().rss
    with contextlib.ExitStack() as sockets:
        for _ in tally.times(1):
            for attack in tally.chance.sample(ATTACKS, len(ATTACKS)):
                sockets.enter_context(contextlib.closing(attack(port)))
                tally.count(f"attack: {attack.__name__.replace('_', ' ')}")
                fleet.wait_for_work(tally.chance.randrange(1, 40))
        tally.run()
        assert process.memory_info().rss - before < GROWTH
        fleet.settle("publisher", arrived(tmp_path), "everything has arrived")
    assert hub.lives == 1, "the hub did not survive"
    assert judged(tmp_path, tally) == []
    assert judge.proofs(tmp_path / "hub" / "reactor.db") == []
