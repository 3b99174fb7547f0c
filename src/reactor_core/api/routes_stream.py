"""New events as they come, as server-sent events."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response

from reactor_core.api.positions import Positions
from reactor_core.api.problems import Problem
from reactor_core.api.schemas import Lane
from reactor_core.api.services import Services, services_of
from reactor_core.api.stream import EventStream, Start
from reactor_core.errors import ConfigError
from reactor_core.events.query import event_query

__all__ = ["router"]

router = APIRouter(prefix="/v1/events", tags=["events"])


@router.get(
    "/stream",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def stream_events(
    request: Request,
    services: Annotated[Services, Depends(services_of)],
    type: Annotated[list[str] | None, Query(description="Event types; one of them.")] = None,  # noqa: A002
    source: Annotated[list[str] | None, Query(description="Sources; one of them.")] = None,
    lane: Annotated[list[Lane] | None, Query(description="Lanes from 1 to 4; one of them.")] = None,
    after: Annotated[
        str | None, Query(description="Begin behind this position or stream id; now if absent.", max_length=120)
    ] = None,
    last_event_id: Annotated[
        str, Header(description="The last id that the reader got; goes before `after`.", max_length=120)
    ] = "",
) -> EventStream:
    """Stored events from now on, or from where the reader was, until it goes away.

    Each carries an `id`; a reader that comes back with the last one in `Last-Event-ID`, as browsers do by themselves,
    misses nothing and gets nothing twice. Urgent lanes come first. A reader is told with an event named `gap` when what
    it asks for is not there any more.
    """
    query = event_query(type, sources=source, lanes=lane)
    journal = services.bridge.journal
    try:
        place = last_event_id or after
        asked = Positions.read(place) if place else None
    except ConfigError as error:
        parameter = "header last-event-id" if last_event_id else "query after"
        errors = [{"parameter": parameter, "detail": str(error)}]
        raise Problem("invalid", f"{parameter}: {error}", errors=errors) from error
    head, first = await asyncio.to_thread(lambda: (journal.head().seq, journal.first_seq()))
    start = Start.of(asked, journal_id=journal.journal_id, first=first, head=head)
    client = request.client.host if request.client else "unknown"
    return EventStream(services, query, start, leave=services.enter_stream(client))
