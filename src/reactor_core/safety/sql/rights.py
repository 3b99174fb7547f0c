"""Accounts and what they may do: GRANT, REVOKE, and users, roles and logins."""

from __future__ import annotations

from collections.abc import Sequence

from reactor_core.safety.sql.names import read_names
from reactor_core.safety.sql.session import Session, has, position, upper_at
from reactor_core.safety.sql.tokens import Group, Kind, Node, Token, text_of
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["judge_account", "judge_grant", "judge_revoke"]

_POWERS = frozenset([
    "SUPER", "FILE", "SHUTDOWN", "SUPERUSER", "PROCESS", "CONTROL", "IMPERSONATE", "SYSTEM_USER", "SYSADMIN",
    "SECURITYADMIN", "DBA", "RDS_SUPERUSER", "ACCOUNTADMIN", "ORGADMIN", "SYSDBA", "SYSOPER", "DB_OWNER",
    "SERVERADMIN", "CLOUDSQLSUPERUSER", "SYS_ADMIN", "PG_EXECUTE_SERVER_PROGRAM", "PG_WRITE_SERVER_FILES",
    "PG_READ_SERVER_FILES", "BYPASSRLS", "POSTGRES", "ROOT", "SA", "AZURE_SUPERUSER", "OWNERSHIP", "BECOME",
    "SYSTEM_VARIABLES_ADMIN", "ADMIN", "DB_SECURITYADMIN", "DATABASE_ADMIN",
])  # fmt: skip
_ANYBODY = frozenset({"public", "guest", "anonymous", "anon", "everyone", "allusers", "nobody", "''"})


def _tokens(nodes: Sequence[Node]) -> list[Token]:
    flat: list[Token] = []
    for node in nodes:
        flat += _tokens(node.inner) if isinstance(node, Group) else [node]
    return flat


def judge_grant(_session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``GRANT ...``: bounded, or the keys of the house."""
    on, to = position(nodes, "ON"), position(nodes, "TO")
    given = nodes[1 : on if 0 <= on < to else to if to >= 0 else len(nodes)]
    what = _tokens(nodes[on + 1 : to]) if 0 <= on < to else []
    who = _tokens(nodes[to + 1 :]) if to >= 0 else []
    all_rights = upper_at(given, 0) == "ALL"
    scope = text_of(what).replace(" ", "")
    everything = scope.startswith("*.*") or scope == "*" or scope.upper() == "ACCOUNT" or (
        bool(what) and what[0].upper == "SERVER"
    )  # fmt: skip
    anybody = any(token.text.lower() in _ANYBODY or token.text == "%" or token.text.endswith("@%") for token in who)
    passes_on = has(nodes, "GRANT", "OPTION") or has(nodes, "ADMIN", "OPTION")
    powers = {token.text.upper() for token in _tokens(given)} & _POWERS
    effect = Effect(scope or text_of(given), Scale.ALL if everything else Scale.ITEM, privilege=True)
    public = any(token.text.lower() in _ANYBODY for token in who)
    says = f"grants {text_of(given)} to {text_of(who)}"
    if powers or (all_rights and (everything or passes_on or anybody)) or (everything and passes_on):
        return [found("B5", f"{says}: control of the server", effect)]
    if everything and (anybody or _writes(given)):
        return [found("B5", f"{says}: everything on the server", effect)]
    if public and not (
        what
        and what[0].upper in ("SCHEMA", "FUNCTION", "TYPE", "LANGUAGE")
        and upper_at(given, 0) in ("USAGE", "EXECUTE")
    ):
        return [found("B5", f"{says}: to everybody", effect)]
    return [found("C3", says, effect)]


def _writes(given: Sequence[Node]) -> bool:
    return any(token.upper in ("INSERT", "UPDATE", "DELETE", "DROP", "ALTER", "CREATE") for token in _tokens(given))


def judge_revoke(_session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``REVOKE ...`` and ``DENY ...``: from everybody it tightens, from somebody it takes away."""
    if upper_at(nodes, 1) in ("OPTION", "GRANT", "ADMIN"):
        return [found("A5", "takes the right to pass rights on", Effect(privilege=True))]
    start = position(nodes, "FROM", "TO")
    who = _tokens(nodes[start + 1 :]) if start >= 0 else []
    if any(token.text.lower() in _ANYBODY for token in who[:1]):
        return [found("A5", "takes rights from everybody", Effect(privilege=True))]
    return [found("A5", f"takes rights from {text_of(who)}", Effect(text_of(who), Scale.ITEM, privilege=True))]


def judge_account(_session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``CREATE|ALTER USER|ROLE|LOGIN ...``."""
    verb, words = nodes[0].upper, {token.upper for token in _tokens(nodes[2:])}
    at = 2
    while upper_at(nodes, at) in ("IF", "NOT", "EXISTS"):
        at += 1
    names, _ = read_names(nodes, at)
    who = ", ".join(map(str, names))
    effect = Effect(who, Scale.ITEM, privilege=True)
    if words & {"SUPERUSER", "BYPASSRLS", "CREATEROLE", "SYSADMIN", "DB_OWNER", "SECURITYADMIN", "SERVERADMIN"}:
        return [found("B5", f"gives {who} the rights of an administrator", effect)]
    for token in _tokens(nodes[2:]):
        if token.kind is Kind.STRING and token.text == "%" and verb == "ALTER":
            return [found("B5", f"lets {who} come from anywhere", effect)]
    if has(nodes, "ADD", "MEMBER") and any(token.text.upper() in _POWERS for token in _tokens(nodes[2:4])):
        return [found("B5", "puts an account among the administrators", effect)]
    taken = {"NOSUPERUSER", "NOCREATEROLE", "NOCREATEDB", "NOBYPASSRLS", "NOREPLICATION"}
    if verb == "ALTER" and words & taken and not words & {"PASSWORD", "LOGIN"}:
        return [found("A5", f"takes rights from {who}", effect)]
    if words & {"PASSWORD", "IDENTIFIED"}:
        return [found("C8", f"sets the password of {who}", Effect(who, Scale.ITEM, secret=True, privilege=True))]
    return [found("C5", f"{'makes' if verb == 'CREATE' else 'changes'} the account {who}", effect)]
