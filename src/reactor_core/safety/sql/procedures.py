"""EXEC, CALL, EXECUTE and PREPARE: stored procedures, and statements that are texts."""

from __future__ import annotations

from collections.abc import Sequence

from reactor_core.safety.scope import unclear
from reactor_core.safety.sql.constants import UNKNOWN_NAME, fold_text
from reactor_core.safety.sql.functions import arguments, judge_functions
from reactor_core.safety.sql.names import read_name
from reactor_core.safety.sql.session import Session, is_mark, position, upper_at
from reactor_core.safety.sql.tokens import Group, Kind, Node, Token, text_of
from reactor_core.safety.verdict import Effect, Finding, Scale, Verdict, found

__all__ = ["judge_call", "judge_execute", "judge_prepare", "run_text"]

_READING = ("sp_help", "sp_who", "sp_column", "sp_table", "sp_spaceused", "sp_lock", "sp_depends", "sp_statistics",
            "sp_pkeys", "sp_fkeys", "sp_databases", "sp_stored_procedures", "sp_describe", "sp_readerrorlog",
            "xp_readerrorlog", "sp_monitor", "sp_special_columns", "sp_blitz", "xp_msver", "sp_server_info",
            "xp_fixeddrives", "sp_enumerrorlogs")  # fmt: skip
_NAMED = {
    "sp_rename": ("C3", "renames a thing"), "sp_renamedb": ("C4", "renames a database"),
    "sp_oacreate": ("B5", "runs foreign code on the server"),
    "sp_oamethod": ("B5", "runs foreign code on the server"), "xp_regwrite": ("B5", "writes to the registry"),
    "xp_regdeletekey": ("B5", "deletes from the registry"),
    "xp_regdeletevalue": ("B5", "deletes from the registry"),
    "xp_dirtree": ("C7", "lists a folder, maybe of another host"),
    "xp_fileexist": ("C7", "looks for a file, maybe of another host"),
    "sp_detach_db": ("B4", "takes a database away"), "sp_dbremove": ("B4", "removes a database"),
    "sp_start_job": ("C6", "starts a job"), "xp_delete_file": ("B1", "deletes backups"),
    "sp_delete_job": ("C3", "deletes a job"), "sp_delete_backuphistory": ("B5", "deletes the history of backups"),
    "sp_delete_database_backuphistory": ("B5", "deletes the history of backups"),
    "sp_cycle_errorlog": ("B5", "moves the error log away"), "sp_send_dbmail": ("C7", "sends mail"),
    "sp_addlogin": ("C5", "makes an account"), "sp_droplogin": ("C5", "drops an account"),
    "sp_add_job": ("C5", "makes a job"), "sp_add_jobstep": ("C5", "makes a job"),
    "sp_addlinkedserver": ("C5", "links another server"), "sp_procoption": ("B5", "runs a procedure at each start"),
    "sp_password": ("C8", "sets a password"), "sp_audit_write": ("A5", "writes to the audit"),
    "rds_kill": ("C4", "ends a session"), "drop_chunks": ("B3", "drops the chunks of a table"),
}  # fmt: skip
_ADMINISTRATORS = ("sysadmin", "db_owner", "securityadmin", "serveradmin", "db_securityadmin", "setupadmin")
_HANDS_OVER = (
    "sp_executesql", "sp_msforeachtable", "sp_msforeachdb", "sp_prepexec", "sp_prepare",
    "sp_execute_external_script", "sp_sqlexec", "xp_cmdshell", "sp_foreachdb", "sp_ineachdb",
)  # fmt: skip


def run_text(session: Session, nodes: Sequence[Node], *, every: bool = False) -> list[Finding]:
    """A statement that is the value of an expression."""
    text, known, decoded = fold_text(text_of(nodes), session.flavour, session.variables)
    decoded = decoded or text in session.hidden
    if text is None:
        inner = [unclear("runs a statement that is put together at run time", part=text_of(nodes)[:200])]
        return [*inner, *judge_functions(session, nodes, restricted=True)]
    if every:
        text = text.replace("?", UNKNOWN_NAME)
    inner = session.text(session, text)
    if decoded:
        renamed = [
            found("B8", f"decoded at run time: {one.says}", one.effect, part=text)
            for one in inner
            if one.rule[0] == "B"
        ]
        return [*renamed, *inner, unclear("runs a statement that is decoded at run time", part=text)]
    if not known and all(one.verdict is Verdict.ALLOW for one in inner):
        return [*inner, unclear("runs a statement that is not fully known", part=text)]
    return inner


