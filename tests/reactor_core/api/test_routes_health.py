from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from reactor_core import __version__


def test_a_process_that_stands_says_so(api: TestClient) -> None:
    api.post("/v1/events", json={"event_type": "feedback", "data": {}})
    answer = api.get("/health")
    found = answer.json()
    assert answer.status_code == 200
    assert found["uptime_seconds"] >= 0
    bridge = api.app.state.services.bridge
    assert {name: found[name] for name in found if name != "uptime_seconds"} == {
        "status": "ok",
        "detail": "",
        "version": __version__,
        "journal_id": bridge.journal.journal_id,
        "events": 1,
        "kill_switch": "clear",
        "relays": [],
    }


def test_a_tripped_kill_switch_is_shown(api: TestClient) -> None:
    api.app.state.services.bridge.latch.trip(reason="a test")
    assert api.get("/health").json()["kill_switch"] == "tripped"


def test_a_journal_that_cannot_be_read_is_a_failure(api: TestClient) -> None:
    api.app.state.services.bridge.close()
    answer = api.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")
    assert "closed" in answer.json()["detail"]
    refused = api.post("/v1/events", json={"event_type": "feedback", "data": {}})
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:reactor:problem:journal-failing")


def test_prometheus_reads_the_figures(api: TestClient) -> None:
    for _ in range(3):
        api.post("/v1/events", json={"event_type": "feedback", "data": {}})
    api.get("/nothing")
    answer = api.get("/metrics")
    samples = [s for family in text_string_to_metric_families(answer.text) for s in family.samples]
    requests = {tuple(s.labels[k] for k in ("method", "route", "status")): s.value
                for s in samples if s.name == "reactor_http_requests_total"}  # fmt: skip
    assert requests == {("POST", "/v1/events", "201"): 3, ("GET", "(none)", "404"): 1}
    assert {s.value for s in samples if s.name == "reactor_journal_rows_total"} == {3}
    assert "reactor_http_streams" in {s.name for s in samples}
    assert "reactor_hub_peers" in {s.name for s in samples}
