"""What a name says about the thing that carries it: production, scratch, or nothing in particular."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from reactor_core.safety.setting import Setting

__all__ = ["NameClass", "name_class", "names_class", "wordset"]

NameClass = Literal["precious", "plain", "scratch"]

_PARTS = re.compile(r"[a-z]+|[0-9]+")
_LESSER = frozenset(
    ["dev", "develop", "development", "test", "tests", "testing", "qa", "sandbox", "demo", "preview", "ephemeral",
    "ci", "stage", "stg", "throwaway", "playground", "example", "local", "localhost", "experiment", "exp", "canary"]
)  # fmt: skip
_PRECIOUS = frozenset({"prd", "live", "main", "primary", "master"})


def name_class(name: str, setting: Setting) -> NameClass:
    """Whether a name says production, scratch or neither. Production wins: ``prod-tmp`` is production."""
    parts = set(_PARTS.findall(name.lower()))
    if parts & {*setting.precious_words, *_PRECIOUS}:
        return "precious"
    if parts & {*setting.scratch_words, *_LESSER}:
        return "scratch"
    return "plain"


def names_class(names: Iterable[str], setting: Setting) -> NameClass:
    """Of several names: precious if one is, scratch if all are."""
    classes = {name_class(name, setting) for name in names}
    if "precious" in classes:
        return "precious"
    return "scratch" if classes == {"scratch"} else "plain"


@lru_cache(maxsize=1024)
def wordset(text: str) -> frozenset[str]:
    """The words of a text, as a set to look things up in."""
    return frozenset(text.split())
