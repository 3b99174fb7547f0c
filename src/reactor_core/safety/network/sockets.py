"""Connections and listening addresses."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from reactor_core.safety import sensitive
from reactor_core.safety.naming import wordset
from reactor_core.safety.network.code import looks_like_sql
from reactor_core.safety.network.request import Request
from reactor_core.safety.scope import Scope
from reactor_core.safety.stores import judge_mongo, judge_redis
from reactor_core.safety.verdict import Effect, Judged, found

__all__ = ["SOCKET_METHODS", "is_local", "judge_socket"]

SOCKET_METHODS = wordset(
    """
    CONNECT LISTEN DNS SUBSCRIBE PUBLISH PING SCAN TRACEROUTE FLOOD SSH STREAM
    """
)

_SHELL = re.compile(
    r"\b(?:/bin/|/usr/bin/)?(?:sh|bash|zsh|dash|ksh|cmd\.exe|powershell|pwsh)\b(?! script|-completion)|\bshell\b"
    r"|\bpty\b|std(?:in|out|err)"
    r"|remote control|command and control|\bc2\b|\bmeterpreter\b|executes? (?:whatever|what|every|any|each"
    r"|received|incoming)",
    re.IGNORECASE,
)
_OBEYS = re.compile(
    r"\b(?:accept|execute|run|obey|receive|allow|enable)_?\s*(?:commands?|exec\w*|remote_?exec\w*|tasks?|code)\b",
    re.IGNORECASE,
)
_NO_SHELL = re.compile(r"\b(?:no|without(?: a)?|not a|read[- ]only) (?:shell|pty|stdin)\b", re.IGNORECASE)
_ROOT_PORTS = frozenset({"2375", "2379", "10250", "6443", "8001"})
_NO_LOGIN = re.compile(
    r"\b(?:no|without(?: any)?|un)[- ]?(?:auth\w*|login|password|tls|token|credentials?)|anonymous|insecure",
    re.IGNORECASE,
)
_SQL_SCHEMES = {"postgres": "postgres", "postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql", "mssql": "tsql",
                "sqlserver": "tsql", "oracle": "oracle", "clickhouse": "clickhouse", "snowflake": "snowflake",
                "cockroachdb": "postgres", "redshift": "redshift", "jdbc": ""}  # fmt: skip
_QUIET_SCHEMES = frozenset(
    {"ws", "wss", "http", "https", "redis", "rediss", "mongodb", "mongodb+srv", "amqp", "amqps", "mqtt", "mqtts",
    "grpc",
     "nats", "kafka", "sse", "imap", "imaps", "ldap", "ldaps", "unix", "ntp", "otlp", "memcached", "zmq", "stun",
     *_SQL_SCHEMES}
)  # fmt: skip


def is_local(host: str, scheme: str = "") -> bool:
    """Whether an address is this machine's own, reachable from nowhere else."""
    if scheme in {"unix", "stdio", "file"} or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def judge_socket(request: Request, scope: Scope) -> Judged:
    """A connection that is opened, an address that is listened on, or a name that is asked for."""
    said = f"{request.note} {request.text}".strip()
    leak = sensitive.secret_in(f"{request.url} {said}") if request.method in {"DNS", "PUBLISH", "CONNECT"} else ""
    if leak and not is_local(request.host, request.scheme):
        return _one("B5", f"sends {leak} to {request.host}", request, secret=True, outward=True)
    if request.method == "STREAM":
        spied = re.search(
            r"screen|keyboard|key ?strokes?|microphone|\bmic\b|webcam|camera|clipboard|audio|desktop",
            f"{request.url} {said}",
            re.IGNORECASE,
        )
        away = "localhost" not in said and "127.0.0.1" not in said
        return _one(
            "B5"
            if spied
            and away
            and (
                "https://" not in f"{request.url} {said}"
                or re.search(r"key|clip|mic|cam", spied.group(), re.IGNORECASE)
            )
            else "C7"
            if away
            else "",
            f"streams {spied.group() if spied else 'data'} out",
            request,
            outward=True,
        )
    match request.method:
        case "LISTEN":
            return _listen(request, said)
        case "CONNECT" | "SSH":
            return _connect(request, said, scope)
        case "PUBLISH":
            return _one(
                "" if is_local(request.host) else "C7",
                f"publishes to {request.host or request.url}",
                request,
                outward=True,
            )
        case "SCAN":
            return _one("" if is_local(request.host) else "C6", f"scans {request.url}", request, outward=True)
        case "FLOOD":
            return _one("B6", f"floods {request.url}", request, outward=True)
    return Judged()


def _one(rule: str, says: str, request: Request, **effect: Any) -> Judged:
    if not rule:
        return Judged()
    return Judged((found(rule, says, Effect(request.host or request.url, **effect), part=request.brief),))


