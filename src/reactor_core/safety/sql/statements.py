"""One statement to the judge of its head, and the words of procedures around statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reactor_core.safety.scope import unclear
from reactor_core.safety.sql.changes import judge_delete, judge_merge, judge_update
from reactor_core.safety.sql.clients import judge_client
from reactor_core.safety.sql.names import read_name
from reactor_core.safety.sql.objects import judge_alter, judge_create, judge_drop, judge_truncate
from reactor_core.safety.sql.procedures import judge_call, judge_execute, judge_prepare
from reactor_core.safety.sql.queries import (
    fold_nodes,
    judge_copy,
    judge_insert,
    judge_select,
    nested_statements,
)
from reactor_core.safety.sql.rights import judge_account, judge_grant, judge_revoke
from reactor_core.safety.sql.server import HARMLESS, SERVER, judge_pragma, judge_server, judge_set
from reactor_core.safety.sql.session import Session, has, is_mark, position, upper_at
from reactor_core.safety.sql.tokens import Group, Kind, Node, Token, text_of
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["HEADS", "judge_statement"]

_CHANGES: dict[str, Callable[[Session, Sequence[Node]], list[Finding]]] = {
    "DELETE": judge_delete,
    "UPDATE": judge_update,
    "MERGE": judge_merge,
}
_JUDGES: dict[str, Callable[[Session, Sequence[Node]], list[Finding]]] = {
    "SELECT": judge_select,
    "FROM": judge_select,
    "VALUES": judge_select,
    "TABLE": judge_select,
    "INSERT": judge_insert,
    "REPLACE": judge_insert,
    "UPSERT": judge_insert,
    "COPY": judge_copy,
    "DROP": judge_drop,
    "TRUNCATE": judge_truncate,
    "GRANT": judge_grant,
    "REVOKE": judge_revoke,
    "DENY": judge_revoke,
    "SET": judge_set,
    "PRAGMA": judge_pragma,
    "EXEC": judge_execute,
    "EXECUTE": judge_execute,
    "CALL": judge_call,
    "PREPARE": judge_prepare,
}
_TRANSACTION = (
    "TRAN", "TRANSACTION", "WORK", "READ", "ISOLATION", "DEFERRED", "IMMEDIATE", "EXCLUSIVE", "CONCURRENT",
    "ATOMIC", "DISTRIBUTED", "NOT",
)  # fmt: skip
_NARROWING = ("WHERE", "LIMIT", "JOIN", "GROUP", "HAVING", "TOP", "FETCH", "UNION", "EXCEPT", "INTERSECT", "DISTINCT")
_BLOCK = ("BEGIN", "ELSE", "LOOP", "THEN", "ELSIF", "ELSEIF", "EXCEPTION", "TRY", "DO", "REPEAT")
HEADS = frozenset({
    *_JUDGES, *_CHANGES, *SERVER, *HARMLESS, *_BLOCK, "WITH", "CREATE", "ALTER", "IF", "WHILE", "FOR", "FOREACH",
    "DECLARE", "MATCH", "EXPLAIN", "DESCRIBE", "DESC", "PROFILE", "CASE", "WHEN", "UNTIL",
})  # fmt: skip
"""Words that a statement can begin with."""


def judge_statement(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """What one statement does; an unknown one is asked."""
    session.scope.effort.spend(1 + len(nodes) // 16)
    nodes = _without_marks(nodes)
    if not nodes:
        return []
    first = nodes[0]
    if isinstance(first, Group):
        return [
            *judge_statement(session, first.inner),
            *nested_statements(session, nodes[1:]),
            *_after_group(session, nodes[1:]),
        ]
    if first.kind is Kind.CLIENT:
        return judge_client(session, first.text)
    head = first.upper
    if session.plan_only and head != "SET":
        return [found("A4", "is only planned")]
    if head in ("EXPLAIN", "DESCRIBE", "DESC", "PROFILE"):
        return _explain(session, nodes)
    if head in _CHANGES:
        return [*nested_statements(session, nodes), *_CHANGES[head](session, nodes)]
    if head == "WITH":
        return _with(session, nodes)
    if head in ("CREATE", "ALTER"):
        return _define(session, nodes, head)
    if head in _JUDGES:
        return _JUDGES[head](session, nodes)
    return _procedural(session, nodes, head)


def _without_marks(nodes: Sequence[Node]) -> Sequence[Node]:
    """Without labels, delimiters and semicolons in front, and a hint of the driver such as ``{call ...}``."""
    at = 0
    while at < len(nodes):
        node = nodes[at]
        if isinstance(node, Token) and (
            node.raw in (";", "/", "$", "<", ">", "<<", ">>", "{", "}", "@") or node.upper == "GO"
        ):
            at += 1
            continue
        labelled = (
            at + 1 < len(nodes) and is_mark(nodes[at + 1], ":") and isinstance(node, Token) and node.upper not in HEADS
        )
        if labelled:
            at += 2
            continue
        break
    return nodes[at:]


def _after_group(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """What follows a bracketed query: ``(SELECT ...) UNION SELECT ...``."""
    at = position(nodes, "SELECT", "DELETE", "UPDATE", "INSERT", "DROP", "TRUNCATE")
    return judge_statement(session, nodes[at:]) if at >= 0 else []


def _explain(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """Only ANALYZE executes what is explained."""
    at, runs = 1, False
    while at < len(nodes):
        node = nodes[at]
        if (
            isinstance(node, Group)
            and at == 1
            and not (node.inner and node.inner[0].upper in ("SELECT", "WITH", "DELETE"))
        ):
            words = [one.upper or text_of([one]).upper() for one in node.inner]
            if "ANALYZE" in words or "ANALYSE" in words:
                behind = words[words.index("ANALYZE" if "ANALYZE" in words else "ANALYSE") + 1 :]
                runs = not (behind and behind[0] in ("FALSE", "OFF", "0"))
        elif node.upper in ("ANALYZE", "ANALYSE"):
            runs = True
        elif (
            node.upper
            not in (
                "VERBOSE",
                "EXTENDED",
                "PLAN",
                "FOR",
                "QUERY",
                "FORMAT",
                "COSTS",
                "BUFFERS",
                "AST",
                "SYNTAX",
            )
            and not is_mark(node, "=")
            and upper_at(nodes, at - 1) != "FORMAT"
            and not is_mark(nodes[at - 1], "=")
        ):
            break
        at += 1
    if runs or nodes[0].upper == "PROFILE":
        return judge_statement(session, nodes[at:])
    return [found("A4", "shows the plan only")]


def _with(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``WITH a AS (...) statement``."""
    main = position(
        nodes, "SELECT", "DELETE", "UPDATE", "INSERT", "MERGE", "REPLACE", "VALUES", "TABLE", "FROM", start=1
    )
    for at, node in enumerate(nodes[:main] if main >= 0 else ()):
        if isinstance(node, Group) and upper_at(nodes, at - 1) == "AS" and upper_at(node.inner, 0) == "SELECT":
            source = position(node.inner, "FROM")
            table = read_name(node.inner, source + 1)[0] if source >= 0 else None
            named = nodes[at - 2] if at > 1 else None
            if table is not None and isinstance(named, Token) and position(node.inner, *_NARROWING) < 0:
                session.whole[named.text.lower()] = table.last
    grows = any(isinstance(node, Group) and _endless(node.inner) for node in nodes[: max(main, 0)])
    if upper_at(nodes, 1) == "RECURSIVE" and grows and main >= 0 and position(nodes, "LIMIT", "TOP", start=main) < 0:
        writes = upper_at(nodes, main) in ("INSERT", "MERGE")
        says = "goes on without end"
        return [
            found("B6" if writes else "C4", says, Effect("server", Scale.ALL)),
            *judge_statement(session, nodes[main:]),
        ]
    findings = nested_statements(session, nodes[: main if main >= 0 else len(nodes)])
    return [*findings, *judge_statement(session, nodes[main:])] if main >= 0 else findings


