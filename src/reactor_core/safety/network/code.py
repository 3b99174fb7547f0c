"""Code inside a request: SQL, commands of a shell, Python, GraphQL, also where it is base64."""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from typing import Any

from reactor_core.safety.naming import wordset
from reactor_core.safety.network.graphql import operation, with_variables
from reactor_core.safety.network.request import Request, fields
from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.things import DESTROYS, READS, STOPS, Weight, loss_rule, split_name, stop_rule, weight_of
from reactor_core.safety.verdict import Effect, Finding, Judged, Scale, Verdict, found

__all__ = ["always_true", "judge_code", "judge_graphql", "looks_like_sql"]

_SQL = re.compile(
    r"\s*(?:/\*.*?\*/\s*|--[^\n]*\n\s*|\(\s*)*(?:select|with|insert\s+into|update\s+\S+\s+set|delete\s+from"
    r"|drop\s|truncate\s|alter\s|create\s"
    r"|grant\s|revoke\s|merge\s|exec(?:ute)?\s|call\s|set\s|vacuum|copy\s|begin|explain|show\s|optimize\s"
    r"|detach\s|kill\s|rename\s"
    r"|system\s|use\s|replace\s+into|load\s+data|do\s+\$|declare\s)",
    re.IGNORECASE | re.DOTALL,
)
_SQL_FIELDS = wordset(
    """
    sql stmt statement statements query q sqltext querystring command script dml ddl
    """
)
_SHELL_FIELDS = wordset(
    """
    cmd command commands argv args script shell exec run entrypoint userdata startupscript startup bash sh
    powershell commandline cmdline runcommand input oncreate postinstall
    """
)
_CODE_FIELDS = frozenset(["code", "python", "source", "snippet", "cell", "pycode", "notebookcode"])
_RUNNERS = wordset(
    """
    exec execute run runner shell eval command commands cmd sh terminal ssh console job jobs task tasks script pods
    containers kernels kernel invoke function actions agent agents hooks build process processes spawn launch
    instances servers rpc remote deploy admin webhook debug tools
    """
)
_ALWAYS = re.compile(
    r"^\s*(?:\*|%|\.\*|\.\+|true|1|all|any|1\s*=\s*1|(?:gt|gte|neq|not\.eq|ne|is)\.(?:0|-1|null|not_null)?"
    r"|not\.is\.null|(?:\w+\.)?\w+\s*(?:>=?|!=|<>|ne|gt|ge|gte)\s*(?:-1|0|''|null)"
    r"|[\w.]+\s*(?:is not null|like\s*'%'|=~\s*['\"]?\.\*['\"]?)|(\w+)\s*=\s*\1|[\w.]+:\*|\*:\*|id>0|id!=0|(?:lt"
    r"|lte)\.?(?:now|9{4,}|2[1-9]\d\d)\S*)\s*$",
    re.IGNORECASE,
)


def looks_like_sql(text: str) -> bool:
    """Whether a text begins like a statement of SQL."""
    return bool(_SQL.match(text))


def always_true(text: str) -> bool:
    """Whether a filter lets everything through: ``*``, ``id>0``, ``1=1``, ``neq.null``."""
    return bool(_ALWAYS.match(text.strip().strip("()")))


