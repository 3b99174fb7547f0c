"""What the address of a request points at: a kind of thing, its name, and which of them a filter selects."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reactor_core.safety.naming import wordset
from reactor_core.safety.network.code import always_true
from reactor_core.safety.network.request import Request, fields
from reactor_core.safety.things import (
    Weight,
    split_name,
    weight_of,
)

__all__ = ["ALL_WORDS", "HOLE", "Aim", "aim_of", "filters_of", "names_things", "selects", "takes_every"]

_PREFIX = re.compile(
    r"^(?:api|rest|apis|v\d[\w.]*|internal|public|_api|json|service|services\.json|\d{4}-\d{2}-\d{2}|\d\.\d|beta"
    r"|alpha|latest)$"
)


_ID = re.compile(
    r"^(?:\d+|[0-9a-f]{7,}|[0-9a-f-]{32,36}|.*\d.*|.*[@:.].*|me|self|current|default"
    r"|own)$",
    re.IGNORECASE,
)


HOLE = re.compile(r"^(?:\$\{?\w+\}?|\{\{?\s*[\w.]+\s*\}?\}|<[^>]+>|:\w+|\$\(.*\)|%\w+%)$")


_CONTROL = wordset(
    """
    force confirm confirmed permanent cascade dryrun timeout wait async apiversion pretty hard soft purge version
    api-version api_version conflicts refresh routing key apikey token accesstoken access_token format yes recursive
    propagationpolicy graceperiodseconds prune callback lang fields reason notify ifexists skiptrash bypass
    bypassgovernance now immediate
    """
)


ALL_WORDS = frozenset({"all", "everything", "every", "everyone"})


@dataclass(frozen=True, slots=True)
class Aim:
    """What an address points at: the kind of thing, its own name (empty: all of them), and what it lies in."""

    noun: str
    name: str
    parent: str
    inside: str


def takes_every(request: Request) -> bool:
    words = {part for segment in request.segments for part in split_name(segment)}
    wide = wordset(
        """
        hosts ids targets selector servers nodes instances machines id host target
        """
    )
    if any(name.lower() in wide and value in ("*", "all", ["*"], ["all"]) for name, value in fields(request.body)):
        return True
    return (
        bool(words & ALL_WORDS)
        or "*" in request.segments
        or "_all" in request.segments
        or request.flag("all", "everything")
    )


_UNTIL = frozenset({"before", "until", "older_than", "olderthan", "to", "max_age"})


def aim_of(segments: tuple[str, ...]) -> Aim:
    """Kinds and names take turns in an address: ``/users/7/sessions`` is the sessions of the user 7."""
    parts = [segment for segment in segments if not _PREFIX.match(segment)]
    pairs: list[tuple[str, str]] = []
    for part in parts:
        waiting = bool(pairs) and not pairs[-1][1]
        if (
            waiting
            and part.endswith("s")
            and weight_of(part) is not Weight.ITEM
            and weight_of(pairs[-1][0]) is Weight.ITEM
        ):
            waiting = False  # a kind inside a family: /kubernetes/clusters/live
        if part in {"_all", "*", "_bulk", "bulk", "all", "batch"} or "*" in part:
            pairs.append(("", "*")) if not waiting else pairs.__setitem__(-1, (pairs[-1][0], "*"))
        elif waiting and (_ID.match(part) or HOLE.match(part) or names_things(pairs[-1][0])):
            pairs[-1] = (pairs[-1][0], part)
        elif _ID.match(part) and not pairs:
            pairs.append(("", part))
        else:
            pairs.append((part, ""))
    noun, name = pairs[-1] if pairs else ("", "")
    parent = next(((kind, own) for kind, own in reversed(pairs[:-1]) if own), ("", ""))
    return Aim(noun, name, parent[0], parent[1])


def names_things(noun: str) -> bool:
    """Whether a segment is a plural or a known kind, so that a name follows it."""
    lower = noun.lower()
    return (
        (lower.endswith("s") and not lower.endswith(("ss", "us")))
        or weight_of(noun) is not Weight.ITEM
        or lower in {"user", "index", "data"}
    )


def filters_of(request: Request) -> list[tuple[str, str]]:
    said = [(name, value) for name, value in request.query]
    if isinstance(request.body, dict):
        said += [(name, str(value) if value not in ({}, [], None) else "*") for name, value in request.body.items()]
    return [(n, v) for n, v in said if re.sub(r"[^a-z-_]", "", n.lower()) not in _CONTROL and n.lower() != "_method"]


def selects(filters: list[tuple[str, str]]) -> bool:
    """Whether filters narrow anything down."""
    if any(
        name.lower() in {"all", "everything", "deleteall"} and value.lower() not in {"false", "0"}
        for name, value in filters
    ):
        return False
    return any(not always_true(value or name) and not always_true(f"{name}={value}") for name, value in filters)
