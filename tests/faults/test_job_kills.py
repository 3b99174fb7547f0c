"""Workers are killed, stopped and woken again, at any moment; each job is done once, and none is lost."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.faults.harness.forks import Child, Forks
from tests.faults.harness.hands import PRELOAD
from tests.faults.harness.tally import Tally
from tests.faults.harness.waiting import wait_until

from a1_reactor.config import ReactorConfig
from a1_reactor.engine.engine import ReactorEngine
from a1_reactor.engine.takes import make_takes
from a1_reactor.providers.mock import MockProvider
from a1_reactor.server.clip_job import ClipRequest
from a1_reactor.storage.store import ClipStore
from a1_reactor.types import JobSpec, Window
from reactor_core.jobs.job import JobState
from reactor_core.jobs.table import JobTable

HAND = "tests.faults.harness.hands:hand"
POINTS = ("job.done", "job.noted")
CLIP_POINTS = (("job.done", 1), ("job.noted", 1), ("frames.kept", 8), ("clip.finished", 1))
"""Where a maker of clips dies, and up to which time that it passes there."""
LEASE = 0.6
JOBS = 5
STEPS = 20


@pytest.fixture(scope="module")
def hands() -> Iterator[Forks]:
    """Makes processes that work on jobs; what they need is imported once for all."""
    with Forks(*PRELOAD) as forks:
        yield forks


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """A folder with the plugin of the tests' kinds."""
    info = tmp_path / "installed" / "jobs_for_tests-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: jobs-for-tests\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[reactor.plugins]\njobs_for_tests = tests.reactor_core.jobs.work:plugin\n")
    return str(info.parent)


def wrong_with(table: JobTable, job_id: str) -> list[str]:
    """What is wrong with a job that should have been done, in sentences."""
    job, events = table.get(job_id), table.events(job_id)
    found = []
    if job.state is not JobState.SUCCEEDED:
        found.append(f"{job_id} is {job.state}: {job.failure}")
    elif job.result is None or job.result["total"] != STEPS * (STEPS - 1) // 2:
        found.append(f"{job_id} came to {job.result}")
    if [event.seq for event in events] != list(range(1, len(events) + 1)):
        found.append(f"{job_id}: the log has gaps")
    states = [event.data["state"] for event in events if event.type == "state"]
    if states.count("succeeded") != 1 or states[-1] != "succeeded":
        found.append(f"{job_id} ended {states.count('succeeded')} times: {states}")
    if any(pair == ("running", "running") for pair in itertools.pairwise(states)):
        found.append(f"{job_id} was given to two: {states}")
    shares = [event.data["progress"] for event in events if "progress" in event.data]
    if shares != sorted(shares):
        found.append(f"{job_id}: progress went back")
    return found


def misfortune(tally: Tally, child: Child) -> str:
    """Something happens to a worker: it is dead, or asleep, perhaps for longer than its lease."""
    if tally.chance.random() < 0.6:
        child.kill()
        return "workers killed"
    os.kill(child.pid, signal.SIGSTOP)
    # Woken by a thread: one that sleeps in the middle of a commit holds up everybody, this test included.
    waking = threading.Timer(tally.chance.uniform(0.5, 3) * LEASE, wake, [child.pid])
    waking.start()
    return "workers put to sleep"


def wake(pid: int) -> None:
    """It has perhaps been killed, but nobody has asked for its status, so the number is still its own."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("usual", [pytest.param(6, id="few"), pytest.param(60, id="many", marks=pytest.mark.slow)])
def test_jobs_whose_workers_die_and_sleep_are_done_once(
    hands: Forks, tally: Tally, tmp_path: Path, installed: str, usual: int
) -> None:
    chance = tally.chance
    started: list[Child] = []

    def start() -> Child:
        point = chance.choice([None, None, *POINTS])
        child = hands.start(
            HAND,
            tmp_path,
            f"hand-{len(started)}",
            workspace=str(tmp_path / "workspace"),
            installed=installed,
            lease=LEASE,
            ghost=chance.random() < 0.5,
            die_at=None if point is None else (point, chance.randrange(1, 3), chance.choice((0.0, 0.05))),
        )
        started.append(child)
        return child

    with JobTable(tmp_path / "workspace", lease_seconds=LEASE) as table:
        ids: list[str] = []
        awake: list[Child] = []
        for _ in tally.times(usual):
            unfinished = table.count("queued") + table.count("running")
            while unfinished < JOBS:
                spec = {"to": STEPS, "seconds": 0.01}
                ids.append(table.submit("test.count", spec, max_attempts=10_000)[0].job_id)
                unfinished += 1
            awake = [child for child in awake if not child.ended()]
            while len(awake) < 3:
                awake.append(start())
            time.sleep(chance.uniform(0.0, 0.4))
            victim = awake.pop(chance.randrange(len(awake)))
            tally.count(misfortune(tally, victim))

        def done() -> bool:
            if all(child.ended() for child in awake):
                awake.append(start())
            return all(table.get(job_id).ended for job_id in ids)

        wait_until(done, "the end of all jobs")
        for child in started:
            child.kill()  # who has ended, or sleeps, too
        tally.count("jobs done though workers died", len(ids))
        tally.run()
        assert [sentence for job_id in ids for sentence in wrong_with(table, job_id)] == []


@pytest.mark.parametrize("usual", [pytest.param(1, id="few"), pytest.param(6, id="many", marks=pytest.mark.slow)])
def test_clips_whose_makers_die_are_the_clips_of_those_who_live(
    hands: Forks, tally: Tally, tmp_path: Path, installed: str, usual: int
) -> None:
    engine = ReactorEngine(ReactorConfig(workspace=tmp_path / "untouched"), MockProvider())
    wanted: dict[str, list[str]] = {}
    with JobTable(tmp_path / "workspace", lease_seconds=LEASE) as table:
        for seed in tally.times(usual):
            spec = JobSpec(prompt="a street", seconds=1, fps=12, width=64, height=64, seed=seed)
            window = replace(spec, windows=(Window(4, 8),))
            base = engine.generate(spec).clip
            whole = [base, *(take.clip for take in make_takes(engine, window, parent=base, count=2))]
            wanted |= {clip.key: [frame.pixels for frame in clip.manifest.frames] for clip in whole}
            for request in (ClipRequest(spec=spec), ClipRequest(spec=window, parent=base.key, takes=2)):
                job, _ = table.submit("a1.clip", request.to_json(), max_attempts=10_000)
                for life in range(3):
                    point, most = tally.chance.choice(CLIP_POINTS)
                    child = hands.start(
                        HAND,
                        tmp_path,
                        f"maker-{seed}-{request.takes}-{life}",
                        workspace=str(tmp_path / "workspace"),
                        clips=str(tmp_path / "clips"),
                        installed=installed,
                        lease=LEASE,
                        ghost=False,
                        die_at=(point, tally.chance.randint(1, most), 0.0) if life < 2 else None,
                    )
                    if child.join() < 0:
                        tally.count(f"makers of clips killed at {point}")
                done = table.get(job.job_id)
                assert done.state is JobState.SUCCEEDED, done.failure
    store = ClipStore(tmp_path / "clips")
    found = {key: [frame.pixels for frame in store.open(key).manifest.frames] for key in wanted}
    assert found == wanted
    assert not list(store.building.iterdir())
    tally.run()