def judge_code(request: Request, scope: Scope) -> list[Judged]:
    """Each piece of code in the body or the parameters, judged as what it is."""
    found_parts: list[Judged] = []
    last = request.segments[-1].lower() if request.segments else ""
    if last.strip("_") in {"validate", "lint", "parse", "format", "beautify", "highlight", "explain", "tokenize"}:
        return []  # the code is looked at, not run
    runs = bool({part for segment in request.segments for part in split_name(segment)} & _RUNNERS)
    if request.text and request.body is None and looks_like_sql(request.text) and _is_sql_place(request, last):
        found_parts.append(scope.nested("sql", request.text, dialect=_dialect(request)))
    said = [(name, value, True) for name, value in fields(request.body)] + [(n, v, False) for n, v in request.query]
    for name, value, in_body in said:
        plain = re.sub(r"[^a-z0-9]", "", name.lower())
        place = _is_sql_place(request, last) or (in_body and plain not in {"q", "query", "script", "command"})
        if isinstance(value, str) and plain in _SQL_FIELDS and place and looks_like_sql(value):
            found_parts.append(scope.nested("sql", value, dialect=_dialect(request)))
            continue
        coded = re.fullmatch(r"(\w*?)(?:b64|base64|hex|encoded)", plain)
        if (
            coded
            and isinstance(value, str)
            and (
                coded.group(1) in _SHELL_FIELDS | _CODE_FIELDS | {"payload", "data", ""}
                and (runs or coded.group(1) in {"cmd", "command"})
            )
        ):
            found_parts.append(_decoded(value, "python" if coded.group(1) in _CODE_FIELDS else "shell", request, scope))
        elif plain in _SHELL_FIELDS and (runs or plain in {"cmd", "argv", "commandline", "userdata"}) and in_body:
            command = _command(value)
            if command:
                found_parts.append(_asked(scope.nested("shell", command, host=_host(request)), request))
        elif plain in {"cmd", "exec", "command", "shell"} and not in_body and isinstance(value, str) and value:
            found_parts.append(_asked(scope.nested("shell", value, host=_host(request)), request))
        elif plain in _CODE_FIELDS and runs and isinstance(value, str):
            found_parts.append(_asked(scope.nested("python", value, host=_host(request)), request))
    return found_parts + [_mounted(pod, request, scope) for pod in _lists_of_commands(request.body) if runs]


def _is_sql_place(request: Request, last: str) -> bool:
    if request.method in {"GET", "HEAD"} and last in {"search", "find"}:
        return False
    places = wordset(
        """
        sql query queries exec execute statement statements db database ddl rpc _sql v1 cursor
        """
    )
    labels = {"db", "ch", "clickhouse", "sql", "influx", "questdb", "trino", "presto", "rqlite", "pg", "mysql", "druid"}
    return (
        last in places
        or bool(set(request.labels[:2]) & labels)
        or (not request.segments and request.method != "GET")
        or "sql" in last
    )


def _dialect(request: Request) -> str:
    labels = set(request.labels)
    if labels & {"ch", "clickhouse"} or request.port == "8123":
        return "clickhouse"
    if labels & {"snowflake", "snowflakecomputing"}:
        return "snowflake"
    return "bigquery" if "bigquery" in labels or "bigquery" in request.segments else ""


def _host(request: Request) -> str:
    return request.host or request.scheme


