"""The kill switch over HTTP: pull it, and see how it stands. Ending a halt is not offered here: it needs a person."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from reactor_core.api.guard import principal_of
from reactor_core.api.schemas import KillIn
from reactor_core.api.services import Services, services_of
from reactor_core.safety.kill.switch import pull_switch, watcher_standing

__all__ = ["router"]

router = APIRouter(tags=["kill switch"])

_Services = Annotated[Services, Depends(services_of)]


@router.get("/v1/kill")
async def kill_status(services: _Services) -> dict[str, Any]:
    """Whether everything is halted, and who watches."""
    state = services.bridge.latch.state()
    standing = await asyncio.to_thread(watcher_standing, services.bridge.workspace)
    return {
        **state.as_dict(),
        "watched": standing is not None,
        "actions": [] if standing is None else list(standing.actions),
    }


@router.post("/v1/kill", status_code=201)
async def kill(services: _Services, request: Request, asked: KillIn) -> dict[str, Any]:
    """Halt everything that joined this workspace, here and on other hosts. Answers when everything here stands.

    `response_time_ms` runs from the arrival of the request to the last side effect.
    """
    bridge = services.bridge
    report = await asyncio.to_thread(
        pull_switch,
        bridge.settings.model_copy(update={"workspace": bridge.workspace}),
        method="api",
        reason=asked.reason,
        by=f"api ({principal_of(request.scope)})",
        bridge=bridge,
    )
    return {
        "epoch": report.epoch,
        "event_id": report.event_id,
        "response_time_ms": report.response_time_ms,
        "stopped": report.stopped,
        "survivors": list(report.survivors),
        "steps_pending": report.steps_pending,
    }
