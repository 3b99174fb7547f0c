"""The judge of SQL: every dialect's reading of a text, and the worst of them.

A text is read as PostgreSQL, MySQL, T-SQL and Oracle would, because they differ in what is a string, a name and
a comment. Where the readings differ, those that no parser of their dialect takes are dropped, and the strictest of the
others holds. Statements are split and taken apart by their words; conditions and texts that are put together at run
time are computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlglot
from sqlglot.errors import SqlglotError

from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.sql.chains import is_chain, judge_chain
from reactor_core.safety.sql.constants import DIALECTS
from reactor_core.safety.sql.names import Name, read_name
from reactor_core.safety.sql.session import Session, has, is_mark, upper_at
from reactor_core.safety.sql.statements import HEADS, judge_statement
from reactor_core.safety.sql.tokens import FLAVOURS, Group, Kind, Node, Token, grouped, lex, text_of
from reactor_core.safety.verdict import Finding, Judged, Touch, worst

__all__ = ["judge"]

_READ_AS = {
    "mysql": "mysql", "mariadb": "mysql", "tidb": "mysql", "singlestore": "mysql", "tsql": "tsql", "mssql": "tsql",
    "sqlserver": "tsql", "postgres": "postgres", "postgresql": "postgres", "redshift": "postgres",
    "cockroachdb": "postgres", "duckdb": "postgres",
}  # fmt: skip
_ROUTINES = ("PROCEDURE", "PROC", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE")
_RUN_ON = frozenset({
    "SELECT", "DELETE", "UPDATE", "INSERT", "SET", "DECLARE", "PRINT", "USE", "DROP", "TRUNCATE", "EXEC", "BEGIN",
    "ROLLBACK", "COMMIT",
})  # fmt: skip
_PARSED_UP_TO = 20_000
"""Characters up to which a parser is asked which readings count; of a longer text all do."""
_PARSED = frozenset({"SELECT", "WITH", "DELETE", "UPDATE", "INSERT", "TABLE", "VALUES", "DROP", "TRUNCATE"})
_NEXT = {
    "DROP": ("TABLE", "DATABASE", "SCHEMA", "VIEW", "INDEX", "USER", "LOGIN", "PROCEDURE", "PROC", "TRIGGER"),
    "TRUNCATE": ("TABLE",), "ALTER": ("TABLE", "DATABASE", "LOGIN", "ROLE", "SERVER"),
    "CREATE": ("TABLE", "LOGIN", "USER"), "DELETE": ("FROM",), "EXEC": (), "SHUTDOWN": (), "INSERT": ("INTO",),
    "BACKUP": ("DATABASE", "LOG"), "MERGE": ("INTO",),
}  # fmt: skip


def judge(text: str, scope: Scope) -> Judged:
    """What a text of SQL does; see the module."""
    known = scope.dialect.lower()
    plain = grouped(lex(text, "postgres"))
    first = next((part for part in _statements(plain) if part), [])
    if is_chain(first) and (upper_at(first, 0) not in HEADS or is_mark(first[1], "::") or is_mark(first[1], ".")):
        return _chain(text, scope)
    flavours = (_READ_AS.get(known, "oracle"),) if known else FLAVOURS
    readings: dict[tuple[tuple[Kind, str], ...], tuple[str, list[Token]]] = {}
    for flavour in flavours:
        tokens = lex(text, flavour)
        key = tuple((token.kind, token.raw) for token in tokens)
        if flavour == "mysql" and any(token.raw == "||" for token in tokens):
            key = (*key, (Kind.ODD, "||"))  # the same tokens mean another thing: || is OR
        readings.setdefault(key, (flavour, tokens))
    kept = list(readings.values())
    if len(kept) > 1 and len(text) < _PARSED_UP_TO:
        taken = [reading for reading in kept if _accepted(*reading, strict=True)]
        kept = taken or [reading for reading in kept if _accepted(*reading, strict=False)] or kept
    best: tuple[tuple[Finding, ...], tuple[str, ...], tuple[Touch, ...]] | None = None
    for flavour, tokens in kept:
        session = Session(scope, flavour, judge_statement, _nested_text)
        parts = list(_statements(grouped(tokens)))
        findings = [finding for part in parts for finding in _placed(session, part)]
        if any(token.kind is Kind.ODD for token in tokens):
            findings.append(unclear("a part of the text is not SQL that any dialect reads"))
        if best is None or worst(one.verdict for one in findings).rank > worst(one.verdict for one in best[0]).rank:
            resolved = tuple(text_of(part) for part in parts if part)
            best = (tuple(findings), resolved, tuple(touch for part in parts for touch in _touches(part)))
    assert best is not None, "there is always one reading"
    return Judged(*best)


def _chain(text: str, scope: Scope) -> Judged:
    """A text that is no SQL but calls what reaches a database."""
    session = Session(scope, "mysql", judge_statement, _nested_text)
    parts = [part for part in _statements(grouped(lex(text, "mysql"))) if part]
    findings = judge_chain(session, parts[0], text)
    for part in parts[1:]:
        findings += judge_chain(session, part, text_of(part)) if is_chain(part) else judge_statement(session, part)
    return Judged(tuple(findings), tuple(text_of(part) for part in parts))


def _placed(session: Session, part: Sequence[Node]) -> Iterator[Finding]:
    for finding in judge_statement(session, part):
        yield (
            finding
            if finding.part
            else Finding(finding.verdict, finding.rule, finding.says, finding.effect, text_of(part)[:300])
        )


def _nested_text(session: Session, text: str) -> list[Finding]:
    """Findings of a text in the same session; read as the text around it."""
    session.scope.effort.spend(1 + len(text) // 64)
    flavour = session.flavour if session.flavour in FLAVOURS else "postgres"
    return [finding for part in _statements(grouped(lex(text, flavour))) for finding in _deeper(session, part)]


def _deeper(session: Session, part: Sequence[Node]) -> list[Finding]:
    return judge_statement(session, part)


def _accepted(flavour: str, tokens: list[Token], *, strict: bool) -> bool:
    """Whether this reading is one that its dialect could take.

    Args:
        flavour: The dialect.
        tokens: The reading.
        strict: The parser has to take it; otherwise it is enough that nothing is left of what
            a misreading leaves behind.
    """
    if any(token.kind is Kind.ODD for token in tokens):
        return False
    return all(not (part and not _parses(part, flavour, strict=strict)) for part in _statements(grouped(tokens)))


def _parses(part: Sequence[Node], flavour: str, *, strict: bool) -> bool:
    first = part[0]
    if isinstance(first, Token) and first.kind in (Kind.CLIENT, Kind.PARAMETER):
        return True
    head = first.upper
    if head not in HEADS and not isinstance(first, Group) and not head.startswith(("SP_", "XP_")):
        return False
    if any(isinstance(node, Token) and node.raw in ("#", "`", "$", "@") for node in part):
        return False
    if part[-1].upper in ("TABLE", "EXISTS", "FROM", "INTO", "WHERE", "UPDATE", "TRUNCATE", "DROP") and len(part) > 1:
        return False  # the name that has to follow was read as a comment
    if head not in _PARSED:
        return len(part) > 1 or head not in ("DROP", "TRUNCATE")
    try:
        sqlglot.parse_one(text_of(part), read=DIALECTS[flavour])
    except (SqlglotError, RecursionError, ValueError, AttributeError, TypeError):
        return not strict
    return True


def _statements(nodes: Sequence[Node]) -> Iterator[list[Node]]:
    """Statements in order: at semicolons, at GO, at commands of the client, and where T-SQL begins the next without."""
    part: list[Node] = []
    routine = depth = 0
    for node in nodes:
        if isinstance(node, Token) and node.kind is Kind.CLIENT:
            yield from _split(part)
            yield [node]
            part, routine, depth = [], 0, 0
            continue
        if routine:
            depth += (node.upper in ("BEGIN", "CASE")) - (node.upper == "END")
        mark = is_mark(node, ";")
        if (mark and not (routine and depth > 0)) or (node.upper == "GO" and node.breaks and not routine):
            yield from _split(part)
            part, routine, depth = [], 0, 0
            continue
        part.append(node)
        if len(part) <= 8 and upper_at(part, 0) in ("CREATE", "ALTER") and node.upper in _ROUTINES:
            routine = 1
    yield from _split(part)


def _split(part: list[Node]) -> Iterator[list[Node]]:
    """T-SQL needs no semicolons: ``SELECT 1 DROP TABLE t`` are two statements."""
    if not part:
        return
    start = 0
    if upper_at(part, 0) in _RUN_ON and not _is_plan(part):
        for at in range(1, len(part)):
            word = part[at].upper
            if word not in _NEXT or (_NEXT[word] and upper_at(part, at + 1) not in _NEXT[word]):
                continue
            before = upper_at(part, at - 1)
            if before in ("ON", "FOR", "THEN", "AFTER", "BEFORE", "OF", "AS", "INTO", "BY", "EXPLAIN") or is_mark(
                part[at - 1], "."
            ):
                continue
            if word == "EXEC" and has(part[start:at], "INSERT"):
                continue
            yield part[start:at]
            start = at
    yield part[start:]


def _is_plan(part: list[Node]) -> bool:
    return upper_at(part, 0) == "DECLARE" and has(part, "CURSOR")


_HOW = {"SELECT": "read", "WITH": "read", "DROP": "delete", "TRUNCATE": "delete", "DELETE": "delete"}


def _touches(part: Sequence[Node]) -> Iterator[Touch]:
    """Tables that a statement names."""
    how = _HOW.get(
        upper_at(part, 0), "write" if upper_at(part, 0) in ("INSERT", "UPDATE", "MERGE", "CREATE", "ALTER") else "read"
    )
    for at, node in enumerate(part):
        if isinstance(node, Group):
            yield from _touches(node.inner)
            continue
        if node.upper not in ("FROM", "JOIN", "INTO", "TABLE", "UPDATE", "TRUNCATE", "USING"):
            continue
        behind = at + 1
        while upper_at(part, behind) in ("TABLE", "IF", "EXISTS", "ONLY", "NOT"):
            behind += 1
        name = read_name(part, behind)[0] if behind < len(part) else Name(())
        if name.parts and name.last.upper() not in HEADS:
            yield Touch("table", str(name).lower(), how if node.upper != "JOIN" else "read")
