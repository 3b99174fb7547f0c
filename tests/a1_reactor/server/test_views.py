from __future__ import annotations

import json

import pytest

from a1_reactor.server.clip_job import KIND, ClipRequest
from a1_reactor.server.schemas import JobOut
from a1_reactor.server.views import show_job
from reactor_core.jobs.job import ErrorType, Failure, Job, JobState


def job(**more):
    from a1_reactor.types import JobSpec

    spec = ClipRequest(spec=JobSpec(prompt="x")).to_json()
    return Job(job_id="j", kind=KIND, spec=spec, spec_hash="h", created_us=0, changed_us=0, **more)


@pytest.mark.parametrize(
    ("state", "status"),
    [("queued", "queued"), ("running", "running"), ("paused", "queued"), ("succeeded", "done"), ("failed", "error"),
     ("canceled", "error")],
)  # fmt: skip
def test_the_first_prototypes_four_words_stay(state, status):
    shown = show_job(job(state=JobState(state)))
    assert (shown["state"], shown["status"]) == (state, status)
    JobOut.model_validate(json.loads(json.dumps(shown)))


def test_what_was_made_is_linked_and_no_path_of_the_machine_is_told():
    shown = show_job(job(state=JobState.SUCCEEDED, result={"clip_ids": ["a" * 16, "b" * 16]}))
    assert shown["artifact_path"] == f"cache/{'b' * 16}/artifact.mp4"
    assert shown["artifact_url"] == "/v1/jobs/j/artifact"


def test_an_error_says_whether_to_try_again():
    shown = show_job(job(state=JobState.FAILED, failure=Failure("ProviderError", "busy", ErrorType.RETRYABLE)))
    assert (shown["error_type"], shown["message"], shown["error"]["error"]) == ("retryable", "busy", "ProviderError")
    assert show_job(job(state=JobState.PAUSED))["message"]


def test_a_running_job_says_which_clip_plays_already():
    facts = {"draft": "c" * 16}
    shown = show_job(job(state=JobState.RUNNING, facts=facts))
    assert (shown["draft"], shown["preview_url"]) == ("c" * 16, f"/v1/clips/{'c' * 16}/preview/playlist.m3u8")
    for state, told in ((JobState.FAILED, facts), (JobState.RUNNING, {})):
        assert show_job(job(state=state, facts=told))["preview_url"] is None
