"""Branches: names for the clips that somebody works on."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from a1_reactor.server.schemas import ClipId
from a1_reactor.server.services import Services, services_of

__all__ = ["BranchIn", "BranchesOut", "router"]

router = APIRouter(prefix="/v1/branches", tags=["branches"])

_Services = Annotated[Services, Depends(services_of)]


class BranchIn(BaseModel):
    """Where a branch points."""

    model_config = ConfigDict(extra="forbid")

    clip: ClipId
    chooser: Annotated[str, Field(min_length=1, max_length=100)] = Field("ui", description="Whose choice it is.")


class BranchesOut(BaseModel):
    """All branches."""

    branches: dict[str, str] = Field(description="Name -> id of the clip at its head.")


@router.get("", response_model=BranchesOut)
def list_branches(services: _Services) -> dict[str, Any]:
    """The branches of the workspace; keeping a take moves one."""
    return {"branches": services.shelf.branches()}


@router.put("/{name}", response_model=BranchesOut)
def set_branch(
    name: Annotated[str, Path(min_length=1, max_length=80)], body: BranchIn, services: _Services
) -> dict[str, Any]:
    """Point a branch at a clip; a new name makes a branch. It can be undone as every choice."""
    return {"branches": services.shelf.point(name, body.clip, actor=body.chooser)}
