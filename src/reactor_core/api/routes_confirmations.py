"""Questions to people about actions, and a page to answer them on.

Anybody may refuse. To let an action run takes a second factor in each request, an authenticator's code or a signed
note: a program that reaches this API is no person yet, and an agent on this machine reaches it too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from reactor_core.api.guard import principal_of
from reactor_core.api.problems import Problem
from reactor_core.api.schemas import ConfirmIn, DenyIn
from reactor_core.api.services import Services, services_of
from reactor_core.errors import ApprovalInvalid
from reactor_core.safety.confirm.approvals import Approvals
from reactor_core.safety.confirm.question import Method, Question, Said

__all__ = ["PAGE_POLICY", "router"]

router = APIRouter(tags=["confirmations"])

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""What the page may load and do: its own two files, and requests to this API."""

_PARTS = {"confirmations.html": "text/html", "confirmations.css": "text/css", "confirmations.js": "text/javascript"}

_Services = Annotated[Services, Depends(services_of)]
_Ticket = Annotated[str, Path(min_length=1, max_length=64, description="Id of the question.")]
_Refused: dict[int | str, dict[str, Any]] = {
    403: {"description": "The answer does not count"},
    404: {"description": "There is no such question"},
}


@router.get("/v1/confirmations")
async def list_confirmations(
    services: _Services,
    state: Annotated[Literal["open", "all"], Query(description="Open questions, or all.")] = "open",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """The newest questions, the oldest of them first. `subject` is what a signed note has to be about."""
    approvals = services.approvals
    found = await asyncio.to_thread(approvals.questions, only_open=state == "open", limit=limit)
    return {"confirmations": [_shown(approvals, question) for question in found]}


@router.get("/v1/confirmations/{ticket_id}")
async def get_confirmation(services: _Services, ticket_id: _Ticket) -> dict[str, Any]:
    """One question, as it stands."""
    approvals = services.approvals
    return _shown(approvals, await asyncio.to_thread(approvals.question, ticket_id))


@router.post("/v1/confirmations/{ticket_id}/confirm", responses=_Refused)
async def confirm(services: _Services, ticket_id: _Ticket, answer: ConfirmIn) -> dict[str, Any]:
    """Let the action run once, on the strength of an authenticator's code or a signed note.

    Where the rules block the action two people have to do this. A code is used up, whatever becomes of the answer.
    """
    approvals = services.approvals

    def work() -> Question:
        if answer.note is not None:
            return approvals.say_with_note(ticket_id, answer.note, only_confirming=True)
        if answer.code is None:
            raise Problem("invalid", "code or note is needed", errors=[{"pointer": "/code", "detail": "is missing"}])
        return approvals.say_with_code(ticket_id, answer.code, person=answer.person)

    return _shown(approvals, await _answered(work))


@router.post("/v1/confirmations/{ticket_id}/deny", responses=_Refused)
async def deny(services: _Services, request: Request, ticket_id: _Ticket, answer: DenyIn) -> dict[str, Any]:
    """Refuse the action. This needs no second factor, and cannot be taken back."""
    approvals = services.approvals
    person = answer.person or f"api ({principal_of(request.scope)})"
    said = Said(False, person, Method.DIALOG, answer.reason)
    return _shown(approvals, await _answered(lambda: approvals.say(ticket_id, said)))


@router.get("/confirmations", include_in_schema=False)
async def page() -> Response:
    """The page."""
    return _part("confirmations.html")


@router.get("/confirmations/{name}", include_in_schema=False)
async def part(name: str) -> Response:
    """A file of the page."""
    if name not in _PARTS or name.endswith(".html"):
        raise Problem("not-found", f"the page has no file {name!r:.80}")
    return _part(name)


async def _answered(work: Callable[[], Question]) -> Question:
    try:
        return await asyncio.to_thread(work)
    except ApprovalInvalid as error:
        raise Problem("answer-refused", str(error)) from error


def _shown(approvals: Approvals, question: Question) -> dict[str, Any]:
    return {**question.as_dict(), "subject": approvals.subject(question)}


def _part(name: str) -> Response:
    headers = {"Content-Security-Policy": PAGE_POLICY, "Content-Type": f"{_PARTS[name]}; charset=utf-8"}
    return Response(_read(name), headers=headers)


@cache
def _read(name: str) -> bytes:
    return (files("reactor_core.api") / "pages" / name).read_bytes()
