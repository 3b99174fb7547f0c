"""Network actions: a request with its method, address and body, a connection, a listening address."""

from __future__ import annotations

import re

from reactor_core.safety import sensitive
from reactor_core.safety.network.code import judge_code, judge_graphql
from reactor_core.safety.network.content import judge_content
from reactor_core.safety.network.leaks import leaks
from reactor_core.safety.network.operations import named_operation, only_asks
from reactor_core.safety.network.request import Request, read_request
from reactor_core.safety.network.rest import SAFE_METHODS, asks, by_form, is_dry
from reactor_core.safety.network.routes import by_route
from reactor_core.safety.network.sockets import SOCKET_METHODS, judge_socket
from reactor_core.safety.network.spoken import judge_calls
from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.verdict import Effect, Finding, Judged, Touch, Verdict, found

__all__ = ["judge"]

_RUN = re.compile(
    r"\bpipe_?to\W*(?:sh|bash|zsh|python\d?|node|perl|ruby)\b|\b(?:piped?|pipes|fed|passed"
    r"|streamed)\b[^.]*\b(?:sh|bash|zsh|python\d?|node|perl|ruby|shell|interpreter)\b"
    r"|\|\s*(?:sudo\s+)?(?:sh|bash|zsh|python3?|node|perl|ruby)\b|\b(?:then|and|is|are|gets?|be"
    r"|to)\s+(?:be\s+)?(?:run|runs|execut\w+|eval\w*|source[sd]?|install\w*)\b"
    r"|\b(?:eval|exec)\b",
    re.IGNORECASE,
)


def judge(text: str, scope: Scope) -> Judged:
    """Judge ``METHOD address [headers] [body] [(remarks)]``, ``CONNECT address`` or ``LISTEN address``."""
    called = judge_calls(text, scope, _judge_request)
    return _judge_request(text, scope) if called is None else called


def _judge_request(text: str, scope: Scope) -> Judged:
    request = read_request(text)
    if request is None:
        return Judged((unclear("it is no network action that could be read", part=text[:200]),), (text,))
    scope.effort.spend(1 + len(text) // 16)
    touches = (
        (Touch("host", request.host, "read" if request.method in SAFE_METHODS else "write"),) if request.host else ()
    )
    parts = _parts(request, scope)
    findings = tuple(finding for part in parts for finding in part.findings)
    resolved = (_resolved(request), *(line for part in parts for line in part.resolved))
    return Judged(findings, resolved, touches + tuple(touch for part in parts for touch in part.touches))


def _resolved(request: Request) -> str:
    if request.method in SOCKET_METHODS:
        return request.brief
    query = "&".join(f"{name}={value}" for name, value in request.query)
    port = f":{request.port}" if request.port else ""
    address = f"{request.scheme or 'https'}://{request.host}{port}{request.path}"
    return f"{request.method} {address}{'?' if query else ''}{query}"


def _parts(request: Request, scope: Scope) -> list[Judged]:
    if request.method in SOCKET_METHODS or (request.scheme in {"ws", "wss", "tcp", "udp"} and request.method == "GET"):
        return [judge_socket(request, scope)]
    leak = leaks(request)
    if leak is not None and leak.verdict is Verdict.BLOCK:
        return [Judged((leak,))]
    graphql = judge_graphql(request, scope)
    dry = is_dry(request)
    if dry and request.method not in SAFE_METHODS:
        return [Judged((found("A4", "only asks what would be done", part=request.brief),))]
    parts = [Judged((leak,))] if leak is not None else []
    parts += [_run(request)]
    if graphql is not None:
        return [*parts, graphql, Judged(tuple(judge_content(request, scope)))]
    coded = judge_code(request, scope)
    route = None if asks(request) else by_route(request, scope)
    content = [] if asks(request) else judge_content(request, scope)
    parts += [*coded, Judged(tuple(content))]
    if route is not None and not (route.rule[0] == "C" and any(finding.rule == "A5" for finding in content)):
        parts.append(Judged((route,)))
    elif any(finding.rule == "A5" for finding in content):
        pass
    elif not coded or request.method == "DELETE":
        form = None if only_asks(request) else named_operation(request, scope) or by_form(request, scope)
        parts.append(Judged((form,)) if form is not None else Judged())
    return parts


def _run(request: Request) -> Judged:
    """A remark that what comes back is executed."""
    said = request.note or ("" if request.body is not None else request.text)
    if (
        not said
        or not _RUN.search(said)
        or re.search(r"\b(?:not|never|nothing|without)\b[^.]*(?:run|exec)", said, re.IGNORECASE)
    ):
        return Judged()
    if request.method not in SAFE_METHODS or sensitive.secret_in(said):
        return Judged()
    finding: Finding = found(
        "B5",
        f"runs what {request.host} answers",
        Effect(request.host, outward=True, privilege=True),
        part=request.brief,
    )
    return Judged((finding,))
