"""Statements to the server itself: settings, sessions, logs, backups and upkeep."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reactor_core.safety import paths
from reactor_core.safety.scope import unclear
from reactor_core.safety.sql.names import Name, read_name, words_of
from reactor_core.safety.sql.queries import fold_nodes
from reactor_core.safety.sql.session import Session, has, loss, position, upper_at
from reactor_core.safety.sql.tokens import Group, Kind, Node, Token, text_of
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["HARMLESS", "SERVER", "judge_pragma", "judge_server", "judge_set"]

HARMLESS = frozenset(
    [
        "SHOW",
        "DESCRIBE",
        "DESC",
        "HELP",
        "VALUES",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
        "START",
        "END",
        "ABORT",
        "CLOSE",
        "FETCH",
        "MOVE",
        "DEALLOCATE",
        "LISTEN",
        "UNLISTEN",
        "DISCARD",
        "ANALYZE",
        "CHECKPOINT",
        "UNLOCK",
        "PRINT",
        "RAISE",
        "RETURN",
        "SIGNAL",
        "RESIGNAL",
        "OPEN",
        "LEAVE",
        "ITERATE",
        "CONTINUE",
        "EXIT",
        "BREAK",
        "GOTO",
        "THROW",
        "CHECK",
        "CHECKSUM",
        "LIST",
        "LS",
        "GET",
        "TABLE",
        "SUMMARIZE",
        "WAITFOR",
        "HANDLER",
        "NULL",
        "ASSERT",
        "CHANGES",
        "TRANSACTION",
        "COMMENT",
        "GO",
        "USE",
        "RESET",
        "DETACH",
        "VALIDATE",
        "CACHE",
        "UNCACHE",
        "PIVOT",
        "UNPIVOT",
        "EXISTS",
        "USING",
        "AUDIT",
        "BEGIN",
        "ENABLE",
        "PERFORM",
        "DELIMITER",
        "LOCK",
        "CONNECT",
        "DISCONNECT",
        "EXPLAIN",
        "STATS",
        "INFO",
        "ECHO",
        "PROMPT",
        "COLUMN",
        "SPOOL",
    ]
)
"""Heads of statements that change nothing that lasts, or only take back."""

SERVER: dict[str, tuple[str, str]] = {
    "SHUTDOWN": ("B4", "stops the server"),
    "RESTART": ("C4", "restarts the server"),
    "KILL": ("C4", "ends a session"),
    "FLUSH": ("C4", "flushes caches or logs of the server"),
    "STOP": ("C4", "stops a part of the server"),
    "CHANGE": ("C4", "changes the replication"),
    "VACUUM": ("A5", "tidies tables up"),
    "REINDEX": ("C4", "rebuilds indexes"),
    "OPTIMIZE": ("C4", "rebuilds tables"),
    "REPAIR": ("C4", "repairs tables"),
    "CLUSTER": ("C4", "rewrites a table"),
    "REFRESH": ("C4", "computes a view again"),
    "REASSIGN": ("C3", "gives what a role owns to another"),
    "NOTIFY": ("C4", "wakes the listeners of a channel"),
    "LOAD": ("C3", "loads many rows"),
    "IMPORT": ("C3", "loads many rows"),
    "INSTALL": ("C5", "installs a part of the server"),
    "UNINSTALL": ("C5", "removes a part of the server"),
    "NOAUDIT": ("B5", "switches auditing off"),
    "DISABLE": ("C3", "switches a trigger off"),
    "BACKUP": ("C4", "writes a backup"),
    "EXPORT": ("C7", "writes data out of the database"),
    "UNLOAD": ("C7", "writes data out of the database"),
    "PUT": ("C7", "uploads a file"),
    "REMOVE": ("C1", "removes files"),
    "RM": ("C1", "removes files"),
    "FLASHBACK": ("C3", "takes a table back in time"),
    "UNDROP": ("C3", "brings a dropped thing back"),
    "SYSTEM": ("C4", "steers the server"),
    "MSCK": ("C3", "changes partitions"),
    "RENAME": ("C3", "renames tables"),
    "EXCHANGE": ("C3", "swaps tables"),
    "FLUSHALL": ("B3", "empties every database"),
    "FLUSHDB": ("B3", "empties the database"),
    "ADMINISTER": ("C8", "changes keys"),
    "DBCC": ("C4", "runs a console command of the server"),
    "SECURITY": ("C5", "labels an object"),
    "XA": ("C3", "steers a distributed transaction"),
    "RECOVER": ("C4", "recovers the database"),
    "ATTACH": ("A5", "opens another database"),
    "DENY": ("C3", "takes rights away"),
    "REVERT": ("A1", "returns to the own rights"),
    "ADD": ("C5", "adds to the server"),
    "OPEN_KEY": ("C8", "opens a key"),
    "MOVE": ("A1", "moves a cursor"),
    "BULK": ("C3", "loads many rows"),
    "UPSERT": ("C3", "may overwrite rows"),
    "RECONFIGURE": ("C5", "puts settings of the server into force"),
    "PURGE": ("C3", "purges"),
    "RESTORE": ("C3", "restores a backup"),
    "CALL": ("C6", "calls a stored procedure"),
    "HOST": ("C6", "runs a command of the system"),
    "SOURCE": ("C6", "runs a script"),
}
"""Head -> rule, and what it does."""

_LOG = re.compile(
    r"(?:^|[_.])(?:log|logs|logging|audit|auditing|pgaudit|bin)(?:$|[_.])|^sql_log_bin$|log_statement|^general_log"
)
_OFF = frozenset({"off", "none", "0", "false", "no", "disabled", "''", ""})


def judge_server(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """A statement whose head is in :data:`SERVER`."""
    head, text = nodes[0].upper, text_of(nodes)
    words = {node.upper for node in nodes}
    effect = Effect(text[:120], Scale.ITEM, reversible=False, outward=SERVER[head][0] == "C7")
    rule, says = SERVER[head]
    if head == "PURGE":
        whole = words & {"BINARY", "MASTER", "RECYCLEBIN", "DBA_RECYCLEBIN"}
        return [found("B3" if whole else "C3", "removes what could still be restored from", effect)]
    if head == "RESTORE" and words & {"VERIFYONLY", "HEADERONLY", "FILELISTONLY", "LABELONLY"}:
        return []
    if head == "RESTORE" and "DATABASE" in words and words & {"REPLACE"}:
        return [found("B3", "overwrites a whole database", effect)]
    if head == "VACUUM" and (
        words & {"FULL", "RETAIN"}
        or any("FULL" in text_of([node]).upper() for node in nodes if isinstance(node, Group))
    ):
        gone = has(nodes, "RETAIN") and upper_at(nodes, len(nodes) - 1) in ("HOURS", "DAYS") and " 0 " in text
        return [found("B3" if gone else "C4", "rewrites tables, and old versions are gone", effect)]
    if head == "SYSTEM" and words & {"SHUTDOWN", "KILL"}:
        return [found("B4", "stops the server", effect)]
    if head in ("EXPORT", "UNLOAD") and "public" in text.lower():
        return [found("B7", "writes data where everybody reads it", effect)]
    if head in ("ATTACH", "VACUUM"):
        return _file(session, nodes, [found(rule, says, effect)])
    if head == "DBCC":
        lossy = any("REPAIR_ALLOW_DATA_LOSS" in text_of([node]).upper() for node in nodes)
        harmless = upper_at(nodes, 1) in (
            "CHECKDB", "CHECKTABLE", "SHOW_STATISTICS", "OPENTRAN", "INPUTBUFFER", "HELP", "SQLPERF", "USEROPTIONS",
            "TRACESTATUS", "CHECKIDENT", "CHECKALLOC",
        )  # fmt: skip
        return [] if harmless and not lossy else [found("B3" if lossy else rule, says, effect)]
    if head == "KILL" and words & {"ALL", "USER"}:
        return [found("B6", "ends every session", effect)]
    if head == "UNINSTALL" and "audit" in words_of(text):
        return [found("B5", "removes the audit", effect)]
    if head == "DISABLE" and ("audit" in words_of(text) or words & {"ALL", "SERVER"}):
        return [found("B5", "switches safeguards off", effect)]
    if head == "FLUSH" and words & {"STATUS", "TABLES", "HOSTS"} and "LOCK" not in words:
        return [found("C4", says, effect)]
    if head in ("LOAD", "IMPORT", "BULK"):
        return _load(session, nodes, effect)
    if head == "BACKUP":
        target = next((node.text for node in nodes if isinstance(node, Token) and node.kind is Kind.STRING), "")
        seen = paths.overwriting(paths.normal(target, session.scope), session.scope) if target.startswith("/") else None
        return [seen] if seen is not None and seen.rule[0] == "B" else [found(rule, says, effect)]
    if head == "HOST":
        return _system(session, text_of(nodes[1:]))
    return [found(rule, says, effect)]


def _file(session: Session, nodes: Sequence[Node], default: list[Finding]) -> list[Finding]:
    """``ATTACH 'file'`` and ``VACUUM INTO 'file'`` make a file if there is none."""
    target = next((node.text for node in nodes if isinstance(node, Token) and node.kind is Kind.STRING), "")
    if not target.startswith("/"):
        return default
    if target.endswith((".php", ".jsp", ".aspx")) or "/www" in target:
        return [found("B5", f"writes {target}, which others can call", Effect(target, reversible=False))]
    seen = paths.overwriting(paths.normal(target, session.scope), session.scope)
    return [seen] if seen is not None else default


def _system(session: Session, command: str) -> list[Finding]:
    inner = session.scope.nested("shell", command)
    return list(inner.findings) or [unclear("runs a command of the system", part=command)]


def _load(session: Session, nodes: Sequence[Node], effect: Effect) -> list[Finding]:
    findings = []
    for node in nodes:
        if isinstance(node, Token) and node.kind is Kind.STRING and "/" in node.text:
            seen = paths.reading(paths.normal(node.text, session.scope), session.scope)
            findings += [seen] if seen is not None else []
            break
    at = position(nodes, "INTO", "TABLE")
    at += 1 + (upper_at(nodes, at + 1) == "TABLE") if at >= 0 else 0
    if position(nodes, "OVERWRITE") >= 0:
        lost = loss(session, read_name(nodes, at)[0] if at else Name(("?",)), "replaces", every=True)
        findings += [lost] if lost else []
    if nodes[0].upper == "LOAD" and len(nodes) == 2:  # LOAD 'library', LOAD httpfs
        return [found("C5", "loads a library into the server", effect)]
    return [*findings, found("C3", "loads many rows", effect)]


def judge_set(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``SET ...`` and ``ALTER SYSTEM SET ...``: of this session it is harmless, unless it takes a safeguard away."""
    at, scope = 1, ""
    while upper_at(nodes, at) in ("GLOBAL", "PERSIST", "PERSIST_ONLY", "SESSION", "LOCAL", "SYSTEM", "SET", "VARIABLE"):
        scope = scope if upper_at(nodes, at) == "SET" else upper_at(nodes, at)
        at += 1
    first = nodes[at] if at < len(nodes) else None
    if isinstance(first, Token) and first.kind is Kind.PARAMETER:
        name = first.raw.lower().lstrip("@:")
        if first.raw.lower().startswith(("@@global.", "@@persist.")):
            scope, name = "GLOBAL", name.partition(".")[2]
        elif not first.raw.startswith("@@"):
            session.variables[name] = fold_nodes(session, nodes[at + 2 :])
            return []
        name = name.removeprefix("session.")
    else:
        parts, behind = read_name(nodes, at)
        name, at = str(parts).lower(), behind - 1
    value = text_of(nodes[at + 1 :]).lstrip("= ").removeprefix("TO ").removeprefix("to ").strip("'\" ").lower()
    if name in ("search_path", "current_schema", "schema"):
        session.schema = value.partition(",")[0].strip("'\" ")
        return []
    if name in ("showplan_all", "showplan_text", "showplan_xml", "noexec", "parseonly"):
        session.plan_only = value == "on" and session.scope.dialect in ("tsql", "mssql", "sqlserver")
        return []
    if (scope == "SESSION" and name == "authorization") or name in ("role", "authorization"):
        harmless = value in ("none", "default", "")
        return [] if harmless else [found("C5", f"takes the role {value}", Effect(value, privilege=True))]
    if name == "password":
        return [found("C8", "sets a password", Effect("password", secret=True, privilege=True))]
    effect = Effect(name, Scale.ITEM, privilege=True)
    if (
        _LOG.search(name)
        and (value in _OFF or value.startswith("0 "))
        and (scope or name in ("sql_log_bin", "log_statement"))
    ):
        return [found("B5", f"switches logging off ({name})", effect)]
    if name in ("max_connections", "max_user_connections") and scope and value.isdigit() and int(value) < 5:
        return [found("B6", "lets nobody connect any more", effect)]
    if name in ("secure_file_priv", "local_infile", "log_bin_trust_function_creators") and value not in _OFF and scope:
        return [found("B5", f"lets the server touch files ({name})", effect)]
    if scope in ("GLOBAL", "PERSIST", "PERSIST_ONLY", "SYSTEM"):
        return [found("C5", f"changes the server's setting {name}", effect)]
    takes = {"foreign_key_checks", "unique_checks", "sql_safe_updates", "session_replication_role", "row_security",
             "zero_damaged_pages", "ignore_system_indexes"}  # fmt: skip
    if name in takes and value not in ("1", "on", "true", "origin", "default"):
        return [found("C5", f"takes a safeguard of this session away ({name})", effect)]
    return []


