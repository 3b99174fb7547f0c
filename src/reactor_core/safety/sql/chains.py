"""Databases reached by chains of calls instead of SQL: ``db.orders.deleteMany({})``, ``knex('t').where(...).del()``.

The shells of document stores and the mappers of other languages are read by the names of their calls: what picks rows,
what reads, and what takes away.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence

from reactor_core.safety.scope import unclear
from reactor_core.safety.sql.names import words_of
from reactor_core.safety.sql.session import Session
from reactor_core.safety.sql.tokens import Group, Kind, Node, Token, text_of
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["is_chain", "judge_chain"]

_LINKS = (".", "->", "::", ":", "?", "!")
_READS = re.compile(
    r"^(?:find|select|get|count|aggregate|distinct|first|last|all|to_?a|pluck|where|filter|limit|take|order|sort|skip|offset"
    r"|explain|pretty|join|include|exist|stats|show|list|group|one|scalar|query|with|raw|table|collection|from|in|not|or|and"
    r"|tocollection|toarray|hint|project|max|min|avg|sum|size|print|to_?sql|prepare|each|lean|populate|exec"
    r"|model|db|use|paginate"
    r"|having|returning|of|then|sibling|commit|connection|connect|connected|describe|is|has|scan|read|sample|total|columns?)",
    re.IGNORECASE,
)
_FILTERS = re.compile(
    r"^(?:where\w*|filter\w*|find|find_?by\w*|findBy\w*|limit|take|match|get|first|last|in|rangeBetween)$"
)
_WHOLE = re.compile(
    r"^(?:drop|drop_?database|drop_?table\w*|drop_?all\w*|drop_?collection|drop_?schema|truncate\w*|drop_?if_?exists|flush\w*"
    r"|dropTableIfExists|purge|sync_force|migrate_fresh|delete_table|dropAllSchemas|remove_?all)$",
    re.IGNORECASE,
)
_PART = re.compile(
    r"^drop_?(?:index\w*|column\w*|foreign\w*|constraint|unique|primary|timestamps|user|role|view)$", re.IGNORECASE
)
_ROWS = re.compile(
    r"^(?:delete|del|destroy|remove|delete_?many|delete_?all|destroy_?all|update|update_?many|update_?all|execute_?delete"
    r"|execute_?update|force_?delete|touch_?all|increment|decrement)$",
    re.IGNORECASE,
)
_ONE = re.compile(
    r"^(?:delete_?one|update_?one|replace_?one|find_?one_?and_?\w+|find_?and_?modify|upsert|destroy!|update!|save|update_?column\w*"
    r"|update_?attribute\w*|insert_?many|create_?many|bulk_?\w+|insert_?all|create_?index\w*|rename\w*|import\w*|toggle!?)$",
    re.IGNORECASE,
)
_TAKES_FILTER = re.compile(r"^(?:delete|remove|destroy|updateMany$|update_many$)", re.IGNORECASE)
_ADDS = re.compile(r"^(?:insert|insert_?one|create|add|push|build|new)!?$", re.IGNORECASE)
_EMPTY = frozenset({"", "{ }", "{}", "null", "None", "nil", "[ ]"})
_ALWAYS = re.compile(r"^\{ _?id : \{ \$ ?(?:exists : true|ne : null|gt(?:e)? : (?:0|'')) \} \}$")


def is_chain(nodes: Sequence[Node]) -> bool:
    """Whether a statement is a chain of calls rather than SQL: names with dots between them, and brackets."""
    rest = _bare(nodes)
    if len(rest) < 2 or not isinstance(rest[0], Token) or rest[0].kind not in (Kind.WORD, Kind.NAME):
        return False
    second = rest[1]
    linked = isinstance(second, Token) and second.raw in (*_LINKS, "=", "[")
    named = isinstance(second, Token) and second.raw in (".", "::") and len(rest) > 2
    return (linked or isinstance(second, Group)) and (named or any(isinstance(node, Group) for node in rest[1:]))


def _bare(nodes: Sequence[Node]) -> list[Node]:
    at = 0
    while at < len(nodes) and nodes[at].upper in ("AWAIT", "RETURN", "CONST", "LET", "VAR"):
        at += 1
    return list(nodes[at:])


def judge_chain(session: Session, nodes: Sequence[Node], text: str) -> list[Finding]:
    """What a chain does. Where it is Python as well, it is followed as such."""
    findings: list[Finding] = []
    snippet = textwrap.dedent(text).strip()
    if _is_python(snippet):
        findings += session.scope.nested("python", snippet).findings
        if "{" not in snippet and "(" in snippet and not snippet.startswith(("db.", "await")):
            return findings
    return [*findings, *_chained(session, nodes)]


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def _calls(nodes: Sequence[Node]) -> list[tuple[str, str]]:
    """Names of calls with the text of their arguments; a last name without brackets is a call too, as in Ruby."""
    rest = _bare(nodes)
    calls: list[tuple[str, str]] = []
    for at, node in enumerate(rest):
        if not isinstance(node, Token) or node.kind not in (Kind.WORD, Kind.NAME, Kind.STRING):
            continue
        behind = rest[at + 1] if at + 1 < len(rest) else None
        if isinstance(behind, Group):
            calls.append((node.text, text_of(behind.inner).strip()))
        elif at and isinstance(before := rest[at - 1], Token) and before.raw in _LINKS:
            calls.append((node.text, ""))
    return calls


def _picks(name: str, given: str) -> bool:
    return bool(_FILTERS.match(name)) and given not in _EMPTY and not _ALWAYS.match(given)


def _chained(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    calls = _calls(nodes)
    if any(name in ("explain", "toSQL", "to_sql", "toString") for name, _ in calls):
        return [found("A4", "shows the plan only")]
    narrowed, findings, target = False, list[Finding](), text_of(nodes[:5])[:60]
    words = {word for name, given in calls[:2] for word in words_of(f"{name} {given[:60]}")} | set(words_of(target))
    whole = "C3" if words & set(session.scope.setting.scratch_words) else "B3"
    gone = Effect(target, Scale.ALL, reversible=False)
    some = Effect(target, Scale.ITEM, reversible=False)
    for at, (name, given) in enumerate(calls):
        last = at >= len(calls) - 1 or all(_READS.match(later) for later, _ in calls[at + 1 :])
        if name in ("runCommand", "adminCommand", "command"):
            findings.append(_command(given, gone))
        elif name == "shutdownServer":
            findings.append(found("B4", "stops the server", gone))
        elif _WHOLE.match(name):
            findings.append(found(whole, f"{name}: all that is in {target} is lost", gone))
        elif _PART.match(name):
            findings.append(found("C3", f"{name} on {target}", some))
        elif _ROWS.match(name):
            inner = given.split("where :", 1)[1].split("}")[0].strip("{ ") if "where :" in given else given
            own = bool(inner) and inner not in _EMPTY and not inner.startswith("{ }") and not _ALWAYS.match(given)
            by_filter = bool(_TAKES_FILTER.match(name))
            filters = own and ((by_filter and "_all" not in name) or (name == "update" and given.startswith("{")))
            picks = narrowed or filters
            says = f"{name} on {target}"
            findings.append(found("C3", says, some) if picks else found(whole, f"{says}: every row", gone))
        elif _ONE.match(name):
            findings.append(found("C3", f"{name} on {target}", some))
        elif name == "aggregate" and re.search(r"\$ ?(?:out|merge)\b", given):
            findings.append(found("C3", "writes what a query gives", some))
        elif name.lower() in ("createuser", "grantrolestouser", "updateuser", "dropuser"):
            findings.append(found("C5", f"{name} on the server", Effect(target, Scale.ITEM, privilege=True)))
        elif not (_ADDS.match(name) or _READS.match(name)) and last and given and at == len(calls) - 1:
            findings.append(unclear(f"{name} is not known", part=target))
        narrowed = narrowed or _picks(name, given)
    return findings


def _command(given: str, gone: Effect) -> Finding:
    key = given.strip("{ ").split(" ")[0].strip("'\"")
    if key in ("shutdown", "replSetStepDown"):
        return found("B4", "stops the server", gone)
    if key in ("drop", "dropDatabase", "dropAllUsersFromDatabase"):
        return found("B3", f"{key}: all is lost", gone)
    if key in ("ping", "serverStatus", "dbStats", "collStats", "listDatabases", "buildInfo", "hello", "isMaster"):
        return found("A1", "reads the state of the server")
    return unclear(f"the command {key} is not known")
