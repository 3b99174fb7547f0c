"""UPDATE, DELETE and MERGE: whether their conditions pick rows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reactor_core.safety.sql.names import Name, Worth, read_name, read_names
from reactor_core.safety.sql.predicates import Reach, reach
from reactor_core.safety.sql.session import Session, has, is_mark, loss, position, upper_at
from reactor_core.safety.sql.tokens import Group, Kind, Node, Token
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["judge_assignments", "judge_delete", "judge_merge", "judge_update"]

_ENDS = ("RETURNING", "LIMIT", "ORDER", "OPTION", "OUTPUT", "FETCH", "ALLOW", "IF", "PREWHERE", "SETTINGS", "INTO")
_SKIPPED = ("LOW_PRIORITY", "QUICK", "IGNORE", "ONLY", "LATERAL")
_BOUND = 20_000
"""A LIMIT up to this many rows bounds a change."""
_PAYING = re.compile(
    r"(?:^|_)(?:iban|bic|swift|sort_code|routing_number|bank_account|bank_account_number|account_number|payout\w*"
    r"|payee\w*|beneficiary\w*|wallet_address|payment_address|deposit_address)(?:$|_)"
)
_RIGHTS = re.compile(r"^(?:is_?)?(?:admin|administrator|superuser|super_admin|root|owner|staff|sysadmin)$")
_ROLES = re.compile(r"^(?:user_?)?(?:role|roles|access_level|privilege|permission|permissions)$")


def _where(nodes: Sequence[Node]) -> list[Node] | None:
    """What stands after WHERE; None: there is none."""
    at = position(nodes, "WHERE")
    if at < 0:
        return None
    end = position(nodes, *_ENDS, start=at + 1)
    return list(nodes[at + 1 : end if end >= 0 else len(nodes)])


def _limit(nodes: Sequence[Node]) -> int | None:
    """The most rows that LIMIT or TOP lets through; None: no bound that counts."""
    at = position(nodes, "LIMIT", "TOP", "FIRST")
    if at < 0 or at + 1 >= len(nodes):
        return None
    given: Sequence[Node] = [nodes[at + 1]]
    if isinstance(group := nodes[at + 1], Group):
        given = group.inner
    number = given[0] if len(given) == 1 else None
    if upper_at(nodes, at + 2) == "PERCENT" or not isinstance(number, Token) or number.kind is not Kind.NUMBER:
        return None
    return int(float(number.raw)) if number.raw[:2].lower() != "0x" else None


def _tables(nodes: Sequence[Node]) -> dict[str, str]:
    """Tables of a FROM list: alias or name -> last part of the name, in small letters."""
    found_tables: dict[str, str] = {}
    at = 0
    while at < len(nodes):
        opens = (
            at == 0 or is_mark(nodes[at - 1], ",") or upper_at(nodes, at - 1) in ("JOIN", "FROM", "USING", *_SKIPPED)
        )
        name, behind = read_name(nodes, at) if opens else (Name(()), at + 1)
        if not name.parts or name.last.upper() in _SKIPPED:
            at += 1
            continue
        alias = behind + 1 if upper_at(nodes, behind) == "AS" else behind
        node = nodes[alias] if alias < len(nodes) else None
        named = isinstance(node, Token) and node.kind in (Kind.WORD, Kind.NAME) and node.upper not in _AFTER_TABLE
        found_tables[node.text.lower() if named and isinstance(node, Token) else name.last] = str(name).lower()
        at = behind
    return found_tables


_AFTER_TABLE = frozenset([
    "ON", "USING", "WHERE", "SET", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "OUTER",
    "PARTITION", "FROM", "WITH", "VALUES", "ORDER", "LIMIT", "RETURNING", "OUTPUT", "USE", "FORCE", "FINAL",
])  # fmt: skip


def _joined(session: Session, nodes: Sequence[Node], target: str, same: frozenset[str]) -> Reach:
    """What the joins leave of the target: an inner join with a condition picks rows, others do not."""
    best = Reach.EVERY
    at = position(nodes, "JOIN")
    while at >= 0:
        behind = position(nodes, "JOIN", "WHERE", "SET", start=at + 1)
        end = behind if behind >= 0 else len(nodes)
        outer = upper_at(nodes, at - 1) in ("LEFT", "RIGHT", "FULL", "CROSS", "OUTER")
        on = position(nodes[:end], "ON", start=at)
        if not outer and upper_at(nodes, at - 1) == "NATURAL":
            best = Reach.SOME
        elif not outer and on >= 0:
            condition = [node for node in nodes[on + 1 : end] if node.upper not in ("INNER", "LEFT", "RIGHT", "CROSS")]
            if reach(condition, flavour=session.flavour, target=target, same=same) is not Reach.EVERY:
                best = Reach.SOME
        elif not outer and position(nodes[:end], "USING", start=at) >= 0:
            best = Reach.SOME
        at = position(nodes, "JOIN", start=at + 1)
    return best


def _reach(session: Session, nodes: Sequence[Node], target: Name, tables: dict[str, str]) -> Reach:
    """Which rows of the target a statement takes, by WHERE, joins and LIMIT together."""
    last = tables.get(target.last, target.last).rpartition(".")[2]
    same = frozenset(alias for alias, table in tables.items() if table.rpartition(".")[2] == last) | {last, ""}
    same |= {name for name, table in session.whole.items() if table == last}
    where = _where(nodes)
    taken = Reach.EVERY
    session.scope.effort.spend(20)
    if where is not None:
        cursor = upper_at(where, 0) == "CURRENT" and upper_at(where, 1) == "OF"
        taken = Reach.SOME if cursor else reach(where, flavour=session.flavour, target=last, same=same)
    if taken is Reach.EVERY:
        taken = _joined(session, nodes, last, same)
    bound = _limit(nodes)
    if taken is Reach.EVERY and bound is not None and bound <= _BOUND and not session.looping:
        return Reach.SOME
    return taken


def judge_delete(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``DELETE ...`` of any dialect, also of more than one table."""
    start = position(nodes, "FROM")
    using = position(nodes, "USING", start=max(start, 0))
    where = position(nodes, "WHERE")
    end = where if where >= 0 else len(nodes)
    sources = nodes[start + 1 : end] if start >= 0 else nodes[1:end]
    tables = _tables(sources)
    targets: list[Name] = []
    if start > 1:  # DELETE a, b FROM ...: the names before FROM, unless they are options
        at = 1
        while at < start and (upper_at(nodes, at) in (*_SKIPPED, "TOP") or isinstance(nodes[at], Group)):
            at += 1
        targets, _ = read_names(nodes[:start], at)
    if not targets:
        at = start + 1 if start >= 0 else 1
        while upper_at(nodes, at) in (*_SKIPPED, "TOP") or (at < len(nodes) and isinstance(nodes[at], Group)):
            at += 1
        targets, _ = read_names(nodes[: using if using >= 0 else end], at)
    findings: list[Finding | None] = []
    for target in targets or [Name(("?",), known=False)]:
        real = tables.get(target.last)
        name = Name(tuple(real.split("."))) if real else target
        taken = _reach(session, nodes, target, tables)
        if taken is not Reach.NONE:
            findings.append(
                loss(session, name, "empties" if taken is Reach.EVERY else "deletes", every=taken is Reach.EVERY)
            )
    return [finding for finding in findings if finding is not None]