def judge_execute(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``EXEC ...``, ``EXECUTE ...`` and ``EXECUTE IMMEDIATE ...`` of any dialect."""
    at = 1
    second = upper_at(nodes, 1)
    if second == "AS" and not isinstance(nodes[-1], Group):
        return [found("C5", "takes the rights of another user", Effect(text_of(nodes[2:]), privilege=True))]
    if second == "IMMEDIATE":
        end = position(nodes, "USING", "INTO", "RETURNING", start=2)
        return run_text(session, nodes[2 : end if end >= 0 else len(nodes)])
    if len(nodes) > 1 and isinstance(nodes[1], Group):
        return run_text(session, nodes[1].inner)
    if len(nodes) > 3 and is_mark(nodes[2], "="):  # EXEC @result = procedure ...
        at = 3
    name, behind = read_name(nodes, at)
    first = nodes[at] if at < len(nodes) else None
    if isinstance(first, Token) and first.kind in (Kind.STRING, Kind.PARAMETER) and behind <= at + 1:
        end = position(nodes, "USING", "INTO", start=at)
        return run_text(session, nodes[at : end if end >= 0 else len(nodes)])
    if name.last in session.prepared and len(name.parts) == 1:
        text = session.prepared[name.last]
        if text is None:
            return [unclear("runs a prepared statement that is not known")]
        hides = [unclear("runs a statement that is decoded at run time")] if text in session.hidden else []
        return [*session.text(session, text), *hides]
    if behind < len(nodes) and isinstance(group := nodes[behind], Group):
        if name.last in (
            "format",
            "reverse",
            "decode",
            "lower",
            "upper",
            "concat",
            "concat_ws",
            "replace",
            "convert_from",
            "convert",
            "quote_ident",
            "chr",
            "unhex",
        ):
            end = position(nodes, "USING", "INTO", start=at)
            return run_text(session, nodes[at : end if end >= 0 else len(nodes)])
        return _procedure(session, str(name), arguments(group.inner))
    if name.parts and len(nodes) > behind and is_mark(nodes[behind], "||"):
        end = position(nodes, "USING", "INTO", start=at)
        return run_text(session, nodes[at : end if end >= 0 else len(nodes)])
    if len(name.parts) == 1 and name.last in session.variables and behind >= len(nodes):
        return run_text(session, nodes[at:])
    return _procedure(session, str(name), [_valued(part) for part in arguments(nodes[behind:])])


def _valued(part: list[Node]) -> list[Node]:
    """``@name = value`` is the value."""
    return part[2:] if len(part) > 2 and is_mark(part[1], "=") else part


def judge_call(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``CALL name(...)``."""
    name, behind = read_name(nodes, 1)
    group = nodes[behind] if behind < len(nodes) else None
    return _procedure(session, str(name), arguments(group.inner) if isinstance(group, Group) else [])


def _procedure(session: Session, whole: str, given: list[list[Node]]) -> list[Finding]:
    name = whole.rpartition(".")[2].lower()
    texts = [fold_text(text_of(part), session.flavour, session.variables)[0] for part in given]
    part = f"{whole} {', '.join(text or '?' for text in texts)}"[:200]
    effect = Effect(whole, Scale.ITEM, reversible=False)
    if name == "xp_cmdshell":
        return _shell(session, texts, part)
    if name in _HANDS_OVER and given:
        index = 1 if name == "sp_prepexec" else 0
        return run_text(session, given[min(index, len(given) - 1)], every="foreach" in name or "ineach" in name)
    if name == "sp_configure":
        if len(given) < 2:
            return []
        dangerous = texts[0] in (
            "xp_cmdshell", "Ole Automation Procedures", "clr enabled", "external scripts enabled",
            "Ad Hoc Distributed Queries", "clr strict security", "cross db ownership chaining",
        )  # fmt: skip
        if dangerous and texts[1] != "0":
            return [found("B5", f"lets the server run foreign code ({texts[0]})", effect, part=part)]
        return [found("C5", f"changes the server's setting {texts[0]}", effect, part=part)]
    if name in ("sp_addsrvrolemember", "sp_addrolemember"):
        admin = any(text and text.lower() in _ADMINISTRATORS for text in texts)
        return [found("B5" if admin else "C3", "puts an account into a role", effect, part=part)]
    if name in _NAMED:
        rule, says = _NAMED[name]
        return [found(rule, says, Effect(whole, Scale.ITEM, reversible=False, outward=rule == "C7"), part=part)]
    if name.startswith(_READING):
        return []
    inner = judge_functions(
        session, [Token(Kind.WORD, whole, whole), Group(tuple(n for one in given for n in one))], restricted=True
    )
    return inner or [unclear(f"{whole} is a stored procedure: what it does is not known", part=part)]


def _shell(session: Session, texts: list[str | None], part: str) -> list[Finding]:
    """A command of the server's system: most are Windows', so whatever is not plainly harmless is an attack."""
    if not texts or texts[0] is None:
        return [unclear("the server runs a command that is not known", part=part)]
    inner = session.scope.nested("shell", texts[0])
    reads = texts[0].split()[:1] and texts[0].split()[0].lower() in (
        "dir",
        "type",
        "whoami",
        "echo",
        "hostname",
        "ver",
        "ls",
    )
    if inner.verdict is Verdict.ALLOW and reads:
        return [unclear("the server runs a command of the system", part=part)]
    return [
        *inner.findings,
        found("B5", "the server runs a command of the system", Effect(texts[0], privilege=True), part=part),
    ]


def judge_prepare(session: Session, nodes: Sequence[Node]) -> list[Finding]:
    """``PREPARE name FROM ...`` and ``PREPARE name AS ...``: nothing runs yet."""
    name, _ = read_name(nodes, 1)
    source = position(nodes, "FROM", "AS")
    if source < 0:
        return []
    if upper_at(nodes, source) == "AS":
        session.prepared[name.last] = text_of(nodes[source + 1 :])
        return []
    text, known, decoded = fold_text(text_of(nodes[source + 1 :]), session.flavour, session.variables)
    session.prepared[name.last] = text if known or decoded else None
    if decoded and text is not None:
        session.hidden.add(text)
    return []