def _endless(nodes: Sequence[Node]) -> bool:
    """Whether the recursive part of a query has nothing that ends it."""
    union = position(nodes, "UNION")
    return union >= 0 and position(nodes, "WHERE", "LIMIT", "JOIN", "TOP", start=union) < 0


def _define(session: Session, nodes: Sequence[Node], head: str) -> list[Finding]:
    words = [node.upper for node in nodes[1:6]]
    kind = next((word for word in words if word not in ("OR", "REPLACE", "", "IF", "NOT", "EXISTS")), "")
    if kind in ("USER", "ROLE", "LOGIN", "GROUP") and "MAPPING" not in words:
        return judge_account(session, nodes)
    if head == "CREATE":
        return judge_create(session, nodes)
    if words[:2] == ["DEFAULT", "PRIVILEGES"]:
        at = position(nodes, "GRANT", "REVOKE")
        return judge_statement(session, nodes[at:]) if at >= 0 else []
    if words[:1] == ["SESSION"] and "SET" in words:
        return judge_set(session, nodes)
    if words[:2] == ["SERVER", "ROLE"]:
        return judge_account(session, [nodes[0], *nodes[2:]])
    if words[:1] == ["SYSTEM"]:
        if "KILL" in words:
            return [found("C4", "ends a session", Effect("session"))]
        if "SET" in words or "RESET" in words:
            return judge_set(session, nodes)
        return [found("C5", "steers the server", Effect(text_of(nodes[1:4])))]
    return judge_alter(session, nodes)


