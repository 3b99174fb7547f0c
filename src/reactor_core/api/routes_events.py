"""Stored events: ask for them, append to them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from reactor_core.api import cloudevents
from reactor_core.api.appending import append, read_body
from reactor_core.api.problems import Problem, document
from reactor_core.api.schemas import AppendedOut, BatchOut, EventIn, EventOut, EventPage, Lane, Moment
from reactor_core.api.services import Services, services_of
from reactor_core.events.drafts import Appended
from reactor_core.events.event import Event
from reactor_core.events.query import EventQuery, EventStore, Page, event_query

__all__ = ["router"]

router = APIRouter(prefix="/v1/events", tags=["events"])

MAX_LIMIT = 1000
_STEP = 16
_PAGE_BYTES = 8 << 20
_JSON = "application/json"
_CLOUDEVENT = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1, "maxLength": 200},
        "source": {"type": "string", "minLength": 1, "maxLength": 200},
        "type": {"type": "string", "minLength": 1, "maxLength": 200},
        "time": {"type": ["string", "null"], "format": "date-time"},
        "priority": {"type": ["integer", "null"], "minimum": 1, "maximum": 4},
    },
}
_EVENT_IN = EventIn.model_json_schema()
_BODY = {
    "required": True,
    "content": {
        _JSON: {"schema": {"anyOf": [_EVENT_IN, {"type": "array", "items": _EVENT_IN}]}},
        cloudevents.SINGLE: {"schema": _CLOUDEVENT},
        cloudevents.BATCH: {"schema": {"type": "array", "items": _CLOUDEVENT}},
    },
}
_Services = Annotated[Services, Depends(services_of)]
_Store = Annotated[
    Literal["workspace", "shared"],
    Query(description="This workspace, or the Postgres that many workspaces are copied into."),
]
_Text = Annotated[str | None, Query(min_length=1, max_length=1000)]


@router.get(
    "",
    response_model=EventPage,
    responses={200: {"content": {cloudevents.BATCH: {"schema": {"type": "array", "items": _CLOUDEVENT}}}}},
)
async def query_events(
    request: Request,
    services: _Services,
    type: Annotated[list[str] | None, Query(description="Event types; one of them.")] = None,  # noqa: A002
    source: Annotated[list[str] | None, Query(description="Sources; one of them.")] = None,
    lane: Annotated[list[Lane] | None, Query(description="Lanes from 1 to 4; one of them.")] = None,
    last: Annotated[
        str | None, Query(description="A span back from now: `24h`, `30_days`, `15_minutes`.", max_length=40)
    ] = None,
    since: Annotated[Moment | None, Query(description="Earliest time, included.")] = None,
    until: Annotated[Moment | None, Query(description="Latest time, not included.")] = None,
    text: _Text = None,
    trace_id: _Text = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    cursor: Annotated[str | None, Query(description="`next_cursor` or `resume` of an earlier page.")] = None,
    newest: Annotated[bool, Query(description="Begin with the last one and go back.")] = False,
    store: _Store = "workspace",
) -> Response:
    """Events that fulfil every given condition, in the order in which they were stored.

    A page also ends early when it has grown to 8 MiB; `next_cursor` says whether there is more. With
    `Accept: application/cloudevents-batch+json` the page is a CloudEvents batch, and the cursor is in the `Link` header
    only.
    """
    if last is not None and (since is not None or until is not None):
        raise Problem("invalid", "last: not together with since or until")
    time_range = f"last_{last.removeprefix('last_')}" if last is not None else (since, until)
    query = event_query(type, sources=source, lanes=lane, time_range=time_range, text=text, trace_id=trace_id)
    as_cloudevents = _wants_cloudevents(request, cloudevents.BATCH)
    async with services.reader(shared=store == "shared") as reader:
        events, last_page = await asyncio.to_thread(_collect, reader, query, limit, cursor, newest, as_cloudevents)
    headers = {}
    if last_page.next_cursor is not None:
        again = [(k, v) for k, v in request.query_params.multi_items() if k != "cursor"]
        headers["Link"] = f'<{request.url.path}?{urlencode([*again, ("cursor", last_page.next_cursor)])}>; rel="next"'
    if as_cloudevents:
        return Response(_array(events), headers=headers, media_type=cloudevents.BATCH)
    cursors = msgspec.json.encode({"next_cursor": last_page.next_cursor, "resume": last_page.resume})
    return Response(b'{"events":' + _array(events) + b"," + cursors[1:], headers=headers, media_type=_JSON)


@router.post(
    "",
    status_code=201,
    response_model=AppendedOut | BatchOut,
    openapi_extra={"requestBody": _BODY},
    responses={
        200: {"model": AppendedOut | BatchOut, "description": "All of it was there before, or it was a batch"},
        207: {"model": BatchOut, "description": "Some events of the batch are stored, others not"},
    },
)
async def append_events(request: Request, services: _Services) -> Response:
    """Append one event, or a batch as an array. The answer comes after they are on disk.

    Nothing is stored if any event of a batch is no event. An `event_id` makes a request safe to repeat.
    """
    body = await request.body()
    drafts, batch = read_body(body, request.headers.get("content-type", ""), most=services.limits.batch_events)
    if not batch:
        [appended] = await append(services.bridge, drafts)
        if isinstance(appended, Problem):
            raise appended
        headers = {"Location": f"{router.prefix}/{quote(appended.event.event_id, safe='')}"}
        status = 200 if appended.duplicate else 201
        return Response(msgspec.json.encode(_outcome(appended)), status, headers, _JSON)
    outcomes = await append(services.bridge, drafts)
    results: list[dict[str, Any]] = []
    refused = 0
    for outcome in outcomes:
        if isinstance(outcome, Problem):
            refused += 1
            results.append({"error": document(outcome, request.scope)})
        else:
            results.append(_outcome(outcome))
    return Response(msgspec.json.encode({"results": results}), 207 if refused else 200, media_type=_JSON)


@router.get(
    "/{event_id}",
    response_model=EventOut,
    responses={200: {"content": {cloudevents.SINGLE: {"schema": _CLOUDEVENT}}}},
)
async def get_event(
    request: Request,
    services: _Services,
    event_id: Annotated[str, Path(min_length=1, max_length=200)],
    store: _Store = "workspace",
) -> Response:
    """One event, as JSON or, with `Accept: application/cloudevents+json`, as a CloudEvent."""
    async with services.reader(shared=store == "shared") as reader:
        event = await asyncio.to_thread(reader.get, event_id)
    if event is None:
        raise Problem("not-found", f"no event has the id {event_id!r}")
    if _wants_cloudevents(request, cloudevents.SINGLE):
        return Response(_encoded(event, as_cloudevent=True), media_type=cloudevents.SINGLE)
    return Response(event.to_json(), media_type=_JSON)


def _collect(
    reader: EventStore, query: EventQuery, limit: int, cursor: str | None, newest: bool, as_cloudevents: bool
) -> tuple[list[bytes], Page]:
    """Events as JSON until there are ``limit`` or the bytes are enough, and the page that the last ones came in."""
    encoded: list[bytes] = []
    size, step = 0, _STEP
    while True:
        page = reader.query(query, limit=min(step, limit - len(encoded)), cursor=cursor, newest=newest)
        encoded += [_encoded(event, as_cloudevent=as_cloudevents) for event in page.events]
        size += sum(map(len, encoded[-len(page.events) :])) if page.events else 0
        if page.next_cursor is None or len(encoded) >= limit or size >= _PAGE_BYTES:
            return encoded, page
        cursor = page.next_cursor
        step = step * 4 if size < _PAGE_BYTES // 8 else _STEP


def _encoded(event: Event, *, as_cloudevent: bool) -> bytes:
    return msgspec.json.encode(cloudevents.to_cloudevent(event)) if as_cloudevent else event.to_json()


def _array(items: list[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"


def _outcome(appended: Appended) -> dict[str, Any]:
    return {
        "event_id": appended.event.event_id,
        "seq": appended.event.seq,
        "duplicate": appended.duplicate,
    }


def _wants_cloudevents(request: Request, media_type: str) -> bool:
    accepted = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")]
    return media_type in accepted