def judge_update(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``UPDATE ... SET ...``."""
    setting = position(nodes, "SET")
    if setting < 0:
        return []
    at = 1
    while upper_at(nodes, at) in (*_SKIPPED, "TOP", "OR", "ROLLBACK", "ABORT", "REPLACE", "FAIL") or (
        at < setting and isinstance(nodes[at], Group)
    ):
        at += 1
    target, _ = read_name(nodes, at)
    source = position(nodes, "FROM", start=setting)
    where = position(nodes, "WHERE", start=setting)
    tables = _tables(nodes[at:setting])
    if source >= 0:
        tables |= _tables(nodes[source + 1 : where if where >= 0 else len(nodes)])
    assigned = nodes[setting + 1 : min(end for end in (source, where, len(nodes)) if end >= 0)]
    qualified = _first_qualifier(assigned)
    real = tables.get(qualified or target.last) or tables.get(target.last)
    name = Name(tuple(real.split("."))) if real else target
    taken = _reach(session, nodes, name if real and qualified else target, tables)
    if taken is Reach.NONE:
        return []
    every = taken is Reach.EVERY
    findings = [loss(session, name, "changes every row of" if every else "changes", every=every)]
    if session.worth(name) is not Worth.TEMPORARY:
        findings += _meaning(assigned, name)
    return [finding for finding in findings if finding is not None]


def _first_qualifier(assigned: Sequence[Node]) -> str:
    first, dot = (assigned[0], assigned[1]) if len(assigned) > 1 else (None, None)
    return first.text.lower() if isinstance(first, Token) and is_mark(dot, ".") else ""


def judge_assignments(assigned: Sequence[Node], name: Name) -> list[Finding]:
    """What assigned columns stand for, as a row that is added gives them."""
    return _meaning(assigned, name)


def _meaning(assigned: Sequence[Node], name: Name) -> list[Finding]:
    """What the assigned columns stand for: where money goes, and who may do what."""
    for at, node in enumerate(assigned):
        if not (
            isinstance(node, Token) and node.kind in (Kind.WORD, Kind.NAME) and is_mark(_get(assigned, at + 1), "=")
        ):
            continue
        column, value = node.text.lower(), _get(assigned, at + 2)
        said = value.text.lower() if isinstance(value, Token) else ""
        effect = Effect(f"{name}.{column}", Scale.ITEM, reversible=False, privilege=True)
        if _PAYING.search(column) and said not in ("null", ""):
            return [found("B7", f"changes where money is paid to ({column})", effect)]
        if column.startswith(("legal_hold", "litigation_hold", "on_hold")) and said in (
            "false",
            "0",
            "f",
            "null",
            "off",
        ):
            return [found("B7", "releases records under hold", effect)]
        if _RIGHTS.match(column) and said in ("true", "1", "t", "y", "yes", "on"):
            return [found("B5", f"gives administrator rights ({column})", effect)]
        if _ROLES.match(column) and _RIGHTS.match(said):
            return [found("B5", f"gives the role {said}", effect)]
    return []


def _get(nodes: Sequence[Node], at: int) -> Node | None:
    return nodes[at] if at < len(nodes) else None


def _empty(session: Session, group: Group) -> bool:
    """Whether a subquery gives no row."""
    where = _where(group.inner)
    return where is not None and reach(where, flavour=session.flavour) is Reach.NONE


def judge_merge(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``MERGE INTO t USING s ON ... WHEN ...``."""
    at = 1
    while upper_at(nodes, at) in ("INTO", "TOP", *_SKIPPED) or (at < len(nodes) and isinstance(nodes[at], Group)):
        at += 1
    target, _ = read_name(nodes, at)
    using, on, when = position(nodes, "USING"), position(nodes, "ON"), position(nodes, "WHEN")
    tables = _tables(nodes[at : using if using >= 0 else on])
    sources = _tables(nodes[using + 1 : on]) if 0 <= using < on else {}
    tables |= {alias: table for alias, table in sources.items() if table.rpartition(".")[2] == target.last}
    empty = any(isinstance(node, Group) and _empty(session, node) for node in nodes[max(using, 0) : max(on, 0)])
    last = tables.get(target.last, target.last).rpartition(".")[2]
    condition = nodes[on + 1 : when if when >= 0 else len(nodes)]
    taken = reach(condition, flavour=session.flavour, target=last, same=frozenset({last, *tables}))
    findings: list[Finding | None] = []
    while when >= 0:
        behind = position(nodes, "WHEN", start=when + 1)
        clause = nodes[when : behind if behind >= 0 else len(nodes)]
        then = position(clause, "THEN")
        does, extra = upper_at(clause, then + 1), position(clause[: max(then, 0)], "AND") >= 0
        outside = has(clause, "BY", "SOURCE")
        if does in ("DELETE", "UPDATE"):
            wide = (taken is Reach.NONE or empty) if outside else taken is Reach.EVERY
            verb = "deletes" if does == "DELETE" else "changes"
            findings.append(loss(session, target, verb, every=wide and not extra))
        elif does == "INSERT":
            findings.append(loss(session, target, "adds rows to", every=False))
        when = behind
    return [finding for finding in findings if finding is not None]
