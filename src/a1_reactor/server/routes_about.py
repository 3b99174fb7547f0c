"""How the server stands, and what it offers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from a1_reactor.config import ReactorConfig
from a1_reactor.prompts.presets import load_book
from a1_reactor.prompts.templates import holes_of
from a1_reactor.providers.catalog import list_providers
from a1_reactor.server.requests import CALLING
from a1_reactor.server.schemas import HealthOut, PresetsOut, ProvidersOut
from a1_reactor.server.services import Services, services_of
from reactor_core import __version__
from reactor_core.api.problems import Problem

__all__ = ["router"]

router = APIRouter(tags=["about"])

_Services = Annotated[Services, Depends(services_of)]


@router.get("/health", response_model=HealthOut)
def health(services: _Services) -> dict[str, Any]:
    """Whether jobs can be stored and are worked on, how many wait, and the kill switch."""
    if services.fault is not None:
        raise Problem("not-ready", f"nobody works on jobs any more ({services.fault}); start the server again")
    return {
        "status": "ok",
        "version": __version__,
        "uptime_seconds": round(services.uptime_seconds, 3),
        "kill_switch": "tripped" if services.latch.state().tripped else "clear",
        "upload_bytes": services.settings.a1_upload_mb << 20,
        **{state: services.table.count(state) for state in ("queued", "running")},
    }


@router.get("/v1/presets", response_model=PresetsOut)
def presets(services: _Services) -> dict[str, Any]:
    """Looks and the words that they add to a prompt, and templates of prompts; the workspace's own among them."""
    book = load_book(services.settings.a1_workspace)
    templates = {name: {"text": text, "holes": sorted(holes_of(text))} for name, text in book.templates.items()}
    return {"presets": {name: preset.prompt for name, preset in book.presets.items()}, "templates": templates}


@router.get("/v1/providers", response_model=ProvidersOut)
def providers(services: _Services) -> dict[str, Any]:
    """Where frames can come from, what each can do, and why one is not available.

    Those that take an `http_endpoint` may call what their `endpoints` list, which is the operator's.
    """
    allowed = {"endpoints": list(services.settings.provider_allow)}
    found = list_providers(ReactorConfig.from_settings(services.settings))
    return {"providers": [{**each.to_json(), **(allowed if each.name in CALLING else {})} for each in found]}
