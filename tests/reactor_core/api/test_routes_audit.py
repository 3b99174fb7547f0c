"""What the API answers is checked as a receiver would: without the journal."""

from __future__ import annotations

import base64
from typing import Any

from starlette.testclient import TestClient
from tests.reactor_core.api.serving import until

from reactor_core.events.proof import check_proof


def proof_of(api: TestClient, event_id: str) -> Any:
    """The proof, once the event is sealed."""

    def found() -> Any:
        answer = api.get(f"/v1/events/{event_id}/proof")
        return answer.json() if answer.status_code == 200 else None

    return until(found)


def test_an_event_is_proved_to_whoever_has_the_proof_alone(api: TestClient) -> None:
    events = [{"event_type": "correction", "data": {"n": n}} for n in range(20)]
    ids = [result["event_id"] for result in api.post("/v1/events", json=events).json()["results"]]
    proof = proof_of(api, ids[7])
    assert (proof["event_id"], proof["seq"]) == (ids[7], 8)
    assert check_proof(proof) is None
    entry = bytearray(base64.b64decode(proof["entry"]))
    entry[-1] ^= 1
    assert check_proof({**proof, "entry": base64.b64encode(entry).decode()}) is not None


def test_the_newest_checkpoint_covers_what_was_sealed(api: TestClient) -> None:
    assert api.get("/v1/audit/checkpoint").json()["type"] == "urn:reactor:problem:not-found"
    event = {"event_type": "safety_blocked", "data": {"action": "a"}}  # urgent ones are sealed with their commit
    stored = api.post("/v1/events", json=event).json()
    found = api.get("/v1/audit/checkpoint").json()
    assert found["size"] == stored["seq"]
    assert found["note"] == proof_of(api, stored["event_id"])["checkpoint"]


def test_what_is_not_there_cannot_be_proved(api: TestClient) -> None:
    assert api.get("/v1/events/no-such-event-anywhere/proof").status_code == 404