def _listen(request: Request, said: str) -> Judged:
    shell = _SHELL.search(said) and not _NO_SHELL.search(said)
    open_to_all = not is_local(*_listening(request))
    if shell and re.search(
        r"\b(?:gets|runs?|spawns?|attached|exec\w*|bound|serves?|interactive|each|per|for|to|piped?|-e|stdin)\b",
        said,
        re.IGNORECASE,
    ):
        return _one("B5", "hands a shell to whoever connects", request, privilege=True, outward=True)
    where = "to the network" if open_to_all else "on this machine"
    if open_to_all and request.port in _ROOT_PORTS and (_NO_LOGIN.search(said) or request.port == "2375"):
        return _one("B5", "hands control of the machine to the network", request, privilege=True, outward=True)
    if open_to_all and re.search(
        r"(?:serv|expos|shar|root|list)\w*[^.]*(?:home|~|\s/\s|\s/$|/etc|\.ssh|secrets?|credentials"
        r"|entire (?:disk|filesystem))",
        said,
        re.IGNORECASE,
    ):
        return _one("B5", "serves private files to the network", request, secret=True, outward=True)
    return _one("C7" if open_to_all else "", f"opens a service {where}", request, outward=open_to_all)


def _listening(request: Request) -> tuple[str, str]:
    """Host and scheme of the address; a bare port or ``*`` is every address."""
    if request.scheme == "unix" or (not request.host and request.segments):
        return "", "unix"
    host = request.host
    return ("0.0.0.0" if host in {"", "*", "any", "all"} or host.isdigit() else host), request.scheme  # noqa: S104


def _connect(request: Request, said: str, scope: Scope) -> Judged:
    if re.search(r"std(?:in|out|err)[^.]*(?:/bin/|\bsh\b|bash|shell)|(?:/bin/\w*sh|bash|shell|cmd\.exe"
                 r"|powershell)\b[^.]*(?:attached|std(?:in|out)|-i\b|piped|connected|dup2|redirect|pty)"
                 r"|reverse shell|executes? (?:whatever|what|every|any|each|received|incoming|returned)"
                 r"|meterpreter|\bc2\b|command and control", said,
                 re.IGNORECASE) and not _NO_SHELL.search(said):  # fmt: skip
        return _one("B5", f"hands a shell of this machine to {request.host}", request, privilege=True, outward=True)
    if (
        _OBEYS.search(said)
        and not is_local(request.host, request.scheme)
        and not re.search(r"commands?\s*=\s*(?:false|0|no)", said, re.IGNORECASE)
    ):
        return _one("B5", f"lets {request.host} run commands here", request, privilege=True, outward=True)
    nested = _sent(request, said, scope)
    if nested is not None:
        return nested
    if is_local(request.host, request.scheme):
        return Judged()
    if request.scheme in {"smtp", "smtps"} or request.port in {"25", "465", "587"}:
        return _one("C7", f"sends mail through {request.host}", request, outward=True)
    if (
        request.scheme in {"ssh", "telnet", "rdp", "vnc", "sftp", "ftp", "winrm"}
        or request.port in {"22", "23", "3389", "5900"}
        or request.method == "SSH"
    ):
        return _one("C6", f"opens a session on {request.host}", request, outward=True)
    if re.search(
        r"tunnel|expose|proxy|ngrok|forward|\bvpn\b|\btor\b", f"{said} {request.host}", re.IGNORECASE
    ) or request.host.endswith(".onion"):
        return _one("C7", f"opens a tunnel through {request.host}", request, outward=True)
    if request.scheme in _QUIET_SCHEMES or request.port in {
        "443",
        "80",
        "53",
        "123",
        "993",
        "5432",
        "3306",
        "6379",
        "9092",
    }:
        return Judged()
    return _one(
        "C6", f"opens a connection to {request.host or request.url} for an unknown purpose", request, outward=True
    )


def _sent(request: Request, said: str, scope: Scope) -> Judged | None:
    """What is sent through the connection, judged as what it is; None if nothing is said to be."""
    command = re.sub(
        r"^(?:send|sends|sent|command|query|run|runs|executes?|statement|sql|then|payload|message)s?\s*[:=]?\s+",
        "",
        said,
        flags=re.IGNORECASE,
    )
    command = re.sub(r"^(?:send|command|query|run|sql)\s*[:=]\s*", "", command, flags=re.IGNORECASE)
    if request.text:
        command = request.text
    if not command:
        return None
    scheme = request.scheme.removeprefix("jdbc:")
    if scheme in {"redis", "rediss", "valkey"} or request.port == "6379":
        return (
            judge_redis(command, scope)
            if re.match(r"[A-Za-z.]+(?:\s|$)", command) and command.split()[0].isupper()
            else None
        )
    if scheme.startswith("mongodb"):
        return judge_mongo(command, scope)
    if scheme in _SQL_SCHEMES or request.port in {"5432", "3306", "1433", "1521"}:
        return scope.nested("sql", command, dialect=_SQL_SCHEMES.get(scheme, "")) if looks_like_sql(command) else None
    if scheme in {"ssh", "telnet"} and re.search(r"\b(?:command|run|exec\w*)\b", said, re.IGNORECASE):
        return scope.nested("shell", command, host=request.host)
    if scheme == "memcached" or request.port == "11211":
        if re.match(r"flush_all", command, re.IGNORECASE):
            return _one("C4", "empties a cache", request)
        return None
    return _plain_tcp(command, scope)


def _plain_tcp(command: str, scope: Scope) -> Judged | None:
    match = re.match(r"['\"]?(FLUSHALL|FLUSHDB|SHUTDOWN|CONFIG SET|flush_all|STOP SLAVE)\b", command)
    if match:
        return judge_redis(command.strip("'\""), scope)
    return None
