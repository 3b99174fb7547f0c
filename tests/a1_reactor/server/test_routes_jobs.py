from __future__ import annotations

import pytest
from tests.a1_reactor.server.conftest import CLIP, made_here

from a1_reactor.server.routes_jobs import MAX_WAIT_SECONDS, waiting_of


def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("respond-async", None),
        ("wait=10", 10.0),
        ("respond-async, wait=5", 5.0),
        ('wait="7"', 7.0),
        ("wait=999999", MAX_WAIT_SECONDS),
        ("await=10", None),
        ("wait=ten", None),
    ],
)
def test_a_preference_is_read_as_in_rfc_7240(header, seconds):
    assert waiting_of(header) == seconds


def test_a_job_is_there_before_the_answer(still):
    answer = still.post("/v1/jobs", json=CLIP)
    job = answer.json()
    assert (answer.status_code, job["state"], job["status"], job["progress"]) == (202, "queued", "queued", 0)
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert still.get(answer.headers["location"]).json() == job
    assert job["cli"].startswith("a1-reactor demo --prompt 'a street'")


def test_waiting_for_a_job_that_does_not_end(still):
    answer = still.post("/v1/jobs", json=CLIP, headers={"Prefer": "wait=0"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "wait=0")


def test_a_request_that_is_sent_twice_is_one_job(still):
    answers = [still.post("/v1/jobs", json=CLIP, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    other = still.post("/v1/jobs", json={**CLIP, "seed": 1}, headers={"Idempotency-Key": "k"})
    assert problem(other) == (409, "conflict")
    assert len(still.get("/v1/jobs").json()["jobs"]) == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (422, "invalid")),
        ({"prompt": "x", "width": 33}, (422, "invalid")),
        ({"prompt": "x", "more": 1}, (422, "invalid")),
        ({"parent": "f" * 16, "windows": [[0, 1]]}, (404, "not-found")),
        ({"prompt": "x", "provider": "http", "http_endpoint": "http://169.254.169.254/"}, (422, "invalid")),
    ],
)
def test_what_cannot_be_used_is_a_problem_and_no_job(still, body, expected):
    assert problem(still.post("/v1/jobs", json=body)) == expected
    assert still.get("/v1/jobs").json() == {"jobs": [], "next": None}


def test_jobs_are_listed_by_state_and_in_pages(still):
    ids = [still.post("/v1/jobs", json={**CLIP, "seed": n}).json()["id"] for n in range(3)]
    still.post(f"/v1/jobs/{ids[1]}/cancel")
    first = still.get("/v1/jobs", params={"limit": 2}).json()
    assert [job["id"] for job in first["jobs"]] == ids[:0:-1]
    second = still.get("/v1/jobs", params={"limit": 2, "before": first["next"]}).json()
    assert ([job["id"] for job in second["jobs"]], second["next"]) == (ids[:1], None)
    chosen = still.get("/v1/jobs", params={"state": ["canceled", "failed"]}).json()["jobs"]
    assert [job["id"] for job in chosen] == [ids[1]]


def test_a_job_is_paused_resumed_canceled_and_deleted(still):
    here = f"/v1/jobs/{still.post('/v1/jobs', json=CLIP).json()['id']}"
    assert still.post(f"{here}/pause").json()["state"] == "paused"
    assert still.post(f"{here}/resume").json()["state"] == "queued"
    assert problem(still.delete(here)) == (409, "conflict")
    answer = still.post(f"{here}/cancel")
    assert (answer.status_code, answer.json()["state"], answer.json()["status"]) == (202, "canceled", "error")
    assert problem(still.post(f"{here}/resume")) == (409, "conflict")
    assert still.delete(here).status_code == 204
    assert problem(still.get(here)) == (404, "not-found")


def test_what_is_not_made_cannot_be_fetched(still):
    here = f"/v1/jobs/{still.post('/v1/jobs', json=CLIP).json()['id']}"
    for part in ("artifact", "report", "frames/0.png"):
        assert problem(still.get(f"{here}/{part}")) == (409, "conflict")


def test_jobs_of_other_kinds_are_not_shown(still):
    job, _ = still.app.state.services.table.submit("train", {"model": "secret"})
    assert still.get("/v1/jobs").json()["jobs"] == []
    for answer in (still.get(f"/v1/jobs/{job.job_id}"), still.post(f"/v1/jobs/{job.job_id}/cancel")):
        assert problem(answer) == (404, "not-found")


def test_the_last_clip_of_a_job_is_fetched_through_it(workshop):
    here = f"/v1/jobs/{workshop.takes_job['id']}"
    film = workshop.client.get(f"{here}/artifact")
    assert film.headers["content-type"] == "video/mp4"
    assert film.content == workshop.client.get(f"/v1/clips/{workshop.takes[-1]}/artifact").content
    part = workshop.client.get(f"{here}/artifact", headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert workshop.client.get(f"{here}/report").json()["num_frames"] == 8
    assert workshop.client.get(f"{here}/frames/7.png").content.startswith(b"\x89PNG")
    assert problem(workshop.client.get(f"{here}/frames/8.png")) == (404, "not-found")


def test_a_key_finds_a_job_that_has_ended(workshop):
    answer = workshop.client.post("/v1/jobs", json=CLIP, headers={"Idempotency-Key": "the clip", "Prefer": "wait=5"})
    assert (answer.status_code, answer.json()) == (200, workshop.clip_job)


def test_a_job_that_cannot_succeed_says_why(workshop):
    job = made_here(workshop.client, {**CLIP, "style_preset": "unheard of"})
    assert (job["state"], job["error_type"], job["error"]["error"]) == ("failed", "terminal", "SpecError")
    assert "unheard of" in job["message"]


def test_events_are_streamed_once_and_a_reader_that_has_all_is_sent_away(workshop):
    url = workshop.clip_job["events_url"]
    with workshop.client.stream("GET", url) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = answer.read().decode()
    assert '"state":"succeeded"' in text
    last = text.split("id: ")[-1].split("\n")[0]
    assert workshop.client.get(url, headers={"Last-Event-ID": last}).status_code == 204
    rest = workshop.client.get(url, headers={"Last-Event-ID": str(int(last) - 1)}).text
    assert rest.count("data: ") == 1
    assert problem(workshop.client.get(url, headers={"Last-Event-ID": "x"})) == (422, "invalid")
