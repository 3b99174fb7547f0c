"""What the name of a table, schema or database says about its worth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from reactor_core.safety.setting import Setting
from reactor_core.safety.sql.tokens import Group, Kind, Node, Token

__all__ = ["Name", "Worth", "read_name", "read_names", "words_of", "worth"]


class Worth(Enum):
    """How much is lost with it."""

    TEMPORARY = "temporary"
    """It lives in the session or in memory, or the same action has made it."""
    SCRATCH = "scratch"
    """Its name says that it is scratch or for development."""
    ORDINARY = "ordinary"
    AUDIT = "audit"
    """Its name says that it is evidence."""
    CATALOGUE = "catalogue"
    """The server keeps itself there."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name with its qualifiers, outermost first. ``known`` is False where a part is computed."""

    parts: tuple[str, ...]
    known: bool = True

    @property
    def last(self) -> str:
        """The name itself, without qualifiers, in small letters."""
        return self.parts[-1].lower() if self.parts else ""

    def __str__(self) -> str:
        return ".".join(self.parts) or "?"


_PARTS = re.compile(r"[a-z]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DEVELOPMENT = frozenset({"dev", "develop", "development", "test", "tests", "testing", "sandbox", "playground", "demo",
                          "dummy", "ci", "qa", "local", "fixture", "fixtures", "throwaway", "junk", "stg"})  # fmt: skip
_AUDIT = re.compile(
    r"(?:^|[._])(?:p?g?audits?|audit(?:_\w+)?|\w+_audits?|\w+_audit_\w+|auditing|aud\$|fga_log\$|general_log"
    r"|security_(?:logs?|events?)|login_(?:history|audit)|access_logs?|compliance_\w+|legal_holds?\w*|litigation_\w*)$"
)
_CATALOGUES = frozenset({"pg_catalog", "information_schema", "mysql", "performance_schema", "sys", "master", "msdb",
                         "sqlite_master", "sqlite_schema", "system"})  # fmt: skip
_CATALOGUE_TABLE = re.compile(
    r"^pg_(?:class|proc|authid|database|roles?|shadow|attribute|index|type|namespace|auth_\w+|statistic|constraint"
    r"|trigger|settings|user|depend|language|extension|tablespace|largeobject)$|^sqlite_(?:master|schema)$"
)
_TEMPORARY = frozenset({"pg_temp", "tempdb"})


def words_of(text: str) -> list[str]:
    """The words that a name is made of: ``tmp_Orders2`` is tmp, orders and 2."""
    return _PARTS.findall(_CAMEL.sub("_", text).lower())


def worth(name: Name, setting: Setting, made: frozenset[str] = frozenset(), place: str = "") -> Worth:
    """What is lost when the thing with this name is.

    Args:
        name: Its name.
        setting: Which words say scratch.
        made: Names that the same action has made, in small letters.
        place: Host or database that it is in, as far as known; ``:memory:`` is no place that lasts.
    """
    whole = str(name).lower()
    if place == ":memory:" or whole in made:
        return Worth.TEMPORARY
    if any(part.startswith(("#", "@")) for part in name.parts[-1:]):
        return Worth.TEMPORARY
    if len(name.parts) > 1 and name.parts[0].lower() in _TEMPORARY:
        return Worth.TEMPORARY
    if any(part.lower() in _CATALOGUES for part in name.parts[:-1]) or _CATALOGUE_TABLE.match(name.last):
        return Worth.AUDIT if _AUDIT.search(whole) else Worth.CATALOGUE
    for part in (*reversed(name.parts), place):
        words = set(words_of(part))
        if words & set(setting.scratch_words) or words & _DEVELOPMENT:
            return Worth.SCRATCH
        if words & set(setting.precious_words):
            break
    if any(_AUDIT.search(part.lower()) for part in name.parts):
        return Worth.AUDIT
    return Worth.ORDINARY


def read_name(nodes: Sequence[Node], start: int = 0) -> tuple[Name, int]:
    """A name that begins at ``start``, and the position behind it. Empty parts if there is none."""
    parts: list[str] = []
    known, at = True, start
    while at < len(nodes):
        node = nodes[at]
        if isinstance(node, Group):
            break
        if node.kind in (Kind.WORD, Kind.NAME, Kind.STRING):
            parts.append(node.text)
        elif node.kind is Kind.PARAMETER:
            parts.append(node.raw)
            known = known and node.raw.startswith("@")
        else:
            break
        at += 1
        if at < len(nodes) and _is_dot(nodes[at]):
            at += 1
            if at < len(nodes) and _is_dot(nodes[at]):
                at += 1
            continue
        break
    if parts and at < len(nodes) and parts[0].upper() == "IDENTIFIER" and isinstance(nodes[at], Group):
        return Name(tuple(parts), known=False), at + 1
    return Name(tuple(parts), known), at


def _is_dot(node: Node) -> bool:
    return isinstance(node, Token) and node.raw == "."


def read_names(nodes: Sequence[Node], start: int = 0) -> tuple[list[Name], int]:
    """Names with commas between them."""
    found: list[Name] = []
    at = start
    while True:
        name, behind = read_name(nodes, at)
        if not name.parts:
            return found, at
        found.append(name)
        at = behind
        while at < len(nodes) and isinstance(nodes[at], Group):
            at += 1
        node = nodes[at] if at < len(nodes) else None
        if not (isinstance(node, Token) and node.raw == ","):
            return found, at
        at += 1