def _command(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        if len(value) > 1 and all(" " in one for one in value):
            return "\n".join(value)
        return shlex.join(value) if " " not in value[0] else "\n".join(value)
    return ""


def _lists_of_commands(body: Any, depth: int = 0) -> list[dict[str, Any]]:
    """Containers whose command is a list, each with the volumes that it sees."""
    if depth > 12:
        return []
    if isinstance(body, list):
        return [one for value in body for one in _lists_of_commands(value, depth + 1)]
    if not isinstance(body, dict):
        return []
    here = [body] if isinstance(body.get("containers"), list) else []
    return here + [one for value in body.values() for one in _lists_of_commands(value, depth + 1)]


def _mounted(spec: dict[str, Any], request: Request, scope: Scope) -> Judged:
    """What the containers of a pod run, with the machine's own folders at their real places."""
    volumes = {
        str(volume.get("name")): str((volume.get("hostPath") or {}).get("path", ""))
        for volume in spec.get("volumes") or []
        if isinstance(volume, dict) and isinstance(volume.get("hostPath"), dict)
    }
    findings: list[Finding] = []
    resolved: list[str] = []
    for container in spec["containers"]:
        if not isinstance(container, dict):
            continue
        command = [*(container.get("command") or []), *(container.get("args") or [])]
        line = _command([str(word) for word in command])
        for mount in container.get("volumeMounts") or []:
            if isinstance(mount, dict) and str(mount.get("name")) in volumes and mount.get("mountPath"):
                real = volumes[str(mount["name"])].rstrip("/")
                line = re.sub(
                    rf"{re.escape(str(mount['mountPath']).rstrip('/'))}(?=/|\s|$|['\"])", real or "/", line
                ).replace("//", "/")
        if line:
            judged = _asked(scope.nested("shell", line, host=_host(request)), request)
            findings += judged.findings
            resolved += judged.resolved
        if (container.get("securityContext") or {}).get("privileged") or "/" in volumes.values():
            says = "starts a container that rules its machine"
            findings.append(found("B5", says, Effect(_host(request), privilege=True), part=request.brief))
    return Judged(tuple(findings), tuple(resolved))


def _asked(judged: Judged, request: Request) -> Judged:
    """A command on another machine is a question even where it only looks."""
    if judged.verdict is not Verdict.ALLOW:
        return judged
    note = unclear(f"runs a command on {_host(request)}", part=request.brief)
    return Judged((*judged.findings, note), judged.resolved, judged.touches)


def _decoded(value: str, kind: str, request: Request, scope: Scope) -> Judged:
    try:
        plain = base64.b64decode(value + "=" * (-len(value) % 4)).decode()
    except (binascii.Error, ValueError):
        try:
            plain = bytes.fromhex(value).decode()
        except ValueError:
            return Judged((unclear("runs something encoded that cannot be read", part=request.brief),))
    judged = scope.nested(kind, plain, host=_host(request))
    if judged.verdict is Verdict.BLOCK:
        worst = next(one for one in judged.findings if one.verdict is Verdict.BLOCK)
        says = f"runs something encoded; in plain it {worst.says}"
        return Judged(
            (found("B8", says, worst.effect, part=plain[:300]), *judged.findings), judged.resolved, judged.touches
        )
    return Judged(
        (unclear("runs something encoded", part=plain[:300]), *judged.findings), judged.resolved, judged.touches
    )


def judge_graphql(request: Request, scope: Scope) -> Judged | None:
    """A GraphQL operation; None if the request holds none."""
    bodies = request.body if isinstance(request.body, list) else [request.body]
    documents = [
        (str(one["query"]), one.get("variables") or {}, one.get("operationName"))
        for one in bodies
        if isinstance(one, dict) and isinstance(one.get("query"), str)
    ]
    if not documents and (text := request.parameter("query")) and request.segments[-1:] == ("graphql",):
        documents = [(text, {}, None)]
    if not documents and re.match(r"\s*(?:mutation|query|subscription)\b[^{]*\{", request.text):
        documents = [(request.text, {}, None)]
    findings: list[Finding] = []
    seen = False
    for document, variables, name in documents:
        read = operation(document, name if isinstance(name, str) else None)
        if read is None:
            continue
        seen = True
        if read[0] == "mutation":
            values = variables if isinstance(variables, dict) else {}
            findings += [_mutation(top.name, with_variables(top.arguments, values), request, scope) for top in read[1]]
    return Judged(tuple(findings)) if seen else None


def _mutation(name: str, arguments: str, request: Request, scope: Scope) -> Finding:
    words = split_name(name)
    verbs = set(words)
    noun = "".join(word for word in words if word not in DESTROYS | STOPS | {"many", "all", "bulk", "by", "pk"})
    own = re.findall(r'"([^"]*)"', arguments)
    rule, does = "C3", "changes data"
    open_filter = re.search(
        r"\b(?:where|filter|input)\s*:\s*(?:\{\s*\}|null|\{\s*\w+\s*:\s*\{\s*(?:_?(?:neq|ne|not|gte?|like"
        r"|ilike))\s*:\s*(?:null|0|\"%?\"|-1)\s*\}\s*\})",
        arguments,
    )
    if verbs & DESTROYS:
        does = "deletes"
        plural = bool(verbs & {"many", "all", "bulk", "everything"})
        bounded = (
            bool(
                re.search(
                    r"\b(?:id|ids|key|slug|name"
                    r"|email)\s*:\s*[\"\d$\[]",
                    arguments,
                )
            )
            and "all" not in verbs
        )
        many = (plural and not bounded and (not arguments or bool(open_filter) or "all" in verbs)) or bool(open_filter)
        rule = loss_rule(noun, " ".join(own), scope.setting, many=many)
        if weight_of(noun) is Weight.STORE and not many and not re.search(r"drop|truncate", name, re.IGNORECASE):
            rule = loss_rule(noun, " ".join(own), scope.setting)
    elif verbs & STOPS:
        does, rule = "stops", stop_rule(noun, " ".join(own), scope.setting, many="all" in verbs)
    elif open_filter and verbs & {"update", "set", "patch", "edit"}:
        does, rule = "changes every record", "B3"
    elif verbs & wordset(
        """
        send publish post invite share pay transfer refund comment message merge
        """
    ):
        does, rule = "speaks, pays or publishes", "C7"
    elif words and words[0] in READS:
        does, rule = "reads", "A1"
    scale = Scale.ALL if rule[0] == "B" else Scale.ITEM
    return found(rule, f"GraphQL: {does} ({name})", Effect(noun, scale, reversible=False), part=request.brief)
