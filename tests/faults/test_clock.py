"""The computer's clock is set while events are published: back, forward, far away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.faults.harness import judge

from reactor_core.events import Journal

COMPILER = shutil.which("cc")
HOUR = 3600
JUMPS = (0, -HOUR, HOUR, -30 * 365 * 24 * HOUR, -1, 2 * HOUR, 5 * 365 * 24 * HOUR, 0)

PUBLISHER = """
import json, os, sys
from pathlib import Path
from reactor_core.integration import EventBridge, EventType

clock, rounds = Path(os.environ["FAULT_CLOCK"]), json.loads(sys.argv[1])
with EventBridge(fallback_to_file=False) as bridge:
    for jump in rounds:
        clock.write_text(str(jump))
        for number in range(20):
            lane = 1 if number % 10 == 0 else 3
            event = bridge.publish_sync("fault_probe", {"jump": jump, "number": number}, priority=lane)
            gauge = bridge.publish_sync(EventType.COST_UPDATE, {"total": float(number)})
            print(json.dumps([event.seq, event.event_id, event.timestamp.timestamp(), gauge.seq]), flush=True)
"""


@pytest.fixture
def clock(tmp_path: Path) -> dict[str, str]:
    """The environment of a process whose clock follows a file."""
    if COMPILER is None:
        pytest.skip("needs a C compiler")
    library = tmp_path / "clock.so"
    source = Path(__file__).parent / "harness" / "clock.c"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", str(source), "-o", str(library), "-ldl"], check=True)
    (tmp_path / "clock").write_text("0")
    return {
        **os.environ,
        "LD_PRELOAD": str(library),
        "FAULT_CLOCK": str(tmp_path / "clock"),
        "REACTOR_WORKSPACE": str(tmp_path / "workspace"),
    }


@pytest.mark.system
@pytest.mark.skipif(sys.platform != "linux", reason="the library is for Linux")
def test_a_clock_that_is_set_changes_no_order_repeats_no_id_and_breaks_no_proof(tmp_path, clock, tally):
    done = subprocess.run(
        [sys.executable, "-c", PUBLISHER, json.dumps(JUMPS)],
        env=clock,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    acks = [json.loads(line) for line in done.stdout.splitlines()]
    seqs, ids, stamps, gauges = zip(*acks, strict=True)
    assert len(acks) == 20 * len(JUMPS)
    assert max(stamps) - min(stamps) > 30 * 365 * 24 * HOUR, "the clock was not set"
    assert list(seqs) == sorted(set(seqs))
    assert len(set(ids)) == len(ids)
    # Equal gauges within a minute are one; after a jump by more than that they are new ones, not suppressed.
    assert len(set(gauges)) > 20 * (len(set(JUMPS)) - 2)
    with Journal(tmp_path / "workspace" / "reactor.db") as journal:
        stored = [event.event_id for event in journal.read() if event.event_type == "fault_probe"]
    assert stored == list(ids)
    assert judge.proofs(tmp_path / "workspace" / "reactor.db") == []
    tally.run()
    tally.count("clock set", len(JUMPS))
