"""Halting over HTTP."""

from __future__ import annotations

from starlette.testclient import TestClient
from tests.reactor_core.api.serving import until


def test_a_clear_switch_is_said(api: TestClient) -> None:
    found = api.get("/v1/kill").json()
    assert (found["tripped"], found["epoch"], found["watched"], found["actions"]) == (False, 0, False, [])


def test_a_kill_trips_the_latch_and_is_an_event_with_the_measured_time(api: TestClient) -> None:
    answer = api.post("/v1/kill", json={"reason": "enough"})
    assert answer.status_code == 201
    report = answer.json()
    assert report["response_time_ms"] > 0
    found = api.get("/v1/kill").json()
    assert (found["tripped"], found["epoch"], found["reason"]) == (True, 1, "enough")
    assert found["event_id"] == report["event_id"]
    event = until(lambda: api.get(f"/v1/events/{report['event_id']}").json())
    assert event["data"]["trigger_method"] == "api"
    assert event["data"]["response_time_ms"] == report["response_time_ms"]
    assert api.get("/health").json()["kill_switch"] == "tripped"


def test_a_kill_without_a_reason_has_one(api: TestClient) -> None:
    api.post("/v1/kill", json={})
    assert api.get("/v1/kill").json()["reason"] == "stopped through the API"


def test_what_is_not_understood_halts_nothing(api: TestClient) -> None:
    assert api.post("/v1/kill", json={"because": "x"}).status_code == 422
    assert api.get("/v1/kill").json()["tripped"] is False


def test_it_needs_the_token_from_elsewhere(api: TestClient, remote: TestClient) -> None:
    assert remote.post("/v1/kill", json={}).status_code == 401
    assert api.get("/v1/kill").json()["tripped"] is False


def test_there_is_no_way_to_end_a_halt(api: TestClient) -> None:
    api.post("/v1/kill", json={})
    assert api.delete("/v1/kill").status_code == 405
    assert api.get("/v1/kill").json()["tripped"] is True