def _procedural(session: Session, nodes: Sequence[Node], head: str) -> list[Finding]:
    if head == "BEGIN" and "BATCH" in (upper_at(nodes, 1), upper_at(nodes, 2)):
        return judge_statement(session, nodes[position(nodes, "BATCH") + 1 :])
    if head == "BEGIN" and (len(nodes) == 1 or upper_at(nodes, 1) in _TRANSACTION):
        return []
    if head == "END" or (head == "EXIT" and len(nodes) <= 2):
        at = position(nodes, "ELSE", *_CHANGES, "DROP", "TRUNCATE", "EXEC", start=1)
        return judge_statement(session, nodes[at:]) if at > 0 else []
    if head == "DO" and len(nodes) > 1:
        body = next((node for node in nodes[1:] if isinstance(node, Token) and node.kind is Kind.STRING), None)
        if body is not None and upper_at(nodes, 1) in ("", "LANGUAGE"):
            at = position(nodes, "LANGUAGE")
            language = nodes[at + 1] if 0 <= at < len(nodes) - 1 else None
            if isinstance(language, Token) and language.text.lower().startswith("plpython"):
                return list(session.scope.nested("python", body.text).findings)
            return session.text(session, body.text)
    if head in ("IF", "WHILE", "FOR", "FOREACH", "ELSIF", "ELSEIF", "WHEN", "UNTIL", "CASE", "EXCEPTION"):
        return _branch(session, nodes, head)
    if head in _BLOCK:
        return judge_statement(session, nodes[1 + (upper_at(nodes, 1) in ("TRY", "CATCH")) :])
    if head == "DECLARE":
        return _declare(session, nodes)
    if head in SERVER:
        return judge_server(session, nodes)
    if head == "USE":
        session.schema = str(read_name(nodes, 2 if upper_at(nodes, 1) in ("DATABASE", "SCHEMA") else 1)[0])
        return []
    if head == "COMMENT":
        name = read_name(nodes, 3)[0]
        worth = session.worth(name).name
        return (
            []
            if worth in ("SCRATCH", "TEMPORARY")
            else [found("C3", f"changes the comment of {name}", Effect(str(name)))]
        )
    if head in ("COMMIT", "ROLLBACK") and upper_at(nodes, 1) == "PREPARED":
        return [found("C3", "ends a transaction of another session", Effect(text_of(nodes[2:])))]
    if head == "DETACH" and upper_at(nodes, 1) in ("TABLE", "PARTITION", "DICTIONARY", "VIEW", "MATERIALIZED"):
        return [found("C4", "takes a table out of use", Effect(text_of(nodes[2:])))]
    if head == "START" and len(nodes) > 1 and upper_at(nodes, 1) not in ("TRANSACTION", "SLAVE", "REPLICA"):
        return [unclear(f"runs {text_of(nodes[1:])}")]
    if head == "SPOOL":
        return judge_client(session, "\\" + text_of(nodes).replace("SPOOL", "spool"))
    if head == "RESET" and upper_at(nodes, 1) in ("MASTER", "BINARY", "SLAVE", "REPLICA", "QUERY", "PERSIST"):
        whole = upper_at(nodes, 1) in ("MASTER", "BINARY")
        return [found("B3" if whole else "C4", "removes logs that could be restored from", Effect(reversible=False))]
    if head == "START" and upper_at(nodes, 1) in ("SLAVE", "REPLICA", "GROUP_REPLICATION"):
        return [found("C4", "starts the replication", Effect("replication"))]
    if head == "LOCK" and upper_at(nodes, 1) != "":
        return [found("C4", "locks tables for others", Effect(text_of(nodes[1:])))]
    if head == "MATCH":
        return _cypher(nodes)
    if head.startswith(("SP_", "XP_")):  # T-SQL runs a procedure that begins a text without EXEC
        return judge_execute(session, [Token(Kind.WORD, "EXEC", "EXEC"), *nodes])
    if head in HARMLESS:
        return [*nested_statements(session, nodes), *_functions(session, nodes, head)]
    return _assignment(session, nodes)


