"""How the process stands: one answer for people and probes, one for Prometheus."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from reactor_core import __version__
from reactor_core.api.exposition import expose
from reactor_core.api.schemas import HealthOut, RelayOut
from reactor_core.api.services import Services, services_of
from reactor_core.errors import ReactorError

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/health", response_model=HealthOut, responses={503: {"model": HealthOut, "description": "Failing"}})
async def health(services: Annotated[Services, Depends(services_of)]) -> Response:
    """Whether events can be stored. A transport that is down is lag, not a failure, and is listed under `relays`."""
    bridge = services.bridge
    journal = bridge.journal
    status: Literal["ok", "failing"] = "ok"
    events, detail = 0, ""
    try:
        events = (await asyncio.to_thread(journal.head)).seq
        state = journal.health()
        if not state.ok:
            status, detail = "failing", state.detail
    except ReactorError as error:
        status, detail = "failing", str(error)
    found = HealthOut(
        status=status,
        detail=detail,
        version=__version__,
        uptime_seconds=round(services.uptime_seconds, 3),
        journal_id=journal.journal_id,
        events=events,
        kill_switch="tripped" if bridge.latch.state().tripped else "clear",
        relays=[RelayOut(name=r.name, state=r.state, detail=r.detail) for r in bridge.relays()],
    )
    return JSONResponse(found.model_dump(mode="json"), 200 if status == "ok" else 503)


@router.get("/metrics", responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
async def metrics(request: Request, services: Annotated[Services, Depends(services_of)]) -> Response:
    """The figures of this process, as Prometheus reads them; of several processes each answers with its own."""
    body, content_type = expose(await services.metrics(), request.headers.get("accept", ""))
    return Response(body, headers={"Content-Type": content_type})
