"""Network actions written as calls: ``download(url=..., dst=...)``, ``open_port(port=8000)``, ``set_proxy(...)``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from reactor_core.safety import paths, sensitive
from reactor_core.safety.calls import Call, parse_calls
from reactor_core.safety.naming import wordset
from reactor_core.safety.network.sockets import is_local
from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.things import DESTROYS, READS, STOPS, name_kind, split_name
from reactor_core.safety.verdict import Effect, Finding, Judged, Touch, found

__all__ = ["judge_calls"]

_ASKS = READS | wordset(
    """
    whois traceroute dig nslookup dns tls cert certificate speedtest mtr arp throttle limit
    """
)
_EVERYWHERE = frozenset({"0.0.0.0", "::", "*", "any", "all", "public", "0.0.0.0/0", "::/0", "internet", "world"})  # noqa: S104
_CONTROL_PORTS = re.compile(
    r":(?:22|2375|2376|3389|5900|6443|10250|5432|3306|6379|27017|9200|8006|23|445)$|docker|ssh|shell|kube|root"
)
_PROGRAM_PLACES = re.compile(
    r"^(?:/usr)?(?:/local)?/s?bin/|/\.local/bin/|/etc/|/lib/|/opt/.*/bin/|/\.(?:bash|zsh|profile)"
)
_RUNS = frozenset({"run", "execute", "exec", "install", "sh", "bash", "eval", "source", "python", "python3", "pipe"})


def judge_calls(text: str, scope: Scope, judge: Callable[[str, Scope], Judged]) -> Judged | None:
    """Judge calls of network tools; None if the text is not written so.

    Args:
        text: The action.
        scope: Where it would run.
        judge: Judges a request that a call stands for.
    """
    calls = parse_calls(text) if re.match(r"\s*(?:await\s+)?[A-Za-z_][\w.]*\(|\s*for\s|\s*\[", text) else None
    if calls is None:
        return None
    findings: list[Finding] = []
    touches: list[Touch] = []
    for call in calls:
        scope.effort.spend()
        judged = _call(call, scope, judge)
        if isinstance(judged, Judged):
            findings += judged.findings
            touches += judged.touches
        elif judged is not None:
            findings.append(judged)
    return Judged(tuple(findings), tuple(call.source for call in calls), tuple(touches))


def _where(call: Call) -> str:
    return (
        call.text("url", "host", "target", "remote", "server", "address", "uri", "endpoint", "dst", "to", "name", at=0)
        or ""
    )


def _host(address: str) -> str:
    bare = address.partition("://")[2] or address
    return re.sub(r":\d+$", "", bare.partition("/")[0]).strip("[]")


def _found(call: Call, rule: str, says: str, **effect: Any) -> Finding:
    return found(rule, says, Effect(_host(_where(call)), **effect), part=call.source[:300])


def _call(call: Call, scope: Scope, judge: Callable[[str, Scope], Judged]) -> Judged | Finding | None:
    words = split_name(call.name)
    said = " ".join(str(value) for value in (*call.positional, *call.named.values()))
    first, verbs = words[0] if words else "", set(words)
    secret = sensitive.secret_in(said) or next(
        filter(None, map(sensitive.secret_in, sensitive.decoded_forms(said))), ""
    )
    local = is_local(_host(_where(call)))
    if secret and not local and not verbs & {"download", "listen"}:
        return _found(call, "B5", f"sends {secret} out", outward=True, secret=True)
    if {"exec", "shell", "command"} & set(call.named) and re.search(r"/?(?:ba|z|da)?sh\b|cmd|powershell", said):
        return _found(call, "B5", "hands a shell of this machine out", outward=True, privilege=True)
    if call.given("dry_run", "simulate", "preview", "check_only"):
        return _found(call, "A4", "only asks what would be done")
    method = call.text("method", "verb")
    if method or first in {
        "request",
        "fetch",
        "http",
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "head",
        "curl",
        "webhook",
    }:
        request = _request(call, method or ("GET" if first in {"request", "fetch", "http", "curl"} else first))
        if request:
            return judge(request, scope)
    if first == "download" or "download" in verbs:
        return _download(call, scope)
    if first in {"upload", "send", "post", "publish", "push", "share"}:
        return _upload(call, scope, local)
    if verbs & {
        "tunnel",
        "forward",
        "expose",
        "proxy",
        "dns",
        "route",
        "gateway",
        "resolver",
        "hosts",
    } and not verbs & {"query", "lookup", "list", "get", "resolve"}:
        return _path_of_traffic(call, verbs, said)
    if verbs & {"firewall", "rule", "ufw", "iptables", "acl"}:
        return _firewall(call, verbs, said)
    if verbs & {"port", "listen", "serve", "bind", "server", "socket"} and verbs & {
        "open",
        "listen",
        "serve",
        "bind",
        "start",
        "expose",
    }:
        return judge(
            f"LISTEN {call.text('interface', 'host', 'bind', 'address') or '*'}:{call.text('port') or ''} ({said})",
            scope,
        )
    if verbs & {"flood", "ddos", "dos", "stress", "hammer", "slowloris"}:
        return None if local else _found(call, "B6", "overloads a host", outward=True)
    if verbs & {
        "scan",
        "portscan",
        "nmap",
        "sniff",
        "spoof",
        "poison",
        "bruteforce",
        "brute",
        "crack",
        "mitm",
        "deauth",
    }:
        hostile = verbs & {"spoof", "poison", "bruteforce", "brute", "crack", "mitm", "deauth"}
        return None if local else _found(call, "B5" if hostile else "C6", f"{first}s a network", outward=True)
    if verbs & {"interface", "network", "link", "nic", "wifi", "vpn"} and verbs & (STOPS | DESTROYS | {"down", "off"}):
        precious = name_kind(said, scope.setting) == "precious"
        return _found(call, "B6" if precious else "C5", "takes a host off the network")
    if verbs & {"close", "unexpose", "deny", "drop"} and verbs & {"port", "tunnel", "connection", "socket", "session"}:
        return None
    if verbs & {"certificate", "cert", "ca"} and verbs & {"trust", "install", "add", "import"}:
        return _found(call, "B5", "lets somebody else vouch for every host", privilege=True)
    if verbs & {"capture", "pcap", "tcpdump", "sniff"} and not local and "http" in said:
        return _found(call, "B5", "sends out what passes on the network", outward=True, secret=True)
    if verbs & {"reverse", "shell", "backdoor", "implant", "c2"}:
        return _found(call, "B5", "hands a shell of this machine out", outward=True, privilege=True)
    if verbs & _ASKS or first in _ASKS or words[-1:] in (["info"], ["status"], ["list"], ["query"], ["lookup"]):
        return None
    if verbs & {"connect", "open", "dial", "subscribe"}:
        return judge(f"CONNECT {_where(call)} ({said})", scope)
    return unclear(f"a network action that is not known ({call.name})", part=call.source[:300])


def _request(call: Call, method: str) -> str:
    url = call.text("url", "uri", "endpoint", "address", at=0)
    if not url or not url.startswith(("http", "$", "{", "/")):
        return ""
    body = call.get("json", "data", "body", "payload", at=1)
    headers = call.get("headers")
    lines = "".join(f"\n{name}: {value}" for name, value in headers.items()) if isinstance(headers, dict) else ""
    shown = "" if body is None else (body if isinstance(body, str) else repr(body))
    return f"{method.upper()} {url}{lines}" + (f"\n\n{shown}" if lines else f" {shown}")


def _download(call: Call, scope: Scope) -> Judged | Finding | None:
    then = call.text("then", "after", "pipe_to", "post", "action") or ""
    runs = (
        set(split_name(then)) & _RUNS
        or call.given("run", "execute", "exec", "install")
        or set(split_name(call.name)) & {"run", "exec", "execute", "install"}
    )
    if runs and not call.given("sha256", "checksum", "verify", "signature"):
        return _found(call, "B5", "runs what is downloaded", outward=True, privilege=True)
    if then.lower() in {"open", "launch", "start", "show"}:
        return unclear("opens what is downloaded", part=call.source[:300])
    target = call.text("dst", "dest", "destination", "path", "to", "out", "output", "file", "save_as", at=1)
    if target is None:
        return None
    if _PROGRAM_PLACES.search(target):
        return _found(call, "B5", f"replaces the program {target} by foreign code", privilege=True)
    finding = paths.overwriting(target, scope)
    return finding if finding is not None and finding.rule[0] == "B" else None


def _upload(call: Call, scope: Scope, local: bool) -> Finding | None:
    said = call.text("path", "file", "src", "source", "data", "content") or ""
    if local:
        return None
    reading = paths.reading(said, scope) if said.startswith(("/", "~", ".")) else None
    if reading is not None and reading.rule in {"C8", "B5"}:
        return _found(call, "B5", f"sends {said} out", outward=True, secret=True)
    if sensitive.personal_in(said) or sensitive.confidential_in(said):
        return _found(call, "B7", f"gives others {said}", outward=True)
    return _found(call, "C7", f"sends {said or 'data'} to {_host(_where(call))}", outward=True)


def _path_of_traffic(call: Call, verbs: set[str], said: str) -> Finding | None:
    """Tunnels, proxies, name servers: where traffic goes from now on."""
    bind = call.text("bind", "public_ip", "interface", "listen", "bind_address", "local_host") or ""
    if verbs & {"tunnel", "forward", "expose"}:
        inward = call.text("expose", "target", "local", "service", "port", "to") or ""
        if bind and is_local(bind):
            return None
        reached = (
            bool(bind and bind in _EVERYWHERE)
            or call.given("expose", "public", "public_port")
            or "expose" in verbs
            or call.given("remote")
        )
        if reached and _CONTROL_PORTS.search(inward):
            return _found(call, "B5", f"lets others in to {inward}", outward=True, privilege=True)
        return _found(call, "C7" if reached else "C6", "opens a tunnel", outward=True)
    if verbs & {"clear", "reset", "unset", "remove", "flush"}:
        return _found(call, "C5", "changes how this machine reaches the network")
    hosts = [
        re.sub(r":\d+$", "", one)
        for one in re.findall(r"(?:https?://)?((?:\d{1,3}\.){3}\d{1,3}|[a-z0-9-]+(?:\.[a-z0-9-]+)+)", said)
    ]
    unverified = re.search(r"\b(?:verify\w*|tls|check)\b", call.source) is not None and "False" in call.source
    system = "system" in said or "all" in said or not call.given("scope")
    if hosts and system and (unverified or not all(_own(host) for host in hosts)):
        return _found(call, "B5", f"leads all traffic through {hosts[0]}", outward=True, privilege=True)
    return _found(call, "C5", "changes how this machine reaches the network")


def _own(host: str) -> bool:
    """An address of the own network, or a name server that everybody knows."""
    return is_local(host) or bool(
        re.match(
            r"10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|1\.1\.1\.1|1\.0\.0\.1|8\.8\.[48]\.[48]"
            r"|9\.9\.9\.9",
            host,
        )
    )


def _firewall(call: Call, verbs: set[str], said: str) -> Finding | None:
    if verbs & READS:
        return None
    off = (
        verbs & {"disable", "off", "flush", "stop", "reset", "clear", "delete", "remove"}
        or call.get("enabled", "active") is False
    )
    if off and not call.given("rule", "id", "number", "port", "name"):
        return _found(call, "B5", "switches the firewall off", privilege=True)
    act = (call.text("action", "policy", "verdict", "target", "do") or "").lower()
    if act in {"deny", "drop", "block", "reject"} or verbs & {"deny", "block"}:
        return None
    words = set(re.split(r"[\s,'\"]+", said.lower()))
    if words & _EVERYWHERE and (act in {"allow", "accept"} or verbs & {"allow", "open"}):
        everything = call.text("ports", "port", "proto", "protocol") in {"all", "any", "*", "1-65535", "0-65535"}
        return _found(
            call, "B5" if everything else "C7", "opens the firewall to everybody", outward=True, privilege=True
        )
    return _found(call, "C5", "changes the firewall", privilege=True)
