"""Functions of servers that do more than compute."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reactor_core.safety import paths
from reactor_core.safety.scope import unclear
from reactor_core.safety.sql.constants import fold_text
from reactor_core.safety.sql.names import words_of
from reactor_core.safety.sql.session import Session
from reactor_core.safety.sql.tokens import Group, Kind, Node, Token, text_of
from reactor_core.safety.verdict import Effect, Finding, Verdict, found

__all__ = ["arguments", "calls", "judge_functions"]

_SIMPLE: dict[str, tuple[str, str]] = {
    "pg_cancel_backend": ("C4", "cancels a query of another session"),
    "pg_reload_conf": ("C5", "makes the server read its settings again"),
    "pg_promote": ("C4", "makes a standby the primary"),
    "pg_drop_replication_slot": ("C4", "drops a replication slot"),
    "pg_create_physical_replication_slot": ("C4", "makes a replication slot"),
    "pg_create_logical_replication_slot": ("C4", "makes a replication slot"),
    "pg_replication_slot_advance": ("C4", "moves a replication slot"),
    "pg_stat_reset": ("C4", "resets the statistics"),
    "pg_stat_statements_reset": ("C4", "resets the statistics"),
    "pg_rotate_logfile": ("C5", "rotates the log of the server"),
    "pg_wal_replay_pause": ("C4", "pauses the replay on a standby"),
    "pg_logical_emit_message": ("C4", "writes to the log of changes"),
    "pg_notify": ("C4", "wakes the listeners of a channel"),
    "setval": ("C3", "sets a sequence"),
    "lo_unlink": ("C3", "removes a large object"),
    "lo_import": ("C8", "reads a file of the server into the database"),
    "lo_put": ("C3", "changes a large object"),
    "lo_from_bytea": ("C3", "makes a large object"),
    "load_extension": ("C6", "loads code into the database that is not shown"),
    "sys_get": ("C6", "reads from the system"),
    "utl_http.request": ("C7", "sends a request from the server"),
    "httpuritype": ("C7", "sends a request from the server"),
    "utl_inaddr.get_host_address": ("C7", "asks the network from the server"),
    "utl_smtp.open_connection": ("C7", "sends mail from the server"),
    "utl_mail.send": ("C7", "sends mail from the server"),
    "http_get": ("C7", "sends a request from the server"),
    "http_post": ("C7", "sends a request from the server"),
    "http_delete": ("C7", "sends a request from the server"),
    "http_put": ("C7", "sends a request from the server"),
    "dbms_lock.sleep": ("C4", "holds a session"),
    "dbms_scheduler.create_job": ("C5", "schedules a job"),
    "dbms_job.submit": ("C5", "schedules a job"),
    "cron.schedule": ("C5", "schedules a job in the database"),
    "dbms_utility.exec_ddl_statement": ("C6", "runs a statement"),
    "cron.unschedule": ("C5", "removes a scheduled job"),
    "dbms_scheduler.drop_job": ("C5", "removes a scheduled job"),
    "dbms_xmlgen.getxml": ("C6", "runs a query that is a text"),
    "dbms_fga.drop_policy": ("B5", "switches auditing off"),
    "dbms_fga.disable_policy": ("B5", "switches auditing off"),
    "dbms_audit_mgmt.clean_audit_trail": ("B5", "removes the audit trail"),
    "system$cancel_all_queries": ("C4", "cancels all queries"),
    "system$abort_session": ("C4", "ends a session"),
    "system$cancel_query": ("C4", "cancels a query"),
    "rds_kill": ("C4", "ends a session"),
    "fts3_tokenizer": ("B5", "calls a pointer in the server"),
    "citus_drop_distributed_schema": ("B3", "drops a schema"),
    "drop_chunks": ("B3", "drops the chunks of a table"),
    "drop_hypertable": ("B3", "drops a table"),
    "pg_catalog.pg_file_unlink": ("C1", "deletes a file of the server"),
    "dropgeometrytable": ("B3", "drops a table"),
    "undrop_table": ("C3", "restores a table"),
}
_TEXTS = {"query_to_xml": 0, "query_to_xmlschema": 0, "query_to_xml_and_xmlschema": 0, "dblink": -1, "dblink_exec": -1,
          "dblink_open": -1, "openquery": -1, "openrowset": -1, "dblink_send_query": -1, "crosstab": 0, "eval": 0,
          "dbms_sql.parse": 1, "run_command_on_workers": 0, "run_command_on_shards": 1, "ts_stat": 0,
          "exec_sql": 0, "execute_sql": 0, "run_sql": 0, "pg_background_launch": 0}  # fmt: skip
_SHELL = frozenset({"sys_exec", "sys_eval", "sys_bineval", "shell", "system", "cmdshell"})
_FILES = {
    "pg_read_file": "reading", "pg_read_binary_file": "reading", "load_file": "reading", "readfile": "reading",
    "lo_export": "overwriting", "writefile": "overwriting", "pg_file_write": "overwriting",
    "pg_file_unlink": "deletion", "pg_file_rename": "deletion", "pg_ls_dir": "listing", "bfilename": "reading",
    "read_csv": "reading", "read_text": "reading", "read_parquet": "reading", "read_blob": "reading", "file": "reading",
}  # fmt: skip
_OUTWARD = frozenset({"url", "s3", "remote", "remotesecure", "mysql", "postgresql", "mongodb", "redis", "hdfs"})
_DOING = frozenset(
    [
        "delete",
        "purge",
        "drop",
        "truncate",
        "remove",
        "cleanup",
        "clean",
        "archive",
        "reset",
        "wipe",
        "update",
        "exec",
        "execute",
        "run",
        "process",
        "send",
        "refresh",
        "create",
        "insert",
        "kill",
        "terminate",
        "rebuild",
        "migrate",
        "sync",
        "apply",
        "grant",
        "revoke",
        "anonymize",
        "anonymise",
        "move",
        "close",
        "cancel",
        "disable",
        "enable",
        "approve",
        "pay",
        "charge",
        "refund",
        "transfer",
        "merge",
        "destroy",
        "flush",
        "import",
        "export",
        "notify",
        "publish",
        "rotate",
        "expire",
        "deactivate",
        "ban",
        "block",
        "do",
        "perform",
        "trigger",
        "invoke",
        "call",
        "usp",
        "sp",
    ]
)
_KNOWN = re.compile(
    r"^(?:array_|json|xml|st_|regexp_|string_|date_|to_|is_|has_|pg_|current_|row_|percentile_|update_?xml|insert_?xml"
    r"|remove_(?:stop|accent)|close_to|block_(?:size|id)|exec_time|run_time|move_avg|create_time)"
)


def calls(nodes: Sequence[Node]) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """Every ``name(...)`` in nodes, at any depth: its name in small letters, and what is in brackets."""
    for at, node in enumerate(nodes):
        if not isinstance(node, Group):
            continue
        if at and isinstance(before := nodes[at - 1], Token) and before.kind in (Kind.WORD, Kind.NAME):
            name, back = before.text.lower(), at - 2
            while (
                back > 0
                and isinstance(dot := nodes[back], Token)
                and dot.raw == "."
                and isinstance(part := nodes[back - 1], Token)
            ):
                name, back = f"{part.text.lower()}.{name}", back - 2
            yield name, node.inner
        yield from calls(node.inner)


def arguments(inner: Sequence[Node]) -> list[list[Node]]:
    """What stands in brackets, at its commas."""
    parts: list[list[Node]] = [[]]
    for node in inner:
        if isinstance(node, Token) and node.raw == "," and node.kind is Kind.OPERATOR:
            parts.append([])
        else:
            parts[-1].append(node)
    return [part for part in parts if part]


def judge_functions(session: Session, nodes: Sequence[Node], *, restricted: bool) -> list[Finding]:
    """What the functions that a query calls do.

    Args:
        session: Where.
        nodes: The query.
        restricted: Whether its rows are picked by a condition, so that a call for each row is bounded.
    """
    findings: list[Finding] = []
    for name, inner in calls(nodes):
        session.scope.effort.spend()
        findings += _judge_call(session, name, arguments(inner), restricted=restricted)
    return findings


def _judge_call(session: Session, whole: str, given: list[list[Node]], *, restricted: bool) -> list[Finding]:
    name = whole.rpartition(".")[2]
    part = f"{whole}({', '.join(map(text_of, given))})"[:200]
    if name in ("pg_terminate_backend", "rds_kill", "rds_kill_query"):
        if restricted or (given and all(isinstance(node, Token) and node.kind is not Kind.WORD for node in given[0])):
            return [found("C4", "ends a session of the database", Effect("session"), part=part)]
        return [found("B6", "ends every session of the database", Effect("sessions", reversible=False), part=part)]
    if whole in _SIMPLE or name in _SIMPLE:
        rule, says = _SIMPLE.get(whole) or _SIMPLE[name]
        return [found(rule, says, Effect(whole, reversible=False, outward=rule == "C7"), part=part)]
    if name in _TEXTS and given:
        return _run_text(session, given[_TEXTS[name] if abs(_TEXTS[name]) < len(given) else 0], part)
    if name in _SHELL and given:
        text, known, _ = fold_text(text_of(given[0]), session.flavour, session.variables)
        if text is None or not known:
            return [unclear("runs a command of the system that is not known", part=part)]
        inner = session.scope.nested("shell", text)
        worse = [finding for finding in inner.findings if finding.verdict is not Verdict.ALLOW]
        return worse or [unclear("the database runs a command of the system", part=part)]
    if name in _FILES:
        return _file(session, name, given, part)
    if name == "set_config" and len(given) > 1:
        return session.text(session, f"SET {text_of(given[0])[1:-1]} = {text_of(given[1])}")
    if name in ("pg_sleep", "sleep", "benchmark") and given and isinstance(seconds := given[0][0], Token):
        long = seconds.kind is Kind.NUMBER and float(seconds.raw if seconds.raw[:2] != "0x" else 0) > 60
        return [found("C4", "holds a session for long", Effect("session"), part=part)] if long else []
    words = words_of(name)
    if len(words) > 1 and words[0] in _DOING and not _KNOWN.match(name):
        return [unclear(f"{whole}() is a function of its own that seems to change something", part=part)]
    return []


def _run_text(session: Session, argument: list[Node], part: str) -> list[Finding]:
    text, known, _ = fold_text(text_of(argument), session.flavour, session.variables)
    if text is None:
        return [unclear("runs a statement that is not known", part=part)]
    inner = session.text(session, text)
    return inner if known else [*inner, unclear("runs a statement that is not fully known", part=part)]


def _file(session: Session, name: str, given: list[list[Node]], part: str) -> list[Finding]:
    place = 1 if name == "lo_export" else 0
    text = fold_text(text_of(given[place]), session.flavour, session.variables)[0] if len(given) > place else None
    if text is None:
        return [unclear("touches a file of the server that is not known", part=part)]
    how = _FILES[name]
    if how == "reading":
        seen = paths.reading(paths.normal(text, session.scope), session.scope)
        server = name not in ("readfile", "read_csv", "read_text", "read_parquet", "read_blob", "file")
        default = [found("C8", "reads a file of the server", Effect(text, secret=True), part=part)] if server else []
        return [seen] if seen is not None else default
    if how == "listing":
        return []
    path = paths.normal(text, session.scope)
    judge = (
        paths.overwriting(path, session.scope)
        if how == "overwriting"
        else paths.deletion(path, session.scope, recursive=False)
    )
    written = judge if judge is not None and judge.verdict is not Verdict.ALLOW else None
    return [written or found("C1", "writes or removes a file of the server", Effect(text, reversible=False), part=part)]
