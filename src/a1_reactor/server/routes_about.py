"""How the server stands, and what it offers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from a1_reactor.prompts.presets import PRESETS
from a1_reactor.providers.catalog import PROVIDERS
from a1_reactor.server.schemas import HealthOut, PresetsOut, ProvidersOut
from a1_reactor.server.services import Services, services_of
from reactor_core import __version__

__all__ = ["router"]

router = APIRouter(tags=["about"])

_Services = Annotated[Services, Depends(services_of)]


@router.get("/health", response_model=HealthOut)
def health(services: _Services) -> dict[str, Any]:
    """Whether jobs can be stored, how many wait, and the kill switch."""
    return {
        "status": "ok",
        "version": __version__,
        "uptime_seconds": round(services.uptime_seconds, 3),
        "kill_switch": "tripped" if services.latch.state().tripped else "clear",
        **{state: services.table.count(state) for state in ("queued", "running")},
    }


@router.get("/v1/presets", response_model=PresetsOut)
def presets(services: _Services) -> dict[str, Any]:  # noqa: ARG001  as its neighbours
    """Looks that have a name, and the words that they add to a prompt."""
    return {"presets": dict(PRESETS)}


@router.get("/v1/providers", response_model=ProvidersOut)
def providers(services: _Services) -> dict[str, Any]:
    """Where frames can come from. Of the HTTP provider, only what the operator has listed may be called."""
    return {
        "providers": [
            {"name": name, **({"endpoints": list(services.settings.provider_allow)} if name == "http" else {})}
            for name in PROVIDERS
        ]
    }
