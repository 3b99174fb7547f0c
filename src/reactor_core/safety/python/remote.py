"""Calls that speak to other hosts: requests, sockets, servers and mail."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from reactor_core.safety.python.folding import plain
from reactor_core.safety.python.values import MANY, REMOTE, SECRET, Call, Value, constant, join_marks, named, unknown
from reactor_core.safety.python.world import World
from reactor_core.safety.verdict import Effect, Scale, found

__all__ = ["REMOTE_CALLS", "judge_remote_method"]

Handler = Callable[[World, Value, Call, str], Value | None]
_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request", "stream", "ws_connect"})
_CLIENTS = (
    "requests.", "httpx.", "aiohttp.", "urllib3.", "requests_html.", "http.client.", "cloudscraper.", "niquests.",
    "treq.", "curl_cffi.", "starlette.testclient", "requests_oauthlib.",
)  # fmt: skip
_LOCAL = ("localhost", "127.", "::1", "0.0.0.0", "testserver")  # noqa: S104  hosts that are this machine
_EVERYBODY = ("0.0.0.0", ":")  # noqa: S104  every address of this machine


def _send(world: World, method: str, url: Value | None, call: Call, part: str) -> Value:
    """A request; what comes back is foreign."""
    address = url.rendered("unknown") if url is not None else None
    bodies = [
        call.kwargs[name]
        for name in ("data", "json", "content", "files", "params", "body", "fields")
        if name in call.kwargs
    ]
    marks = join_marks(bodies) | (url.marks if url is not None else frozenset())
    host = (urlsplit(address).hostname or "") if address is not None else ""
    local = host.startswith(_LOCAL) or host.endswith(".localhost")
    result = named(f"{method.lower()}()", marks=frozenset({REMOTE}), calls=(call,))
    if SECRET in marks and not local:
        world.say(
            found(
                "B5", "sends a secret to another host", Effect(host or "?", secret=True, outward=True, reversible=False)
            ),
            part,
        )
        return result
    if address is None or "://" not in address:
        if method not in ("GET", "HEAD", "OPTIONS", "STREAM"):
            world.say(
                found("C7", f"sends a {method} request to a host that is not known", Effect("?", outward=True)), part
            )
        return result
    line = f"{method} {address}"
    body = next((text for text in map(_body, bodies) if text), "")
    world.nested("network", f"{line} {body}".strip() if method != "STREAM" else f"GET {address}")
    return result


def _body(value: Value) -> str:
    try:
        inner = plain(value)
    except ValueError:
        return ""
    if isinstance(inner, bytes):
        return inner.decode("utf-8", "replace")
    try:
        return inner if isinstance(inner, str) else json.dumps(inner)
    except (TypeError, ValueError):
        return ""


def _function(method: str) -> Handler:
    def handle(world: World, _: Value, call: Call, part: str) -> Value | None:
        return _send(world, method, call.get("url", 0), _with_body(call, 1), part)

    return handle


def _with_body(call: Call, at: int) -> Call:
    """The body is the next positional argument where it has no name."""
    if at < len(call.args) and not {"data", "json", "content"} & set(call.kwargs):
        return Call(call.name, call.args, {**call.kwargs, "data": call.args[at]})
    return call


def _request(world: World, _: Value, call: Call, part: str) -> Value | None:
    method = call.get("method", 0)
    return _send(
        world, (method.string or "POST").upper() if method else "GET", call.get("url", 1), _with_body(call, 2), part
    )


def _urlopen(world: World, _: Value, call: Call, part: str) -> Value | None:
    target = call.get("url", 0)
    inner = target.calls[-1] if target is not None and target.calls and target.name.endswith("Request()") else None
    if inner is not None:
        data, method = inner.get("data", 1) or call.get("data", 1), inner.kwargs.get("method")
        text = method.string if method is not None and method.string else "POST" if data is not None else "GET"
        return _send(
            world, text.upper(), inner.get("url", 0), Call("urlopen", (), {"data": data} if data else {}), part
        )
    data = call.get("data", 1)
    kept = {"data": data} if data is not None and not (data.known and data.value is None) else {}
    return _send(world, "POST" if kept else "GET", target, Call("urlopen", (), kept), part)


def _retrieve(world: World, _: Value, call: Call, part: str) -> Value | None:
    _send(world, "GET", call.get("url", 0), Call("get"), part)
    target = call.get("filename", 1) or call.get("out", 1)
    if target is not None:
        world.overwrite(target, part, unknown(REMOTE))
    return constant((target or unknown(REMOTE), unknown()))


def _socket(world: World, _: Value, call: Call, _part: str) -> Value | None:
    world.sockets = True
    if call.args and (address := _address(call.args[0])):
        world.nested("network", f"CONNECT {address}")
    return named("socket()", calls=(call,))


def _address(value: Value) -> str | None:
    items = value.items
    if items and len(items) == 2 and items[0].string is not None and items[1].known:
        return f"{items[0].string}:{items[1].value}"
    return None


def _lookup(world: World, _: Value, call: Call, part: str) -> Value | None:
    if SECRET in join_marks(call.args):
        world.say(found("B5", "sends a secret out in a name", Effect("dns", secret=True, outward=True)), part)
    return unknown(REMOTE)


def _serve(world: World, function: Value, call: Call, part: str) -> Value | None:
    host, port = call.kwargs.get("host"), call.kwargs.get("port")
    where = _address(call.args[0]) if call.args else None
    if where is None and host is not None:
        where = f"{host.string or '?'}:{port.value if port is not None and port.known else 0}"
    if where is not None:
        world.nested("network", f"LISTEN {where if not where.startswith(':') else '0.0.0.0' + where}")  # noqa: S104
    debug = call.kwargs.get("debug")
    if debug is not None and debug.known and debug.value and where is not None and where.startswith(_EVERYBODY):
        world.say(found("B5", "opens a debugger to everybody", Effect(where, privilege=True)), part)
    return named(f"{function.name}()", calls=(call,))


def _mail(world: World, function: Value, call: Call, part: str) -> Value | None:
    """One message; many or an open list of recipients cannot be called back."""
    to = call.get("to_addrs", 1) or call.get("recipient_list", 3) or call.kwargs.get("to")
    if function.last == "send_message":
        to = call.get("to_addrs", 2)
    if function.last == "send_mass_mail":
        world.say(
            found("B7", "sends mass mail", Effect("recipients", Scale.MANY, outward=True, reversible=False)), part
        )
        return unknown()
    if SECRET in join_marks([*call.args, *call.kwargs.values()]):
        world.say(found("B5", "sends a secret by mail", Effect("recipients", secret=True, outward=True)), part)
    items = to.items if to is not None else None
    count = len(items) if items is not None else 1
    many = to is not None and (MANY in to.marks or any(MANY in one.marks for one in items or []))
    if count >= 200 or many or world.repeated:
        world.say(
            found("B7", "sends mail to an open list", Effect("recipients", Scale.ALL, outward=True, reversible=False)),
            part,
        )
    else:
        world.say(found("C7", "sends mail in the user's name", Effect("recipients", Scale.ITEM, outward=True)), part)
    return unknown()


REMOTE_CALLS: dict[str, Handler] = {

    **{f"{client}.{method}": _function(method.upper()) for client in (
        "requests", "httpx", "niquests", "curl_cffi.requests",
    ) for method in ("get", "post", "put", "patch", "delete", "head", "options", "stream")},
    **dict.fromkeys((
        "requests.request", "httpx.request", "aiohttp.request", "urllib3.request", "niquests.request",
    ), _request),
    **dict.fromkeys(("urllib.request.urlopen", "urllib2.urlopen", "urlopen", "urllib.urlopen"), _urlopen),
    **dict.fromkeys(("urllib.request.urlretrieve", "urllib.urlretrieve", "wget.download", "gdown.download"), _retrieve),
    **dict.fromkeys((
        "socket.gethostbyname", "socket.getaddrinfo", "dns.resolver.resolve", "dns.resolver.query",
    ), _lookup),
    **dict.fromkeys(("socket.socket", "socket.create_connection", "telnetlib.Telnet"), _socket),
    **dict.fromkeys((
        "http.server.HTTPServer", "http.server.ThreadingHTTPServer", "socketserver.TCPServer", "uvicorn.run",
        "socketserver.ThreadingTCPServer", "wsgiref.simple_server.make_server", "waitress.serve",
        "socket.create_server", "websockets.serve", "aiohttp.web.run_app", "werkzeug.serving.run_simple",
    ), _serve),
    **dict.fromkeys((
        "django.core.mail.send_mail", "send_mail", "django.core.mail.send_mass_mail", "send_mass_mail",
        "yagmail.SMTP().send", "resend.Emails.send", "aiosmtplib.send",
    ), _mail),
}  # fmt: skip
"""Full name -> what it does with the network."""


def judge_remote_method(world: World, function: Value, call: Call, part: str) -> Value | None:
    """Methods of clients, sockets and mail servers; None: it is something else."""
    name, method = function.name, function.last
    client = name.startswith(_CLIENTS) and "()" in name
    if client and method in _METHODS:
        if method == "request":
            return _request(world, function, call, part)
        return _send(world, method.upper(), _joined(function, call.get("url", 0)), _with_body(call, 1), part)
    if name.startswith(("socket()", "socket.socket")):
        if method in ("connect", "connect_ex") and call.args and (address := _address(call.args[0])):
            world.nested("network", f"CONNECT {address}")
        if method == "bind" and call.args and (address := _address(call.args[0])):
            world.nested("network", f"LISTEN {address if not address.startswith(':') else '0.0.0.0' + address}")  # noqa: S104
        if method in ("send", "sendall", "sendto") and SECRET in join_marks(call.args):
            world.say(found("B5", "sends a secret out", Effect("socket", secret=True, outward=True)), part)
        return unknown(REMOTE) if method in ("recv", "recvfrom", "makefile") else None
    if "SMTP" in name and method in ("sendmail", "send_message", "send"):
        return _mail(world, function, call, part)
    if method == "send" and call.kwargs.get("to") is not None and function.owner is not None:
        if "amount" in call.kwargs or "value" in call.kwargs:
            amount = call.kwargs.get("amount") or call.kwargs["value"]
            rule = "B7" if "balance" in amount.name else "C7"
            world.say(
                found(rule, "pays in the user's name", Effect("money", Scale.ITEM, outward=True, reversible=False)),
                part,
            )
            return unknown()
        return _mail(world, function, Call("send", (), {"to": call.kwargs["to"]}), part)
    if "EmailMessage()" in name or "EmailMultiAlternatives()" in name:
        if method == "send" and function.calls:
            made = function.calls[-1]
            return _mail(world, function, Call("send", (), {"to": made.get("to", 3) or unknown()}), part)
        return None
    if method == "run" and call.kwargs.get("host") is not None and name.count(".") == 1:
        return _serve(world, function, call, part)
    if REMOTE in function.marks and method in (
        "read",
        "json",
        "text",
        "content",
        "iter_content",
        "decode",
        "body",
        "raw",
        "getvalue",
    ):
        return unknown(REMOTE, *function.marks)
    if "ftplib" in name and method in ("storbinary", "storlines", "delete", "rmd"):
        world.say(found("C7", "changes files of another host", Effect("ftp", Scale.ITEM, outward=True)), part)
        return unknown()
    return None


def _joined(function: Value, url: Value | None) -> Value | None:
    """The address with what the client was told to put before it."""
    base = next((one.kwargs["base_url"].string for one in function.calls if "base_url" in one.kwargs), None)
    text = url.rendered("unknown") if url is not None else None
    if base and text is not None and "://" not in text:
        return constant(base.rstrip("/") + "/" + text.lstrip("/"), *(url.marks if url else ()))
    return url
