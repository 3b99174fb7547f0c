"""SELECT, INSERT and what else moves rows in and out."""

from __future__ import annotations

from collections.abc import Sequence

from reactor_core.safety import paths
from reactor_core.safety.scope import unclear
from reactor_core.safety.sql.changes import judge_assignments
from reactor_core.safety.sql.constants import fold_text
from reactor_core.safety.sql.functions import arguments, calls, judge_functions
from reactor_core.safety.sql.names import Name, Worth, read_name
from reactor_core.safety.sql.secrets import secret_shown
from reactor_core.safety.sql.session import Session, group_starts, has, loss, position, upper_at
from reactor_core.safety.sql.tokens import Group, Kind, Node, Token
from reactor_core.safety.verdict import Effect, Finding, Scale, Verdict, found

__all__ = ["fold_nodes", "judge_copy", "judge_insert", "judge_select", "nested_statements"]

_HEADS = ("SELECT", "WITH", "DELETE", "UPDATE", "INSERT", "MERGE", "REPLACE", "VALUES", "TABLE", "FROM")
_SET_WORDS = ("UNION", "EXCEPT", "INTERSECT", "MINUS")


def nested_statements(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """Findings of every statement in brackets, at any depth: subqueries and the parts of WITH."""
    findings: list[Finding] = []
    for node in nodes:
        if isinstance(node, Group):
            findings += (
                session.judge_all(node.inner) if group_starts(node, *_HEADS) else nested_statements(session, node.inner)
            )
    return findings


def judge_select(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``SELECT ...``: what it shows, where it puts it, and what its functions do."""
    findings = nested_statements(session, nodes)
    flat = [_unnested(node) for node in nodes]
    restricted = position(nodes, "WHERE") >= 0 and position(nodes, "FROM") >= 0
    findings += judge_functions(session, flat, restricted=restricted)
    ends = [at for at in (position(nodes, "FROM"), position(nodes, "INTO"), position(nodes, *_SET_WORDS)) if at > 0]
    projection = list(nodes[1 : min(ends, default=len(nodes))])
    if nodes and nodes[0].upper == "FROM":  # DuckDB's short form shows everything
        projection = [Token(Kind.OPERATOR, "*", "*")]
    shown = secret_shown(projection, _tables(nodes))
    if shown:
        findings.append(found("C8", f"shows {shown}", Effect(shown, Scale.MANY, secret=True)))
    findings += _into(session, nodes)
    _assigned(session, nodes)
    later = position(nodes, *_SET_WORDS, start=1)
    if later > 0:
        rest = nodes[later + 2 if upper_at(nodes, later + 1) in ("ALL", "DISTINCT") else later + 1 :]
        if rest and rest[0].upper in _HEADS:
            findings += session.judge_all(rest)
    return findings


def _unnested(node: Node) -> Node:
    """A node without the statements in it, which are judged on their own."""
    if not isinstance(node, Group):
        return node
    return Group(()) if group_starts(node, *_HEADS) else Group(tuple(_unnested(one) for one in node.inner))


def _tables(nodes: Sequence[Node]) -> list[str]:
    tables = []
    for at, node in enumerate(nodes):
        if node.upper in ("FROM", "JOIN"):
            name, behind = read_name(nodes, at + 1)
            if name.parts and not (behind < len(nodes) and isinstance(nodes[behind], Group)):
                tables.append(str(name))
    return tables


def _assigned(session: Session, nodes: Sequence[Node]) -> None:
    """``SELECT @s = 'text'`` and ``SELECT @s := 'text'`` set variables."""
    for part in arguments(nodes[1:]):
        if len(part) < 3 or not isinstance(part[0], Token) or part[0].kind is not Kind.PARAMETER:
            continue
        if isinstance(part[1], Token) and part[1].raw in ("=", ":="):
            session.variables[part[0].raw.lower().lstrip("@:")] = fold_nodes(session, part[2:])


def fold_nodes(session: Session, nodes: Sequence[Node]) -> str | None:
    """Text of an expression if all of it is known."""
    from_at = position(nodes, "FROM")
    text, known, decoded = fold_text(
        _text(nodes[: from_at if from_at >= 0 else None]), session.flavour, session.variables
    )
    if decoded and text is not None:
        session.hidden.add(text)
    return text if known else None


def _text(nodes: Sequence[Node]) -> str:
    return " ".join(f"({_text(node.inner)})" if isinstance(node, Group) else node.raw for node in nodes)


def _into(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    at = position(nodes, "INTO")
    if at < 0:
        return []
    what = upper_at(nodes, at + 1)
    if what in ("OUTFILE", "DUMPFILE"):
        target = nodes[at + 2] if at + 2 < len(nodes) else None
        path = target.text if isinstance(target, Token) and target.kind is Kind.STRING else None
        return [_written(session, path, _text(nodes[:at]))]
    if what in ("TEMP", "TEMPORARY", "UNLOGGED", "TABLE"):
        at += 1 + (upper_at(nodes, at + 2) == "TABLE")
    name, _ = read_name(nodes, at + 1)
    if what in ("TEMP", "TEMPORARY") or session.worth(name) is Worth.TEMPORARY:
        session.made.add(str(name).lower())
        return []
    if "," in _text(nodes[at + 1 : at + 3]) or not name.parts or session.flavour in ("mysql", "oracle"):
        return []  # SELECT ... INTO variables
    session.made.add(str(name).lower())
    return [] if session.worth(name) is Worth.SCRATCH else [found("C3", f"makes the table {name}", Effect(str(name)))]


def _written(session: Session, path: str | None, content: str = "") -> Finding:
    """A file of the server is written."""
    if path is None:
        return unclear("the server writes a file that is not known")
    web = any(part in path for part in ("/www", "htdocs", "public_html", "wwwroot")) or path.startswith("\\\\")
    if web or "<?" in content:
        return found("B5", f"the server writes {path}, which others can call", Effect(path, reversible=False))
    seen = paths.overwriting(paths.normal(path, session.scope), session.scope)
    if seen is not None and seen.verdict is Verdict.BLOCK:
        return seen
    return found("C5", f"the server writes the file {path}", Effect(path, reversible=False))


def judge_insert(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``INSERT ...`` and ``REPLACE INTO ...``: one row is ordinary work, many rows or replaced ones are asked."""
    findings = nested_statements(session, nodes)
    findings += judge_functions(session, [_unnested(node) for node in nodes], restricted=True)
    at = 1
    replaces = nodes[0].upper == "REPLACE" or has(nodes, "OR", "REPLACE")
    while upper_at(nodes, at) in (
        "INTO", "OVERWRITE", "TABLE", "IGNORE", "OR", "REPLACE", "ABORT", "FAIL", "ROLLBACK", "LOW_PRIORITY",
        "DELAYED", "HIGH_PRIORITY", "TOP", "ALL", "FIRST", "LOCAL",
    ):  # fmt: skip
        at += 1
    if upper_at(nodes, at) == "FUNCTION":
        return [*findings, found("C7", "writes to a place outside of the database", Effect("function", outward=True))]
    target, behind = read_name(nodes, at)
    value = session.worth(target)
    if value is Worth.TEMPORARY:
        return findings
    if position(nodes[:at], "OVERWRITE") >= 0:
        lost = loss(session, target, "replaces", every=position(nodes, "PARTITION") < 0)
        return [*findings, lost] if lost else findings
    query = position(nodes, "SELECT", "WITH", "TABLE", "EXEC", "EXECUTE", start=behind)
    values = position(nodes, "VALUES", "VALUE", start=behind)
    effect = Effect(str(target), Scale.ITEM, reversible=False)
    if value is Worth.CATALOGUE:
        return [*findings, found("B5", f"writes into {target}, which the server keeps itself in", effect)]
    if upper_at(nodes, query) in ("EXEC", "EXECUTE"):
        return [*findings, *session.judge_all(nodes[query:])]
    updates = has(nodes, "DO", "UPDATE") or has(nodes, "ON", "DUPLICATE", "KEY", "UPDATE")
    if replaces or updates:
        return [*findings, found("C3", f"may overwrite rows of {target}", effect)]
    if values >= 0:
        rows = sum(isinstance(node, Group) for node in nodes[values + 1 : _end(nodes, values)])
        if rows > 1:
            return [*findings, found("C3", f"adds {rows} rows to {target}", effect)]
        return [*findings, *_rights(str(target), effect), *_given(nodes, behind, values, target)]
    makes = {"GENERATE_SERIES", "UNNEST", "RANGE", "NUMBERS", "GENERATE_ARRAY", "GENERATOR"}
    if query >= 0 and {name.upper() for name, _ in calls(nodes[query:])} & makes:
        return [*findings, found("C3", f"adds many rows to {target}", effect)]
    selects = query >= 0 or any(group_starts(node, "SELECT", "WITH") for node in nodes[behind:])
    if selects and (
        position(nodes, "FROM", start=max(query, 0)) >= 0 or query < 0 or upper_at(nodes, query) != "SELECT"
    ):
        return [*findings, found("C3", f"adds the rows of a query to {target}", effect)]
    return findings


def _given(nodes: Sequence[Node], behind: int, values: int, target: Name) -> list[Finding]:
    """What the columns of one added row stand for."""
    columns = nodes[behind] if behind < len(nodes) else None
    row = nodes[values + 1] if values + 1 < len(nodes) else None
    if not isinstance(columns, Group) or not isinstance(row, Group):
        return []
    pairs = zip(arguments(columns.inner), arguments(row.inner), strict=False)
    equals = Token(Kind.OPERATOR, "=", "=")
    return judge_assignments([node for left, right in pairs for node in (*left, equals, *right)], target)


def _rights(target: str, effect: Effect) -> list[Finding]:
    last = target.rpartition(".")[2].lower()
    if last in ("admins", "administrators", "superusers", "sudoers", "user_roles", "role_members", "role_assignments",
                "user_permissions", "roles_users"):  # fmt: skip
        return [found("C5", f"gives somebody rights through {target}", effect)]
    return []


def _end(nodes: Sequence[Node], start: int) -> int:
    end = position(nodes, "ON", "RETURNING", "AS", start=start)
    return end if end >= 0 else len(nodes)


def judge_copy(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``COPY ... FROM|TO ...`` of PostgreSQL, Snowflake, Redshift and DuckDB, and psql's ``\\copy``."""
    findings = nested_statements(session, nodes)
    name, _ = read_name(nodes, 2 if upper_at(nodes, 1) == "INTO" else 1)
    into, outward = upper_at(nodes, 1) == "INTO", position(nodes, "TO", "FROM")
    if outward < 0:
        return [*findings, unclear("copies from or to a place that is not known")]
    program = upper_at(nodes, outward + 1) == "PROGRAM"
    target = nodes[outward + (2 if program else 1)] if outward + (2 if program else 1) < len(nodes) else None
    text = target.text if isinstance(target, Token) else None
    if program:
        if not isinstance(target, Token) or target.kind is not Kind.STRING or text is None:
            return [*findings, unclear("the server runs a command that is not known")]
        inner = session.scope.nested("shell", text)
        if upper_at(nodes, outward) == "TO" and any(one.effect.outward for one in inner.findings):
            gone = Effect(str(name) or "rows", Scale.MANY, reversible=False, outward=True)
            return [*findings, *inner.findings, found("B5", "sends rows to another host", gone)]
        asks = unclear("the server runs a command of the system", part=text)
        return [*findings, *inner.findings, asks]
    if upper_at(nodes, outward) == "TO":
        if upper_at(nodes, outward + 1) in ("STDOUT", "PSTDOUT"):
            shown = secret_shown([Token(Kind.OPERATOR, "*", "*")], [str(name)])
            return [*findings, found("C8", f"shows {shown}", Effect(shown, secret=True))] if shown else findings
        if text is not None and "://" in text:
            return [*findings, found("C7", f"sends {name} to {text}", Effect(text, Scale.MANY, outward=True))]
        if session.flavour == "client" and text is not None:
            written = paths.overwriting(paths.normal(text, session.scope), session.scope)
            return [*findings, written] if written is not None else findings
        return [*findings, _written(session, text)]
    if into and text is not None and name.parts and (name.parts[0].startswith("@") or "://" in name.parts[0]):
        return [*findings, found("C7", f"unloads into {name}", Effect(str(name), Scale.MANY, outward=True))]
    if session.worth(name) is Worth.TEMPORARY:
        return findings
    return [*findings, found("C3", f"loads many rows into {name}", Effect(str(name), Scale.MANY, reversible=False))]
