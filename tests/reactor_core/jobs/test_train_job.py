from __future__ import annotations

import hashlib
import os
import signal
import threading
from pathlib import Path

import pytest
from tests.reactor_core.jobs.conftest import OWNER

from reactor_core.cloud.metadata import PREEMPTION
from reactor_core.errors import Interrupted
from reactor_core.events.latch import Latch
from reactor_core.integration import EventBridge
from reactor_core.jobs.context import JobContext, JobStopped, Stop, StopReason
from reactor_core.jobs.job import ErrorType, JobState
from reactor_core.jobs.kinds import JobKind, find_kind
from reactor_core.jobs.table import JobTable
from reactor_core.jobs.train_job import PREEMPTED_SECONDS, TrainJob, _put_down
from reactor_core.jobs.train_request import TrainRequest
from reactor_core.jobs.worker import work
from reactor_core.training.config import TrainingConfig
from reactor_core.training.control import REQUEST, RunControl
from reactor_core.training.history import last_step
from reactor_core.training.mark import Mark
from reactor_core.utils import failpoints
from reactor_core.utils.environment_memory import MemoryRoom


@pytest.fixture
def jobs(settings):
    with JobTable(settings.workspace) as jobs:
        yield jobs


@pytest.fixture
def request_of(model_folder, rows_file):
    """A run of six steps with four parts each."""

    def make(dataset: Path = rows_file, **more):
        options = {"lora_rank": 4, "learning_rate": 0.01, "num_epochs": 2, "batch_size": 4, "micro_batch_tokens": 1}
        config = TrainingConfig(**{"model_name": str(model_folder("llama")), **options, **more})
        return TrainRequest.of(config, dataset)

    return make


@pytest.fixture
def at_part():
    """Does something when the nth part of a step is done."""

    def plan(nth, action):
        left = nth

        def reached(name):
            nonlocal left
            left -= name == "step.part"
            if name == "step.part" and left == 0:
                action()

        failpoints.install(reached)

    yield plan
    failpoints.install(None)


def submit(jobs, request):
    return jobs.submit("train", TrainJob().check(request.to_json()), max_attempts=TrainJob.max_attempts)[0].job_id


def do(jobs, settings):
    job, stop = jobs.claim(OWNER), Stop()
    assert job is not None
    work(jobs, job, settings, stop=stop)
    return jobs.get(job.job_id)


def sha256_of(result):
    return hashlib.sha256((Path(result["adapter_dir"]) / "adapter_model.safetensors").read_bytes()).hexdigest()


def test_the_core_has_the_kind():
    assert isinstance(find_kind("train"), JobKind)


def test_a_paused_job_stops_within_a_step_and_goes_on_to_the_same_bytes(
    jobs, settings, request_of, at_part, monkeypatch
):
    whole = submit(jobs, request_of())
    untouched = do(jobs, settings)
    assert (untouched.job_id, untouched.state, untouched.result["steps"]) == (whole, JobState.SUCCEEDED, 6)
    assert untouched.facts["step"] == untouched.facts["steps"] == 6
    assert untouched.facts["tokens"] == untouched.result["tokens_trained"]
    assert [e.data["phase"] for e in jobs.events(whole) if e.data.get("phase")][-1] == "finish"

    asked, plain = threading.Event(), RunControl.ask

    def ask(self, wish):
        plain(self, wish)
        asked.set()

    monkeypatch.setattr(RunControl, "ask", ask)
    job_id = submit(jobs, request_of())

    def pause():
        jobs.pause(job_id)
        assert asked.wait(60)

    at_part(10, pause)
    paused = do(jobs, settings)
    assert (paused.state, paused.attempts) == (JobState.PAUSED, 0)
    assert paused.facts["run_id"] != untouched.facts["run_id"]
    checkpoints = Path(paused.facts["run_dir"]) / "checkpoints"
    assert Mark.of(max(checkpoints.iterdir())) == Mark(2, 2)
    failpoints.install(None)
    jobs.resume(job_id)
    done = do(jobs, settings)
    assert (done.state, done.result["run_id"]) == (JobState.SUCCEEDED, paused.facts["run_id"])
    assert done.result["resumed_from"] == 2
    assert done.facts["tokens"] == untouched.facts["tokens"]
    assert sha256_of(done.result) == sha256_of(untouched.result)

    # An attempt that came to the end of the run and died before it could say so.
    again = submit(jobs, request_of())
    held = jobs.claim(OWNER)
    jobs.tell(again, held.token, {"run_dir": done.facts["run_dir"]})
    jobs.put_down(again, held.token)
    assert do(jobs, settings).result == done.result


def test_a_job_is_put_down_on_a_signal_halted_by_the_switch_and_refuses_other_data(jobs, settings, request_of, at_part):
    job_id = submit(jobs, request_of())
    at_part(6, lambda: os.kill(os.getpid(), signal.SIGTERM))
    put_down = do(jobs, settings)
    assert (put_down.state, put_down.attempts) == (JobState.QUEUED, 0)
    assert last_step(Path(put_down.facts["run_dir"])) == 1
    failpoints.install(None)
    latch = Latch(settings.workspace)
    at_part(3, lambda: latch.trip(reason="too hot", by="test"))
    halted = do(jobs, settings)
    assert (halted.job_id, halted.state) == (job_id, JobState.PAUSED)
    assert "too hot" in jobs.events(job_id)[-1].data["reason"]
    with EventBridge(workspace=settings.workspace) as bridge:
        bridge.latch.clear(latch.state().tripped_epoch, by="test", evidence={})
    Path(TrainRequest.parse(halted.spec).dataset).write_text('{"prompt": "a", "completion": "b"}\n')
    failpoints.install(None)
    jobs.resume(job_id)
    failed = do(jobs, settings)
    assert (failed.state, failed.failure.error_type) == (JobState.FAILED, ErrorType.TERMINAL)
    assert failed.failure.error == "CheckpointInvalid"
    assert "restore what it was" in failed.failure.message


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"dataset": Path("/nowhere.jsonl")}, "DatasetError", "/nowhere.jsonl"),
        ({"model_name": "no-such-model"}, "UnknownModel", "no-such-model"),
        ({"adapter": "train-0"}, "NotFound", "reactor runs list"),
        ({}, "ConfigError", "reactor train --anyway"),
    ],
)
def test_what_cannot_succeed_fails_once_with_its_remedy(jobs, settings, request_of, monkeypatch, change, error, says):
    if not change:  # a plan that does not fit
        room = MemoryRoom(1000, 1000, "a test has 1000 bytes free")
        monkeypatch.setattr("reactor_core.training.admission.probe_memory", lambda: room)
    submit(jobs, request_of(**change))
    failed = do(jobs, settings)
    assert (failed.state, failed.failure.error) == (JobState.FAILED, error)
    assert failed.failure.error_type is ErrorType.TERMINAL
    assert says in failed.failure.message


@pytest.mark.parametrize(
    ("by", "reason", "seconds"),
    [
        (PREEMPTION, StopReason.DOWN, PREEMPTED_SECONDS),
        ("SIGTERM", StopReason.DOWN, 0.0),
        (REQUEST, StopReason.ASIDE, 0.0),
    ],
)
def test_how_a_run_was_stopped_decides_what_becomes_of_its_job(table, settings, by, reason, seconds):
    table.submit("train", {})
    stop, error = Stop(), Interrupted("stopped")
    error.by = by
    context = JobContext(table, table.claim(OWNER), settings, stop, halted=lambda: None)
    with pytest.raises(JobStopped) as caught:
        _put_down(context, error)
    assert (stop.reason, caught.value.wait_seconds) == (reason, seconds)
