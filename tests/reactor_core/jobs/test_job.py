from __future__ import annotations

import json

from reactor_core.jobs.job import ENDED, ErrorType, Failure, Job, JobEvent, JobState, moment_of


def test_a_job_says_in_json_how_it_stands():
    failure = Failure("ProviderError", "no answer", ErrorType.RETRYABLE)
    job = Job(job_id="j", kind="k", spec={"a": 1}, spec_hash="h", created_us=0, changed_us=1_500_000, failure=failure)
    told = json.loads(json.dumps(job.as_dict()))
    assert (told["state"], told["asked_to"], told["started"]) == ("queued", None, None)
    assert told["changed"] == "1970-01-01T00:00:01.500000Z"
    assert told["error"] == {"error": "ProviderError", "message": "no answer", "error_type": "retryable"}


def test_three_states_are_ends():
    assert {str(state) for state in ENDED} == {"succeeded", "failed", "canceled"}
    assert not Job(job_id="j", kind="k", spec={}, spec_hash="h", created_us=0, changed_us=0).ended


def test_an_event_says_when_and_what():
    event = JobEvent(3, 0, "progress", {"progress": 0.5})
    assert event.as_dict() == {"seq": 3, "at": moment_of(0), "type": "progress", "progress": 0.5}
    assert JobState("paused") is JobState.PAUSED
