"""Everything that a request names: the fields of its body at any depth, and its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reactor_core.safety.network.request import Request
from reactor_core.safety.verdict import Effect, Scale

__all__ = ["all_fields", "effect_on", "last_word"]


def all_fields(request: Request) -> list[tuple[str, Any]]:
    """Names and values; the name of an inner field stands behind the one that it lies in."""
    return [*_deep(request.body, ""), *request.query]


def _deep(body: Any, above: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Fields with the names of those that they lie in: ``secret_scanning status``."""
    if depth > 12:
        return
    if isinstance(body, dict):
        for name, value in body.items():
            yield f"{above} {name}".strip(), value
            yield from _deep(value, str(name), depth + 1)
    elif isinstance(body, list):
        for one in body[:1000]:
            if isinstance(one, dict | list):
                yield from _deep(one, above, depth + 1)
            else:
                yield above, one


def last_word(name: str) -> str:
    """The field's own name as letters alone: ``payout bank_account`` is ``bankaccount``."""
    return "".join(character for character in name.rpartition(" ")[2].lower() if "a" <= character <= "z")


def effect_on(request: Request, **more: Any) -> Effect:
    """An effect on much of what the request's service keeps."""
    return Effect(request.host or request.path, Scale.MANY, reversible=False, **more)
