"""The description is what generated clients and readers go by."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from reactor_core.api.problems import PROBLEM_JSON
from reactor_core.api.schemas import EventIn, EventOut
from reactor_core.events.event import new_event

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def described(api: TestClient) -> dict[str, Any]:
    answer = api.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def operations(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{m} {path}": op for path, ops in described["paths"].items() for m, op in ops.items() if m in METHODS}


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    for reference in {part.split('"')[0] for part in json.dumps(described).split('"#/components/schemas/')[1:]}:
        assert reference in described["components"]["schemas"]


def test_every_operation_says_what_it_is_and_how_it_fails(described: dict[str, Any]) -> None:
    for name, operation in operations(described).items():
        assert operation["description"], name
        assert operation["tags"], name
        for code in ("4XX", "5XX"):
            assert list(operation["responses"][code]["content"]) == [PROBLEM_JSON], name
        assert "422" not in operation["responses"], name  # the framework's own form of it


def test_every_parameter_is_described_or_says_it_all_by_its_name(described: dict[str, Any]) -> None:
    plain = {"limit", "text", "trace_id", "event_id"}
    for name, operation in operations(described).items():
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description") or parameter["name"] in plain, (name, parameter["name"])


def test_an_event_goes_out_as_described() -> None:
    event, _ = new_event("user", "feedback", {"a": 1}, metadata={"b": 2})
    stored = event.at(4)
    assert EventOut.model_validate_json(stored.to_json()).seq == 4
    assert set(EventOut.model_fields) == set(stored.to_dict())


def test_the_example_is_valid_and_a_foreign_field_is_not() -> None:
    [example] = EventIn.model_config["json_schema_extra"]["examples"]  # type: ignore[index, call-overload]
    EventIn.model_validate(example)
    with pytest.raises(ValidationError, match="Extra inputs"):
        EventIn.model_validate({**example, "payload": {}})


def test_the_reference_page_lists_every_route_parameter_and_field(described: dict[str, Any]) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs/reference/http-api.md").read_text(encoding="utf-8")
    names = {
        word for cell in re.findall(r"^\| (`[^|]+`) \|", page, flags=re.MULTILINE) for word in cell.split("`")[1::2]
    }
    assert {name.replace("get", "GET").replace("post", "POST") for name in operations(described)} <= names
    query = described["paths"]["/v1/events"]["get"]["parameters"]
    assert {parameter["name"] for parameter in query} <= names
    assert set(EventIn.model_fields) <= names
