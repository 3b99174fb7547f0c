"""Through the application as a client on this machine sees it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient
from tests.reactor_core.api.serving import HERE, free_port, until

from reactor_core.api.cloudevents import BATCH, SINGLE
from reactor_core.api.server import create_app
from reactor_core.utils.ids import new_id
from reactor_core.utils.settings import Settings

EVENT = {"event_type": "cost_update", "source": "jarvis_agent", "data": {"amount": 0.47}}


def append(api: TestClient, **fields: Any) -> Any:
    answer = api.post("/v1/events", json={**EVENT, **fields})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def query(api: TestClient, **parameters: Any) -> list[Any]:
    answer = api.get("/v1/events", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["events"]


def test_an_event_that_is_appended_can_be_asked_for(api: TestClient) -> None:
    answer = api.post("/v1/events", json=EVENT)
    assert answer.status_code == 201
    stored = api.get(answer.headers["location"]).json()
    assert stored["event_id"] == answer.json()["event_id"]
    assert {name: stored[name] for name in EVENT} == EVENT
    assert (stored["seq"], stored["priority"]) == (answer.json()["seq"], 4)
    assert query(api, type="COST_UPDATE") == [stored]


def test_it_is_in_the_journal_that_programs_read(api: TestClient) -> None:
    append(api)
    bridge = api.app.state.services.bridge
    assert [event.data for event in bridge.get_events_by_type_sync("cost_update")] == [{"amount": 0.47}]


def test_a_request_with_an_id_can_be_repeated(api: TestClient) -> None:
    event_id = new_id()
    first = api.post("/v1/events", json=EVENT | {"event_id": event_id})
    again = api.post("/v1/events", json=EVENT | {"event_id": event_id})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"duplicate": True}
    other = api.post("/v1/events", json=EVENT | {"event_id": event_id, "data": {"amount": 99}})
    assert (other.status_code, other.json()["type"]) == (409, "urn:reactor:problem:id-taken")
    assert len(query(api)) == 1


def test_a_reading_is_stored_once_a_minute_and_a_charge_each_time(api: TestClient) -> None:
    gauge = [append(api, data={"total": 15.43})["seq"] for _ in range(2)]
    charge = [append(api)["seq"] for _ in range(2)]
    named = [append(api, data={"amount": n}, dedup_key="bill-7")["seq"] for n in range(2)]
    assert [len(set(seqs)) for seqs in (gauge, charge, named)] == [1, 2, 1]


def test_its_time_and_lane_and_metadata_can_be_given(api: TestClient) -> None:
    event_id = append(api, timestamp="2026-01-02T03:04:05+01:00", priority=2, metadata={"trace_id": "t-1"})["event_id"]
    stored = api.get(f"/v1/events/{event_id}").json()
    assert stored["timestamp"] == "2026-01-02T02:04:05.000000Z"
    assert (stored["priority"], stored["metadata"]) == (2, {"trace_id": "t-1"})


def test_a_batch_is_answered_one_by_one(api: TestClient) -> None:
    taken = append(api, event_id=new_id())["event_id"]
    batch = [EVENT, EVENT | {"event_id": taken, "data": {"amount": 1}}, EVENT | {"event_type": "training_start"}]
    answer = api.post("/v1/events", json=batch)
    assert answer.status_code == 207
    first, second, third = answer.json()["results"]
    assert third["seq"] == first["seq"] + 1
    assert (second["error"]["status"], second["error"]["type"]) == (409, "urn:reactor:problem:id-taken")
    assert api.post("/v1/events", json=[EVENT, EVENT]).status_code == 200
    assert api.post("/v1/events", json=[]).json() == {"results": []}


def test_a_batch_with_what_is_no_event_stores_nothing(api: TestClient) -> None:
    answer = api.post("/v1/events", json=[EVENT, EVENT | {"priority": 7}])
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/1/priority"]
    assert query(api) == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"event_type": ""}, "/event_type"),
        ({"event_type": None}, "/event_type"),
        ({"data": []}, "/data"),
        ({"source": "x" * 201}, "/source"),
        ({"priority": 0}, "/priority"),
        ({"colour": "red"}, "/colour"),
        ({"timestamp": "yesterday"}, "/timestamp"),
        ({"event_type": "two\nlines"}, ""),
        ({"data": {"big": "x" * (1 << 20)}}, ""),
        ({"data": {"big": "x" * (1 << 20)}, "event_id": "an-id-of-my-own-making"}, ""),
    ],
)
def test_what_is_no_event_is_pointed_at(api: TestClient, change: dict[str, Any], pointer: str) -> None:
    answer = api.post("/v1/events", json=EVENT | change)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff{}", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"event_type": "a", "data": {"x": "\\ud800"}}', "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"[]", SINGLE, 422),
        (b"{}", BATCH, 422),
        (json.dumps([EVENT] * 1001).encode(), "application/json", 413),
        (b'{"event_type": "a", "data": {"x": NaN}}', "application/json", 422),
    ],
)
def test_what_cannot_be_read_is_refused(api: TestClient, body: bytes, content_type: str, status: int) -> None:
    answer = api.post("/v1/events", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert query(api) == []


def test_every_condition_holds_at_once(api: TestClient) -> None:
    now = datetime.now(UTC)
    for source in ("scout", "user"):
        for event_type in ("training_start", "correction"):
            for days in (1, 10, 40):
                append(
                    api, source=source, event_type=event_type, data={"n": f"Nr {days}"},
                    timestamp=(now - timedelta(days=days)).isoformat(), metadata={"trace_id": f"trace-{days}"},
                )  # fmt: skip
    assert len(query(api)) == 12
    assert len(query(api, source="scout")) == 6
    assert len(query(api, source=["scout", "USER"], type=["correction"])) == 6
    assert len(query(api, last="30_days")) == 8
    assert len(query(api, last="last_24h")) == 0
    assert (
        len(query(api, since=(now - timedelta(days=11)).isoformat(), until=(now - timedelta(days=9)).isoformat())) == 4
    )
    assert len(query(api, text="nR 40", source="user")) == 2
    assert len(query(api, trace_id="trace-1")) == 4
    assert len(query(api, lane=[3, 4], type="correction")) == 6
    assert [event["seq"] for event in query(api, newest=True, limit=2)] == [12, 11]


def test_pages_lead_through_everything_once(api: TestClient) -> None:
    api.post("/v1/events", json=[EVENT | {"data": {"n": n}} for n in range(250)])
    seen: list[int] = []
    address = "/v1/events?limit=100&type=cost_update"
    while address:
        answer = api.get(address)
        assert len(answer.json()["events"]) <= 100
        seen += [event["data"]["n"] for event in answer.json()["events"]]
        address = answer.links.get("next", {}).get("url", "")
    assert seen == list(range(250))
    resume = answer.json()["resume"]
    assert query(api, cursor=resume) == []
    append(api, data={"n": 250})
    assert [event["data"]["n"] for event in query(api, cursor=resume)] == [250]


def test_a_page_of_large_events_ends_early(api: TestClient) -> None:
    for _ in range(2):
        api.post("/v1/events", json=[EVENT | {"data": {"amount": 1, "x": "x" * 900_000}}] * 8)
    append(api)
    first = api.get("/v1/events", params={"limit": 1000})
    assert len(first.json()["events"]) == 16
    assert len(api.get(first.links["next"]["url"]).json()["events"]) == 1


@pytest.mark.parametrize(
    "parameters",
    [{"last": "a_month"}, {"limit": 0}, {"limit": 1001}, {"lane": 5}, {"cursor": "no-cursor"}, {"since": "soon"},
     {"last": "24h", "since": "2026-01-01T00:00:00Z"}, {"since": "2026-01-02", "until": "2026-01-01"}, {"text": ""}],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(api: TestClient, parameters: dict[str, Any]) -> None:
    answer = api.get("/v1/events", params=parameters)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:reactor:problem:invalid"


def test_an_id_that_is_not_there(api: TestClient) -> None:
    assert api.get(f"/v1/events/{new_id()}").status_code == 404


def test_cloudevents_go_in_and_out(api: TestClient) -> None:
    sent = {
        "specversion": "1.0", "id": new_id(), "source": "https://ci.example/runs", "type": "com.example.built",
        "subject": "main", "time": "2026-11-21T10:00:00Z", "data": {"ok": True}, "priority": 2,
    }  # fmt: skip
    answer = api.post("/v1/events", content=json.dumps(sent), headers={"Content-Type": f"{SINGLE}; charset=utf-8"})
    assert answer.status_code == 201
    got = api.get(answer.headers["location"], headers={"Accept": SINGLE})
    assert got.headers["content-type"] == SINGLE
    assert {name: got.json()[name] for name in sent} == sent | {"time": "2026-11-21T10:00:00.000000Z"}
    batch = api.post("/v1/events", content=json.dumps([sent, sent | {"id": new_id()}]), headers={"Content-Type": BATCH})
    assert [result["duplicate"] for result in batch.json()["results"]] == [True, False]
    page = api.get("/v1/events?limit=1", headers={"Accept": BATCH})
    assert page.headers["content-type"] == BATCH
    assert [event["id"] for event in page.json()] == [sent["id"]]
    assert "next" in page.links


def test_a_batch_of_cloudevents_points_at_the_bad_one(api: TestClient) -> None:
    sent = {"specversion": "1.0", "id": new_id(), "source": "s", "type": "t"}
    answer = api.post("/v1/events", content=json.dumps([sent, sent | {"type": 5}]), headers={"Content-Type": BATCH})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/1/type")


def test_urgent_events_reach_handlers_of_the_process_once(api: TestClient) -> None:
    heard: list[str] = []
    bridge = api.app.state.services.bridge
    bridge.on_event("safety_blocked")(lambda event: heard.append(event.event_id))
    sent = [append(api, event_type="safety_blocked", data={"action": "a"}, event_id=i)["event_id"]
            for i in (None, new_id(), new_id())]  # fmt: skip
    append(api, event_type="safety_blocked", data={"action": "a"}, event_id=sent[1])
    bridge.close()  # lets handlers finish
    assert sorted(heard) == sorted(sent)


@pytest.mark.parametrize("fields", [{}, {"event_id": "an-id-of-my-own-making"}, {"dedup_key": "halt"}])
def test_a_kill_switch_that_is_posted_halts_the_workspace(api: TestClient, fields: dict[str, str]) -> None:
    append(api, event_type="kill_switch_triggered", data={"action": "Sending 500 emails"}, **fields)
    until(lambda: api.get("/health").json()["kill_switch"] == "tripped")
    assert api.app.state.services.bridge.latch.state().reason == "Sending 500 emails"


def test_the_store_of_many_workspaces_answers_the_same_questions(api_settings: Settings, database: str) -> None:
    settings = api_settings.model_copy(update={"event_store_url": SecretStr(database)})
    with TestClient(create_app(settings), base_url=HERE, client=("127.0.0.1", 50000)) as api:
        sent = [append(api, data={"amount": n})["event_id"] for n in range(5)]

        def shared(**parameters: Any) -> list[Any]:
            answer = api.get("/v1/events", params={"store": "shared", **parameters})
            return answer.json()["events"] if answer.status_code == 200 else []

        until(lambda: len(shared()) == 5)
        assert shared() == query(api)
        assert [event["event_id"] for event in shared(newest=True, limit=2)] == [sent[4], sent[3]]
        assert api.get(f"/v1/events/{sent[2]}?store=shared").json()["data"] == {"amount": 2}


def test_a_store_that_is_not_there_is_said_to_be_so(api_settings: Settings, api: TestClient) -> None:
    answer = api.get("/v1/events?store=shared")
    assert (answer.status_code, "EVENT_STORE_URL" in answer.json()["detail"]) == (422, True)
    away = SecretStr(f"postgresql://user:hunter2@127.0.0.1:{free_port()}/events")
    settings = api_settings.model_copy(update={"workspace": api_settings.workspace / "other", "event_store_url": away})
    with TestClient(create_app(settings), base_url=HERE, client=("127.0.0.1", 50000)) as other:
        answer = other.get("/v1/events?store=shared")
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:reactor:problem:store-failing")
        assert "hunter2" not in answer.text
        assert other.get("/v1/events").status_code == 200
