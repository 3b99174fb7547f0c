"""Proofs that what is stored was not touched."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from reactor_core.api.services import Services, services_of
from reactor_core.events import proof

__all__ = ["router"]

router = APIRouter(tags=["audit"])

_Services = Annotated[Services, Depends(services_of)]


@router.get("/v1/events/{event_id}/proof")
async def event_proof(
    services: _Services, event_id: Annotated[str, Path(min_length=1, max_length=200)]
) -> dict[str, Any]:
    """The signed checkpoint that covers an event, and the hashes that lead from the one to the other.

    A new event is covered a second after it was stored at the latest; until then the answer is 404.
    """
    return await asyncio.to_thread(proof.prove_event, services.bridge.journal.path, event_id)


@router.get("/v1/audit/checkpoint")
async def checkpoint(services: _Services) -> dict[str, Any]:
    """The newest signed checkpoint. Kept elsewhere, it proves the journal up to it."""
    return await asyncio.to_thread(proof.newest_checkpoint, services.bridge.journal.path)
