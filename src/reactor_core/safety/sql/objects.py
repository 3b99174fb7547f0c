"""DROP, TRUNCATE, CREATE and ALTER."""

from __future__ import annotations

from collections.abc import Sequence

from reactor_core.safety.scope import unclear
from reactor_core.safety.sql.names import Name, Worth, read_name, read_names, words_of
from reactor_core.safety.sql.predicates import Reach, reach
from reactor_core.safety.sql.queries import nested_statements
from reactor_core.safety.sql.session import Session, has, loss, position, upper_at
from reactor_core.safety.sql.tokens import Group, Kind, Node, Token, text_of
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["judge_alter", "judge_create", "judge_drop", "judge_truncate"]

_WHOLE = frozenset([
    "TABLE", "DATABASE", "SCHEMA", "KEYSPACE", "TABLESPACE", "DATASET", "CATALOG", "CLUSTER", "HYPERTABLE",
    "MEASUREMENT", "COLLECTION", "PLUGGABLE", "FILEGROUP", "NAMESPACE", "SHARE", "DATASHARE", "SERIES", "GRAPH",
    "BUCKET", "STREAM",
])  # fmt: skip
_KEYS = frozenset({"CERTIFICATE", "MASTER", "SYMMETRIC", "ASYMMETRIC", "ENCRYPTION"})
_MODIFIERS = frozenset([
    "IF", "NOT", "EXISTS", "TEMPORARY", "TEMP", "EXTERNAL", "FOREIGN", "UNLOGGED", "LOCAL", "GLOBAL", "OR",
    "REPLACE", "UNIQUE", "CONCURRENTLY", "MATERIALIZED", "RECURSIVE", "TRANSIENT", "VOLATILE", "VIRTUAL",
    "CLUSTERED", "NONCLUSTERED", "FULLTEXT", "SPATIAL", "COLUMN", "HYBRID", "DYNAMIC", "ICEBERG", "EVENT",
    "SNAPSHOT", "COLUMNSTORE", "PUBLIC", "FORCE", "EDITIONABLE", "ONLY",
])  # fmt: skip
_GUARDS = frozenset({"POLICY", "AUDIT", "SECURITY", "MASKING"})


def _kind(nodes: Sequence[Node], start: int) -> tuple[str, int]:
    """The kind of thing that a statement is about, and where its name begins."""
    at, temporary, material = start, "", ""
    while upper_at(nodes, at) in _MODIFIERS and not (
        upper_at(nodes, at) == "EVENT" and upper_at(nodes, at + 1) != "TRIGGER"
    ):
        temporary = temporary or ("TEMPORARY " if upper_at(nodes, at) in ("TEMPORARY", "TEMP", "VOLATILE") else "")
        material = material or ("VIEW " if upper_at(nodes, at) == "MATERIALIZED" else "")
        at += 1
    word = upper_at(nodes, at)
    if word == "KEY" or (word in _KEYS and upper_at(nodes, at + 1) == "KEY"):
        word, at = "KEY", at + (word != "KEY")
    at += 1
    while upper_at(nodes, at) in _MODIFIERS | {"AUDIT", "DATABASE"} and word in (
        "SERVER", "TABLE", "DATABASE", "INDEX", "VIEW", "SCHEMA", "FUNCTION", "TRIGGER", "SEQUENCE", "TYPE", "ROLE",
        "USER", "EXTENSION", "POLICY", "PLUGGABLE", "MATERIALIZED", "KEYSPACE", "PROCEDURE", "LOGIN", "COLUMN",
    ):  # fmt: skip
        if word == "SERVER":
            word = "AUDIT" if upper_at(nodes, at) == "AUDIT" else word
        at += 1
    return temporary + word, at


