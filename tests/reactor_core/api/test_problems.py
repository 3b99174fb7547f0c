from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from reactor_core import errors
from reactor_core.api.problems import PROBLEM_JSON, PROBLEMS, Problem, install, of_error


class Body(BaseModel):
    items: list[dict[str, int]]


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    install(app)

    @app.get("/things")
    def list_things(limit: Annotated[int, Query(le=5)]) -> int:
        return limit

    @app.post("/things")
    def add_thing(body: Body) -> Body:
        return body

    @app.get("/raise/{name}")
    def fail(name: str) -> None:
        if name.isdigit():
            raise HTTPException(int(name), "the framework's words")
        if name in PROBLEMS:
            raise Problem(name, "in detail", headers={"X-More": "1"})
        raise getattr(errors, name)("what failed", remedy="do this")

    return TestClient(app)


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_problem_is_answered_under_its_name_and_status(client: TestClient, name: str) -> None:
    answer = client.get(f"/raise/{name}")
    status, title = PROBLEMS[name]
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM_JSON)
    assert answer.headers["x-more"] == "1"
    assert answer.json() == {
        "type": f"urn:reactor:problem:{name}",
        "title": title,
        "status": status,
        "detail": "in detail",
        "instance": f"/raise/{name}",
    }


@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 413, 418, 422, 429, 500, 503, 599])
def test_the_framework_s_own_errors_are_problems_too(client: TestClient, status: int) -> None:
    answer = client.get(f"/raise/{status}")
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == PROBLEM_JSON
    assert "token" not in answer.json()["detail"]


@pytest.mark.parametrize(
    ("error", "name"),
    [
        ("ConfigError", "invalid"),
        ("UnknownEventType", "invalid"),
        ("NotFound", "not-found"),
        ("StorageFull", "storage-full"),
        ("StorageError", "store-failing"),
        ("JournalError", "journal-failing"),
        ("JournalClosed", "journal-failing"),
        ("EnvironmentMissing", "not-available"),
        ("TrainingError", "internal"),
    ],
)
def test_our_errors_have_a_problem_each(client: TestClient, error: str, name: str) -> None:
    answer = client.get(f"/raise/{error}").json()
    assert (answer["type"], answer["detail"]) == (f"urn:reactor:problem:{name}", "what failed (do this)")


def test_a_missing_extra_says_what_to_install() -> None:
    problem = of_error(errors.MissingExtra("Cloud SQL", "gcp"))
    assert (problem.status_code, "[gcp]" in problem.detail) == (501, True)


def test_a_value_in_the_query_is_named(client: TestClient) -> None:
    answer = client.get("/things?limit=9").json()
    assert answer["detail"].startswith("query limit: ")
    assert answer["errors"][0]["parameter"] == "query limit"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/items"), ({"items": [{"a": 1}, {"b/c~d": "x"}]}, "/items/1/b~1c~0d"), ([], "")],
)
def test_a_value_in_the_body_is_pointed_at(client: TestClient, body: Any, pointer: str) -> None:
    answer = client.post("/things", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_body_that_is_no_json_is_malformed(client: TestClient) -> None:
    answer = client.post("/things", content=b'{"items": [', headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:reactor:problem:malformed")


def test_a_path_that_is_not_there_and_a_method_that_is_not(client: TestClient) -> None:
    assert client.get("/nothing").json()["detail"] == "no route is called /nothing"
    answer = client.delete("/things")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


def test_the_reference_page_lists_every_problem_with_its_status() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs/reference/http-api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", page, flags=re.MULTILINE)
    assert {name: int(status) for name, status in rows} == {name: status for name, (status, _) in PROBLEMS.items()}
