"""Every error of the API as problem details (RFC 9457), ``application/problem+json``.

A problem's ``type`` is ``urn:reactor:problem:`` and one of the names in :data:`PROBLEMS`; docs/reference/http-api.md
says for each what to do. ``request_id`` is the one of the answer's ``X-Request-ID`` header and of the server's log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from reactor_core.errors import (
    ConfigError,
    EnvironmentMissing,
    JobConflict,
    JournalError,
    NotFound,
    ReactorError,
    StorageError,
    StorageFull,
)

__all__ = ["PROBLEMS", "PROBLEM_JSON", "Problem", "document", "install", "respond", "validation_problem"]

PROBLEM_JSON = "application/problem+json"

PROBLEMS: dict[str, tuple[int, str]] = {
    "malformed": (400, "The request cannot be read"),
    "token-missing": (401, "A token is needed"),
    "token-wrong": (401, "The token is not the right one"),
    "cross-site": (403, "Pages of other sites need a token"),
    "host-unknown": (403, "The Host header does not name this machine"),
    "answer-refused": (403, "The answer does not count"),
    "forbidden": (403, "Not allowed"),
    "not-found": (404, "There is nothing here"),
    "method-not-allowed": (405, "The method does not exist here"),
    "not-acceptable": (406, "No answer in an accepted format"),
    "body-slow": (408, "The body did not come in time"),
    "id-taken": (409, "The id belongs to another event"),
    "conflict": (409, "Its state does not allow this"),
    "body-too-large": (413, "The body is too large"),
    "media-type": (415, "The body's content type is not known here"),
    "invalid": (422, "A value cannot be used"),
    "rate-limited": (429, "Too many requests"),
    "internal": (500, "The server failed"),
    "not-available": (501, "A part that this needs is not installed"),
    "not-ready": (503, "The server is not ready"),
    "too-many-streams": (503, "Too many streams are open"),
    "journal-failing": (503, "The journal cannot be read or written"),
    "store-failing": (503, "The shared event store cannot be reached"),
    "storage-full": (507, "No space is left"),
}
"""Name -> status and title."""

_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_BY_STATUS = {
    status: name
    for name, (status, _) in reversed(PROBLEMS.items())
    if name not in {"cross-site", "host-unknown", "answer-refused"}
}


class Problem(HTTPException):
    """An error that is answered as such; raise it anywhere below the application.

    Args:
        name: One of :data:`PROBLEMS`.
        detail: What is wrong with this very request, and what to do about it.
        errors: For values: ``{"pointer": JSON pointer, "detail": text}`` each.
        headers: For the answer, such as ``Retry-After``.
    """

    def __init__(
        self,
        name: str,
        detail: str,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        status, self.title = PROBLEMS[name]
        super().__init__(status, detail, dict(headers or {}))
        self.name = name
        self.errors = errors


def document(problem: Problem, scope: Scope) -> dict[str, Any]:
    """The problem as the object that is sent."""
    found: dict[str, Any] = {
        "type": f"urn:reactor:problem:{problem.name}",
        "title": problem.title,
        "status": problem.status_code,
        "detail": problem.detail,
        "instance": scope.get("path", ""),
    }
    if problem.errors is not None:
        found["errors"] = problem.errors
    if "reactor.request_id" in scope:
        found["request_id"] = scope["reactor.request_id"]
    return found


def respond(problem: Problem, scope: Scope) -> Response:
    """The answer."""
    body = msgspec.json.encode(document(problem, scope))
    return Response(body, problem.status_code, problem.headers, PROBLEM_JSON)


def validation_problem(errors: Iterable[ErrorDetails | Mapping[str, Any]], *, body: bool = False) -> Problem:
    """The problem of what pydantic found.

    Args:
        errors: As pydantic lists them.
        body: Places are inside the body; otherwise the first part of a place says where it is (query, header, ...).
    """
    listed = []
    for error in errors:
        place = list(error["loc"])
        inside = body or place[:1] == ["body"]
        parts = place if body or not inside else place[1:]
        pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
        listed.append({("pointer" if inside else "parameter"): pointer if inside else _dotted(parts),
                       "detail": str(error["msg"])})  # fmt: skip
    first = listed[0] if listed else {"detail": "the request does not fit"}
    where = first.get("parameter") or first.get("pointer") or ("the body" if "pointer" in first else "the request")
    return Problem("invalid", f"{where}: {first['detail']}", errors=listed)


def of_error(error: ReactorError) -> Problem:
    """The problem of one of our own errors."""
    detail = str(error)
    if isinstance(error, ConfigError):
        return Problem("invalid", detail)
    if isinstance(error, NotFound):
        return Problem("not-found", detail)
    if isinstance(error, JobConflict):
        return Problem("conflict", detail)
    if isinstance(error, StorageFull):
        return Problem("storage-full", detail, headers={"Retry-After": "30"})
    if isinstance(error, JournalError):
        return Problem("journal-failing", detail, headers={"Retry-After": "5"})
    if isinstance(error, StorageError):
        return Problem("store-failing", detail, headers={"Retry-After": "5"})
    if isinstance(error, EnvironmentMissing | ImportError):
        return Problem("not-available", detail)
    return Problem("internal", detail)


def install(app: FastAPI) -> None:
    """Make every error that leaves a route a problem. What is not foreseen is answered by :mod:`.headers`."""

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return respond(error if isinstance(error, Problem) else _of_http(error, request), request.scope)

    async def validation_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        found = error.errors()
        if any(item["type"] == "json_invalid" for item in found):
            return respond(Problem("malformed", f"the body is no JSON: {found[0]['ctx']['error']}"), request.scope)
        return respond(validation_problem(found), request.scope)

    async def reactor_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, ReactorError)
        return respond(of_error(error), request.scope)

    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(ReactorError, reactor_error)


def _of_http(error: HTTPException, request: Request) -> Problem:
    """The framework's own errors, under our names."""
    name = _BY_STATUS.get(error.status_code, "internal" if error.status_code >= 500 else "malformed")
    headers = {header.lower(): value for header, value in (error.headers or {}).items()}
    detail = str(error.detail)
    if name == "not-found":
        detail = f"no route is called {request.url.path}"
    elif name == "method-not-allowed":
        # The framework names the methods of the first route of this path only.
        headers["allow"] = ", ".join(sorted(_methods(request)))
        detail = f"{request.url.path} knows {headers['allow']}"
    problem = Problem(name, detail, headers=headers)
    problem.status_code = error.status_code
    return problem


def _methods(request: Request) -> set[str]:
    """The methods that some route of this path knows. Asked of each route, as an included router does not list them."""
    return {
        method
        for method in _METHODS
        for route in request.app.routes
        if route.matches({**request.scope, "method": method})[0] is Match.FULL
    }


def _dotted(parts: list[Any]) -> str:
    return " ".join(str(part) for part in parts)