def judge_drop(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``DROP ...``: what holds data is gone; what can be written again is asked."""
    kind, at = _kind(nodes, 1)
    word = kind.removeprefix("TEMPORARY ")
    names, _ = read_names(nodes, at)
    if word == "OWNED":
        return [
            found("B3", "drops everything that a role owns", Effect(text_of(nodes[2:]), Scale.ALL, reversible=False))
        ]
    if word in ("USER", "ROLE", "LOGIN", "GROUP"):
        who = ", ".join(map(str, names))
        if word == "USER" and has(nodes, "CASCADE"):
            return [found("B3", f"drops {who} and all that it owns", Effect(who, Scale.ALL, reversible=False))]
        return [found("C5", f"drops the account {who}", Effect(who, Scale.ITEM, reversible=False, privilege=True))]
    if word == "KEY":
        return [found("B4", "drops a key, and what it encrypts with it", Effect("key", Scale.ALL, reversible=False))]
    if not names:
        names = [Name(("?",), known=False)]
    findings: list[Finding | None] = []
    for name in names:
        if kind.startswith("TEMPORARY "):
            continue
        if word in _WHOLE or word not in _BOUNDED:
            if word in ("DATABASE", "SCHEMA") and upper_at(nodes, at - 1) in ("SCOPED", "LINK"):
                findings.append(found("C4", f"drops {name}", Effect(str(name), Scale.ITEM, reversible=False)))
                continue
            findings.append(loss(session, name, "drops", every=True, what=word.lower() or "thing"))
            session.made.discard(str(name).lower())
            continue
        findings.append(_bounded_drop(session, word, name, nodes))
    return [finding for finding in findings if finding is not None]


_BOUNDED = frozenset(
    [
        "VIEW",
        "INDEX",
        "COLUMN",
        "TRIGGER",
        "FUNCTION",
        "PROCEDURE",
        "PROC",
        "AGGREGATE",
        "SEQUENCE",
        "TYPE",
        "DOMAIN",
        "EXTENSION",
        "RULE",
        "POLICY",
        "CONSTRAINT",
        "PUBLICATION",
        "SUBSCRIPTION",
        "SERVER",
        "EVENT",
        "SYNONYM",
        "PACKAGE",
        "OPERATOR",
        "CAST",
        "COLLATION",
        "LANGUAGE",
        "STATISTICS",
        "TASK",
        "STAGE",
        "PIPE",
        "FILE",
        "WAREHOUSE",
        "STREAMLIT",
        "ALIAS",
        "MACRO",
        "DICTIONARY",
        "PROFILE",
        "ROUTINE",
        "DEFAULT",
        "PARTITION",
        "TAG",
        "MODEL",
        "AUDIT",
        "SECURITY",
        "MASKING",
        "ROW",
        "CREDENTIAL",
        "ENDPOINT",
        "SNAPSHOT",
        "CONNECTION",
        "LINK",
        "DIRECTORY",
        "CONTEXT",
        "ASSEMBLY",
        "QUEUE",
        "MESSAGE",
        "SERVICE",
        "PREPARE",
        "ACCESS",
        "TRANSFORM",
        "CONVERSION",
        "TEXT",
        "RESOURCE",
        "INTEGRATION",
        "NETWORK",
        "FOREIGN",
        "PRIMARY",
        "BINDING",
        "INSTANCE",
        "OUTLINE",
        "SEARCH",
        "UNIQUE",
        "KEY",
        "EXCEPTION",
        "SECRET",
        "VECTOR",
        "PROJECTION",
        "QUOTA",
        "SETTINGS",
        "HYPOTHETICAL",
        "MATERIALIZED",
        "MINING",
        "PIPELINE",
        "EXTERNAL",
        "BACKUP",
        "ALERT",
    ]
)


def _bounded_drop(session: Session, word: str, name: Name, nodes: Sequence[Node]) -> Finding | None:
    effect = Effect(str(name), Scale.ITEM, reversible=False)
    if word == "PREPARE":
        return None
    if word in ("SNAPSHOT", "BACKUP"):
        return found("C1", f"drops the {word.lower()} {name}", effect)
    if word in ("AUDIT", "SECURITY") or "audit" in words_of(name.last):
        return found("B5", f"drops {name}: auditing or protection is switched off", effect)
    if "DDL" in [node.upper for node in nodes] or has(nodes, "ALL", "SERVER"):
        return found("B5", f"drops {name}, which guards the server", effect)
    if session.worth(name) is Worth.TEMPORARY:
        return None
    return found("C3", f"drops the {word.lower()} {name}", effect)


def judge_truncate(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``TRUNCATE ...`` of one or more tables."""
    at = 1
    while upper_at(nodes, at) in ("TABLE", "ONLY", "IF", "EXISTS", "DATABASE", "SCHEMA", "ALL", "TABLES", "FROM"):
        at += 1
    names, behind = read_names(nodes, at)
    part = position(nodes, "PARTITION", "PARTITIONS", "PARTITION_NAME", start=behind)
    every = part < 0 or upper_at(nodes, part + 1) == "ALL"
    findings = [loss(session, name, "empties", every=every) for name in names or [Name(("?",), known=False)]]
    return [finding for finding in findings if finding is not None]


def judge_create(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``CREATE ...``: what is made, and what it replaces."""
    kind, at = _kind(nodes, 1)
    word, replaces = kind.removeprefix("TEMPORARY "), has(nodes[:6], "OR", "REPLACE") or has(nodes[:6], "OR", "ALTER")
    name, behind = read_name(nodes, at)
    asked = has(nodes[:at], "IF", "NOT", "EXISTS")
    findings = nested_statements(session, nodes)
    query = position(nodes, "SELECT", "WITH", start=behind)
    body = session.judge_all(nodes[query:]) if query > 0 and word == "TABLE" else []
    findings += [finding for finding in body if finding.rule != "A3"]
    if kind.startswith("TEMPORARY ") or name.last.startswith(("#", "@")):
        session.made.add(str(name).lower())
        return findings
    effect = Effect(str(name), Scale.ITEM)
    if word in ("TABLE", "DATABASE", "SCHEMA") and replaces:
        lost = loss(session, name, "replaces", every=True, what=word.lower())
        return [*findings, lost] if lost else findings
    if word == "INDEX" or word == "TRIGGER" or word == "POLICY":
        on = position(nodes, "ON", start=at)
        name = read_name(nodes, on + 1)[0] if on >= 0 else name
    worth = session.worth(name)
    if word in ("TABLE", "SCHEMA", "DATABASE") and not asked and not replaces:
        session.made.add(str(name).lower())
    if word in (
        "FUNCTION", "PROCEDURE", "PROC", "TRIGGER", "EVENT", "RULE", "PACKAGE", "TASK", "JOB", "ASSEMBLY",
        "LANGUAGE", "AGGREGATE",
    ):  # fmt: skip
        return [*findings, *_routine(session, word, name, nodes)]
    if replaces and not (word == "VIEW" and worth is Worth.SCRATCH):
        return [*findings, found("C3", f"replaces {name}", effect)]
    program = next((one for node in nodes if isinstance(node, Group) for one in _program(node)), None)
    if program is not None or has(nodes, "EXECUTE"):
        inner = session.scope.nested("shell", program or "")
        return [*findings, *inner.findings, unclear("a table is what a program gives back", part=program or "")]
    additive = word in (
        "TABLE", "VIEW", "INDEX", "TYPE", "SEQUENCE", "SCHEMA", "DATABASE", "DOMAIN", "STATISTICS", "DATASET",
        "KEYSPACE", "SYNONYM", "ENUM",
    )  # fmt: skip
    if additive and (worth in (Worth.SCRATCH, Worth.TEMPORARY)):
        return [*findings, found("A5", f"makes {name} in a place for development", effect)]
    if additive:
        return [*findings, found("C3", f"makes the {word.lower()} {name}", effect)]
    return [*findings, found("C5", f"makes the {word.lower() or 'thing'} {name} on the server", effect)]


def _program(group: Group) -> list[str]:
    """The command in ``OPTIONS (program 'command')``."""
    return [
        node.text
        for at, node in enumerate(group.inner)
        if isinstance(node, Token) and node.kind is Kind.STRING and upper_at(group.inner, at - 1) == "PROGRAM"
    ]


def _routine(session: Session, word: str, name: Name, nodes: Sequence[Node]) -> list[Finding]:
    """Code that stays in the server: a schedule runs it, a call will."""
    effect = Effect(str(name), Scale.ITEM, privilege=True)
    if has(nodes, "SONAME") or has(nodes, "EXTERNAL", "NAME") or word == "ASSEMBLY":
        return [found("B5", f"loads foreign code as {name}", effect)]
    at = position(nodes, "LANGUAGE")
    spoken = nodes[at + 1] if 0 <= at < len(nodes) - 1 else None
    language = spoken.text.lower() if isinstance(spoken, Token) else ""
    bodies = [
        node.text for node in nodes if isinstance(node, Token) and node.kind is Kind.STRING and len(node.text) > 8
    ]
    findings: list[Finding] = []
    if language.startswith("plpython") and bodies:
        inner = session.scope.nested(
            "python", "def body():\n" + "\n".join(f" {line}" for line in bodies[0].splitlines()) + "\nbody()"
        )
        findings += [finding for finding in inner.findings if finding.rule[0] == "B"]
    if word in ("EVENT", "TASK", "JOB"):
        start = position(nodes, "DO", "AS")
        if start >= 0:
            findings += session.judge_all(nodes[start + 1 :])
    says = "schedules" if word in ("EVENT", "TASK", "JOB") else "defines"
    return [*findings, found("C5", f"{says} the {word.lower()} {name}", effect)]


def judge_alter(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``ALTER ...`` of anything but accounts and the server."""
    kind, at = _kind(nodes, 1)
    name, behind = read_name(nodes, at)
    rest, effect = nodes[behind:], Effect(str(name), Scale.ITEM, reversible=False)
    worth = session.worth(name)
    if kind.endswith("AUDIT") or (kind == "SECURITY" or ("audit" in words_of(name.last) and kind != "TABLE")):
        off = position(rest, "OFF", "DISABLE") >= 0 or any("OFF" in text_of([node]).upper() for node in rest)
        return [found("B5" if off else "C5", f"changes the audit {name}", effect)]
    if kind in ("DATABASE", "PLUGGABLE", "SCHEMA", "KEYSPACE"):
        closed = text_of(rest).upper().replace("=", " ").split()
        if "ALLOW_CONNECTIONS" in closed and closed[-1] in ("FALSE", "OFF", "0"):
            return [found("B4", f"takes the database {name} from everybody", effect)]
        if position(rest, "OFFLINE", "SINGLE_USER", "CLOSE", "RESTRICTED_USER") >= 0:
            return [found("B4", f"takes the database {name} from everybody", effect)]
        return [found("C4", f"changes the {kind.lower()} {name}", effect)]
    if kind not in ("TABLE", "TEMPORARY TABLE", "FOREIGN"):
        if worth is Worth.TEMPORARY:
            return []
        return [
            found(
                "C3" if kind in ("VIEW", "INDEX", "SEQUENCE", "TYPE") else "C5",
                f"changes {kind.lower()} {name}",
                effect,
            )
        ]
    return _alter_table(session, name, worth, rest, effect)


def _alter_table(session: Session, name: Name, worth: Worth, rest: Sequence[Node], effect: Effect) -> list[Finding]:
    if has(rest[:2], "ON", "CLUSTER"):
        rest = rest[3:]
    first, second = upper_at(rest, 0), upper_at(rest, 1)
    to = position(rest, "TO", "AS")
    if first == "RENAME" and second in ("TO", "AS"):
        new = str(read_name(rest, to + 1)[0]).lower()
        was_made = str(name).lower() in session.made
        session.made.discard(str(name).lower())
        (session.made.add if was_made else session.made.discard)(new)
        session.renamed[new] = session.renamed.get(str(name).lower(), name)
        return [] if was_made else [found("C3", f"renames the table {name}", effect)]
    if worth is Worth.TEMPORARY:
        return []
    if (first in ("DELETE", "UPDATE")) and position(rest, "WHERE") >= 0:
        where = rest[position(rest, "WHERE") + 1 :]
        taken = reach(where, flavour=session.flavour, target=name.last, same=frozenset({name.last}))
        lost = loss(session, name, "changes", every=taken is Reach.EVERY)
        return [lost] if lost and taken is not Reach.NONE else []
    part = position(rest, "PARTITION")
    if first == "TRUNCATE" or (first in ("DROP", "DISCARD") and second in ("PARTITION", "TABLESPACE")):
        every = part < 0 or upper_at(rest, part + 1) == "ALL" or second == "TABLESPACE"
        lost = loss(session, name, "empties", every=every)
        return [lost] if lost else []
    if has(rest, "DISABLE", "ROW") or has(rest, "NO", "FORCE", "ROW") or has(rest, "DISABLE", "TRIGGER", "ALL") or (
        first == "DISABLE" and second == "TRIGGER" and upper_at(rest, 2) in ("", "USER")
        and not (len(rest) > 2 and isinstance(rest[2], Token))
    ):  # fmt: skip
        return [found("B5", f"switches the protection of {name} off", effect)]
    if first == "DISABLE" and "audit" in words_of(text_of(rest)):
        return [found("B5", f"switches an audit of {name} off", effect)]
    if has(rest, "ENABLE", "ROW") or has(rest, "FORCE", "ROW"):
        return [found("A5", f"protects the rows of {name}", Effect(str(name)))]
    if position(rest, "DATA_RETENTION_TIME_IN_DAYS") >= 0 and text_of(rest).rstrip("; ").endswith(" 0"):
        return [found("B5", f"switches the protection of {name} against loss off", effect)]
    if position(rest, "BLACKHOLE") >= 0:
        return [found("B3", f"throws the rows of {name} away", effect)]
    if first == "ADD" and worth is Worth.SCRATCH and not _changes(rest):
        return [found("A5", f"adds to {name} in a place for development", Effect(str(name)))]
    return [found("C3", f"alters the table {name}", effect)]


def _changes(rest: Sequence[Node]) -> bool:
    """Whether something after the first clause takes away."""
    behind_comma = [
        rest[at + 1].upper for at, node in enumerate(rest[:-1]) if isinstance(node, Token) and node.raw == ","
    ]
    return any(word in ("DROP", "ALTER", "MODIFY", "CHANGE", "RENAME") for word in behind_comma)
