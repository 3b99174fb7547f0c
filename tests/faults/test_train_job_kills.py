"""A job that trains is killed, stopped, paused and resumed; its adapter is that of one that nobody touched."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.harness import hands, trainers
from tests.faults.harness.forks import Child, Forks
from tests.faults.harness.tally import Tally
from tests.faults.harness.waiting import wait_until
from tests.reactor_core.conftest import build_model, build_tokenizer

from reactor_core.jobs.asking import submit_job
from reactor_core.jobs.job import Job, JobState
from reactor_core.jobs.table import JobTable

LEASE = 5.0
STEPS = 8
PATIENCE = 300.0
"""Seconds until a life is given up, on a machine with much else to do."""
POINTS = {"step.part": 12, "checkpoint.written": 4, "checkpoint.renamed": 4, "keeper.moved": 4, "job.done": 1,
          "job.noted": 1}  # fmt: skip
"""Where a worker dies, and up to which time that it passes there."""


@pytest.fixture(scope="module")
def hand_forks() -> Iterator[Forks]:
    """Makes processes that work on jobs that train; torch is imported once for all."""
    preload = (*trainers.PRELOAD, hands.__name__, "reactor_core.jobs.train_job", "reactor_core.training.command")
    with Forks(*preload) as forks:
        yield forks


@pytest.fixture
def spec(tmp_path: Path) -> dict[str, object]:
    """A run of a tiny Llama; each step has three parts, and nearly each is saved."""
    tokenizer = build_tokenizer()
    build_model("llama", len(tokenizer)).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    rows = [{"prompt": f"{n} + {n} = ", "completion": f"{2 * n}"} for n in range(12)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = {"lora_rank": 4, "learning_rate": 0.01, "batch_size": 3, "micro_batch_tokens": 1, "save_seconds": 0.005}
    config = {"model_name": str(tmp_path / "model"), "num_epochs": STEPS // 4, **options}
    return {"config": config, "dataset": str(tmp_path / "rows.jsonl")}


def adapter_of(job: Job) -> str:
    assert job.state is JobState.SUCCEEDED, job.failure
    assert job.result is not None
    return hashlib.sha256((Path(job.result["adapter_dir"]) / "adapter_model.safetensors").read_bytes()).hexdigest()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_job_that_is_killed_stopped_and_paused_comes_to_the_same_bytes(
    hand_forks: Forks, tally: Tally, tmp_path: Path, spec: dict[str, object]
) -> None:
    chance, started = tally.chance, 0

    def start(die_at: tuple[str, int, float] | None = None) -> Child:
        nonlocal started
        started += 1
        places = {name: str(tmp_path / name) for name in ("workspace", "installed", "cache")}
        options = {**places, "lease": LEASE, "ghost": False, "die_at": die_at}
        return hand_forks.start("tests.faults.harness.hands:hand", tmp_path, f"hand-{started}", **options)

    def strike(table: JobTable, job_id: str) -> None:
        how = chance.choice((*POINTS, "pause", "SIGTERM"))
        if how in POINTS:
            status = start((how, chance.randint(1, POINTS[how]), chance.choice((0.0, 0.02)))).join(PATIENCE)
            tally.count(f"jobs that train killed: {how}" if status == -signal.SIGKILL else "jobs that train done")
            return
        child, step = start(), table.get(job_id).facts.get("step", 0) + chance.randrange(3)
        wait_until(lambda: table.get(job_id).facts.get("step", 0) >= step or child.ended(), "a step", seconds=PATIENCE)
        if how == "pause":
            with contextlib.suppress(Exception):  # it has ended meanwhile
                table.pause(job_id)
        else:
            time.sleep(chance.uniform(0.0, 0.05))
            os.kill(child.pid, signal.SIGTERM)
        child.join(PATIENCE)
        tally.count(f"jobs that train hit by {how}")
        if table.get(job_id).state is JobState.PAUSED:
            table.resume(job_id)

    with JobTable(tmp_path / "workspace", lease_seconds=LEASE) as table:
        whole = submit_job(table, "train", spec).job_id
        assert start().join(PATIENCE) == 0
        untouched = adapter_of(table.get(whole))
        job_id = submit_job(table, "train", spec).job_id
        for _ in tally.times(6):
            strike(table, job_id)
            if table.get(job_id).ended:
                assert adapter_of(table.get(job_id)) == untouched
                tally.run()
                job_id = submit_job(table, "train", spec).job_id
        start().join(PATIENCE)
        done = table.get(job_id)
        assert adapter_of(done) == untouched
        assert done.facts["step"] == STEPS
        shares = [event.data["progress"] for event in table.events(job_id) if "progress" in event.data]
        assert shares == sorted(shares)
        tally.run()