_PRAGMA_WRITES = frozenset({
    "writable_schema", "user_version", "application_id", "schema_version", "auto_vacuum", "journal_mode",
    "trusted_schema", "secure_delete", "foreign_keys", "ignore_check_constraints", "encoding", "page_size",
    "synchronous", "recursive_triggers", "defer_foreign_keys",
})  # fmt: skip
_PRAGMA_MILD = {("foreign_keys", "on"), ("foreign_keys", "1"), ("journal_mode", "wal"), ("synchronous", "normal"),
                ("synchronous", "full"), ("synchronous", "1"), ("synchronous", "2"), ("trusted_schema", "off"),
                ("secure_delete", "on"), ("recursive_triggers", "on"), ("journal_mode", "memory"),
                ("defer_foreign_keys", "on")}  # fmt: skip


def judge_pragma(_session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``PRAGMA name [= value]`` of SQLite."""
    name, behind = read_name(nodes, 1)
    rest = text_of(nodes[behind:]).strip("= ()'\"").lower()
    if name.last in ("key", "rekey", "hexkey", "hexrekey"):
        return [found("C8", "sets the key of the database", Effect("key", secret=True))]
    if not rest or name.last not in _PRAGMA_WRITES or (name.last, rest) in _PRAGMA_MILD:
        return []
    if name.last == "writable_schema" and rest not in ("off", "0"):
        return [found("B5", "lets the schema itself be written to", Effect("sqlite_master", privilege=True))]
    return [found("C5", f"changes {name.last} of the database", Effect(name.last))]
