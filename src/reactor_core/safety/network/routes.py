"""Known services by the form of their addresses: the rows of ``data/routes.toml``."""

from __future__ import annotations

import json
import re
import tomllib
from functools import lru_cache
from importlib.resources import files

import msgspec

from reactor_core.safety.network.request import Request
from reactor_core.safety.scope import Scope
from reactor_core.safety.things import name_kind
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["by_route"]


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    path: tuple[str, ...]
    method: tuple[str, ...]
    rule: str
    says: str
    host: str = ""
    like: str = ""
    body: str = ""
    not_body: str = ""
    wild: bool = False
    precious: str = ""
    scratch: str = ""


class _Route(msgspec.Struct, frozen=True):
    row: _Row
    path: re.Pattern[str]
    host: re.Pattern[str] | None
    like: re.Pattern[str] | None
    body: re.Pattern[str] | None
    not_body: re.Pattern[str] | None


@lru_cache(maxsize=1)
def _routes() -> tuple[_Route, ...]:
    text = (files("reactor_core.safety.network") / "data" / "routes.toml").read_text(encoding="utf-8")
    rows = msgspec.convert(tomllib.loads(text)["route"], tuple[_Row, ...])
    return tuple(
        _Route(
            row,
            re.compile(
                "|".join(f"(?:{_template(path, number)})" for number, path in enumerate(row.path)), re.IGNORECASE
            ),
            *(re.compile(p, re.IGNORECASE) if p else None for p in (row.host, row.like, row.body, row.not_body)),
        )
        for row in rows
    )


def _template(path: str, number: int) -> str:
    """A template as a pattern; the names of its pieces carry the number of the template."""
    out = r"\A" if path.startswith("/") else r"\A(?:.*/)?" if path != "/*" else ""
    if path in {"/*", "*,*"}:
        return r"\A/[^/]*[*,][^/]*\Z"
    for piece in re.split(r"(\{\w+(?:\.\.)?\}|\*)", path):
        if piece == "*":
            out += r"[^/]*"
        elif match := re.fullmatch(r"\{(\w+)(\.\.)?\}", piece):
            out += rf"(?P<{match.group(1)}_{number}>{'.+' if match.group(2) else '[^/]+'})"
        else:
            out += re.escape(piece)
    return out + r"\Z"


def by_route(request: Request, scope: Scope) -> Finding | None:
    """What the first row that describes the request says; None if none does."""
    path = request.path
    place = f"{request.host or request.scheme}{path}"
    said = " ".join(
        [request.text, *(f"{name}={value}" for name, value in request.query), request.note]
        + ([json.dumps(request.body)] if request.body is not None and not request.text.startswith(("{", "[")) else [])
    )
    for route in _routes():
        row = route.row
        if request.method not in row.method or (route.host is not None and not route.host.search(request.host)):
            continue
        match = route.path.search(path)
        if match is None or (row.wild and not _wild(request)):
            continue
        if (route.like is not None and not route.like.search(place)) or (
            route.body is not None and not route.body.search(said)
        ):
            continue
        if route.not_body is not None and route.not_body.search(said):
            continue
        return _finding(row, match, request, scope)
    return None


def _wild(request: Request) -> bool:
    last = request.segments[-1] if request.segments else ""
    return last in {"_all", "*"} or "*" in last or "," in last


def _finding(row: _Row, match: re.Match[str], request: Request, scope: Scope) -> Finding:
    names = {key.rpartition("_")[0]: value for key, value in match.groupdict().items() if value is not None}
    name = names.get("name", "")
    said = name_kind(name, scope.setting) if name else "plain"
    rule = (row.precious if said == "precious" else row.scratch if said == "scratch" else "") or row.rule
    says = re.sub(r"\{(\w+)\}", lambda hole: names.get(hole.group(1), ""), row.says)
    effect = Effect(
        name or request.path,
        Scale.NONE if rule[0] == "A" else Scale.ALL if rule[0] == "B" else Scale.ITEM,
        reversible=rule[0] == "A",
        outward=rule in {"B7", "C7"},
        secret=rule == "C8",
        privilege=rule == "B5",
    )
    return found(rule, says, effect, part=request.brief)