def _functions(session: Session, nodes: Sequence[Node], head: str) -> list[Finding]:
    if head in ("PERFORM", "RETURN", "PRINT"):
        return judge_select(session, [Token(Kind.WORD, "SELECT", "SELECT"), *nodes[1:]])
    return []


def _branch(session: Session, nodes: Sequence[Node], head: str) -> list[Finding]:
    """Every branch is judged: which one is taken only the server knows."""
    at = 1
    findings: list[Finding] = []
    starts = HEADS - {
        "IF", "EXISTS", "NULL", "WHEN", "CASE", "MATCH", "REPLACE", "RETURN", "FROM", "TABLE", "VALUES", "REMOVE",
        "STATS", "INFO", "CHANGES", "USING", "COLUMN", "SYSTEM", "SECURITY", "RM", "LS", "GET", "LIST", "ADD",
    }  # fmt: skip
    if head in ("FOR", "FOREACH"):
        starts = starts & {"LOOP", "DO"}
    while at < len(nodes) and nodes[at].upper not in starts:
        at += 1
    before = nodes[1:at]
    findings += nested_statements(session, before)
    if head in ("FOR", "FOREACH"):
        query = position(before, "SELECT", "WITH", "DELETE", "UPDATE", "INSERT", "EXECUTE")
        findings += judge_statement(session, before[query:]) if query >= 0 else []
    if at >= len(nodes):
        return findings
    was, session.looping = session.looping, session.looping or head in ("WHILE", "FOR", "FOREACH")
    findings += judge_statement(session, nodes[at:])
    session.looping = was or (session.looping and upper_at(nodes, at) in ("BEGIN", "LOOP", "DO"))
    other = position(nodes, "ELSE", start=at + 1)
    return [*findings, *judge_statement(session, nodes[other + 1 :])] if other > 0 and head == "IF" else findings


def _declare(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``DECLARE @a int = 1, @b TABLE (...)`` and ``DECLARE a text := 'x'``; a cursor only reads."""
    cursor = position(nodes, "CURSOR")
    if cursor >= 0:
        query = position(nodes, "SELECT", "WITH", start=cursor)
        return judge_statement(session, nodes[query:]) if query >= 0 else []
    return _assignment(session, nodes[1:], known=True)


def _assignment(session: Session, nodes: Sequence[Node], *, known: bool = False) -> list[Finding]:
    """``name [type] := value`` and ``@name type = value``; everything else here is not understood."""
    at = 0
    while at < len(nodes):
        name = nodes[at]
        mark = next(
            (i for i in range(at, len(nodes)) if isinstance(one := nodes[i], Token) and one.raw in (":=", "=", ",")), -1
        )
        if mark > 0 and not is_mark(nodes[mark], ",") and isinstance(name, Token):
            comma = next((i for i in range(mark, len(nodes)) if is_mark(nodes[i], ",")), len(nodes))
            session.variables[name.raw.lower().lstrip("@:")] = fold_nodes(session, nodes[mark + 1 : comma])
            known = known or is_mark(nodes[mark], ":=") or name.kind is Kind.PARAMETER
            at = comma + 1
            continue
        if mark < 0:
            break
        at = mark + 1
    if known or (nodes and position(nodes, "RECORD", "INT", "INTEGER", "TEXT", "VARCHAR2", "NUMBER", "BOOLEAN") == 1):
        return []
    if has(nodes, "DETACH", "DELETE"):
        return _cypher(nodes)
    return [unclear(f"the statement {text_of(nodes)[:60]!r} is not understood")]


def _cypher(nodes: Sequence[Node]) -> list[Finding]:
    """``MATCH (n) DETACH DELETE n`` of graph databases."""
    if position(nodes, "DELETE", "SET", "REMOVE", "CREATE", "MERGE") < 0:
        return []
    bounded = position(nodes, "WHERE", "LIMIT") >= 0 or any(
        "{" in text_of([node]) for node in nodes if isinstance(node, Group)
    )
    if bounded:
        return [found("C3", "changes some nodes of a graph", Effect("graph", Scale.ITEM, reversible=False))]
    return [found("B3", "changes every node of a graph", Effect("graph", Scale.ALL, reversible=False))]
