"""A network action, read: method, address, headers, body, and the remarks around them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

__all__ = ["Request", "fields", "parse_body", "read_request"]

_METHODS = {
    "DOWNLOAD": "GET", "FETCH": "GET", "READ": "GET", "OPEN": "GET", "BROWSE": "GET", "VISIT": "GET", "RETR": "GET",
    "UPLOAD": "PUT", "STOR": "PUT", "SEND": "POST", "WEBHOOK": "POST", "BIND": "LISTEN", "SERVE": "LISTEN",
    "ACCEPT": "LISTEN", "DIAL": "CONNECT", "TUNNEL": "CONNECT", "FORWARD": "CONNECT", "WS": "CONNECT", "WSS": "CONNECT",
    "WEBSOCKET": "CONNECT", "TCP": "CONNECT", "UDP": "CONNECT", "RESOLVE": "DNS", "LOOKUP": "DNS", "QUERY": "GET",
    "DELE": "DELETE", "RMD": "DELETE", "REMOVE": "DELETE", "PUB": "PUBLISH", "SUB": "SUBSCRIBE",
}  # fmt: skip
_VERB = re.compile(r"\s*([A-Za-z][A-Za-z-]*)\s+(.*)", re.DOTALL)
_URL = re.compile(r"[a-z][a-z0-9+.-]*:(?://)?\S", re.IGNORECASE)
_HEADER = re.compile(r"^\s*([A-Za-z][A-Za-z0-9-]*):[ \t]*(.+?)\s*$")
_INLINE_HEADER = re.compile(
    r"(?:-H\s*|--header[ =])(['\"])([A-Za-z0-9-]+):\s*(.*?)\1|\b((?:X-[A-Za-z-]+|Authorization|Cookie"
    r"|Content-Type|Depth|"
    r"Destination|Accept|Host|If-Match|Api-Key)):\s*([^\n;)\]}]*)"
)
_MEMBERS = re.compile(r"\s*([\w.\[\]-]+)\s*=\s*(.*?)\s*(?=&[\w.\[\]-]+=|$)", re.DOTALL)
_AUTHORITY = re.compile(r"(?:(?P<user>[^@/?#]*)@)?(?P<host>\[[^\]]*\]|[^:/?#\s]*)(?::(?P<port>\d+|\$?\{?\w+\}?))?")


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, and to whom.

    Attributes:
        method: In capitals; the one that counts, after any override.
        url: As it was given.
        scheme: Such as ``https``; empty if there is none.
        host: In lower case, without brackets; empty if there is none.
        port: As text; empty if none is given.
        user: What stands before the ``@`` of the address.
        segments: Parts of the path, percent codes resolved, empty ones dropped.
        query: Parameters, percent codes resolved.
        fragment: Behind ``#``.
        headers: Names in lower case.
        body: Decoded JSON, form fields as a mapping, or None if it is neither.
        text: The body as text.
        note: Remarks in brackets behind the address.
    """

    method: str
    url: str = ""
    scheme: str = ""
    host: str = ""
    port: str = ""
    user: str = ""
    segments: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    fragment: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    text: str = ""
    note: str = ""

    @property
    def path(self) -> str:
        """``/a/b``, percent codes resolved."""
        return "/" + "/".join(self.segments)

    @property
    def labels(self) -> tuple[str, ...]:
        """Parts of the host name."""
        return tuple(re.findall(r"[a-z0-9]+", self.host))

    @property
    def brief(self) -> str:
        """For people."""
        shown = f"{self.method} {self.url}"
        return shown if len(shown) <= 200 else f"{shown[:197]}..."

    def parameter(self, *names: str) -> str | None:
        """The first parameter of one of these names, in any case."""
        return next((value for name, value in self.query if name.lower() in names), None)

    def flag(self, *names: str) -> bool:
        """Whether a parameter or a field of the body with one of these names is true."""
        said = [(name, value) for name, value in self.query]
        said += [(name, value) for name, value in fields(self.body) if not isinstance(value, dict | list)]
        return any(
            re.sub(r"[^a-z]", "", name.lower()) in names
            and str(value).lower() not in {"false", "0", "none", "no", "off"}
            for name, value in said
        )


def read_request(text: str) -> Request | None:
    """The request that a text describes; None if it describes none."""
    text = text.strip()
    if _URL.match(text) and "://" in text.split()[0]:
        method, rest = "GET", text
    else:
        match = _VERB.match(text)
        if match is None:
            return None
        method, rest = match.group(1).upper(), match.group(2).strip()
    method = _METHODS.get(method, method)
    first, _, more = rest.partition("\n")
    url, tail = _address(first, method)
    headers, body_text, note = _behind(tail, more)
    request = _with_address(method, url, headers, note, body_text)
    return _overridden(request)


def _address(line: str, method: str) -> tuple[str, str]:
    """The address, which may hold spaces inside ``${...}``, ``$(...)``, ``{{...}}`` and ``<...>``, and the rest."""
    closing = {"(": ")", "{": "}", "<": ">"}
    stack: list[str] = []
    for index, character in enumerate(line):
        if character.isspace() and not stack:
            return line[:index].strip("'\""), line[index:].strip()
        if stack and character == stack[-1]:
            stack.pop()
        elif character in closing and (stack or index == 0 or line[index - 1] in "${=/.?&" or character == "<"):
            if method == "LISTEN" and not stack:
                continue
            stack.append(closing[character])
    return (line.strip("'\""), "") if not stack else _plain_address(line)


def _plain_address(line: str) -> tuple[str, str]:
    url, _, tail = line.partition(" ")
    return url.strip("'\""), tail.strip()


def _behind(tail: str, more: str) -> tuple[dict[str, str], str, str]:
    """Headers, body and remarks from what follows the address."""
    tail = re.sub(r"^HTTP/[\d.]+\s*", "", tail)
    headers: dict[str, str] = {}
    note = ""
    while tail.startswith("("):
        inside, tail = _bracketed(tail)
        note = f"{note} {inside}".strip()
    lines = more.split("\n") if more else []
    while lines and (match := _HEADER.match(lines[0])) and not lines[0].lstrip().startswith(("{", "[")):
        headers[match.group(1).lower()] = match.group(2)
        lines.pop(0)
    body = "\n".join([tail, *lines]).strip()
    if body.endswith(")") and (at := _last_bracket(body)) > 0 and body[at - 1].isspace():
        note, body = f"{note} {body[at + 1 : -1]}".strip(), body[:at].strip()
    for source in (note, "" if body[:1] in "{[" and _json(body) is not None else body):
        for match in _INLINE_HEADER.finditer(source):
            name, value = (match.group(2), match.group(3)) if match.group(2) else (match.group(4), match.group(5))
            headers.setdefault(name.lower(), value.strip())
    return headers, _said_body(body, note), note


def _said_body(body: str, note: str) -> str:
    """The body, or what a remark says that it is."""
    body = re.sub(
        r"^(?:--?(?:data|data-raw|data-binary|json|body|d|form|F)[ =]?|body\s*[:=]\s*|payload\s*[:=]\s*"
        r"|json\s*=\s*|data\s*=\s*)",
        "",
        body,
    )
    body = body.strip().strip("'") if body[:1] == "'" else body
    if body:
        return body
    match = re.search(r"\b(?:body|payload|data|command|send|sends|json)\s*[:=]\s*(.*)", note, re.DOTALL)
    return match.group(1).strip() if match else ""


def _bracketed(text: str) -> tuple[str, str]:
    depth = 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[1:index].strip(), text[index + 1 :].strip()
    return text[1:].strip(), ""


def _last_bracket(text: str) -> int:
    """Where the bracket opens that the text's last character closes."""
    depth = 0
    for index in range(len(text) - 1, -1, -1):
        depth += (text[index] == ")") - (text[index] == "(")
        if depth == 0:
            return index
    return -1


def _with_address(method: str, url: str, headers: dict[str, str], note: str, text: str) -> Request:
    scheme, rest = "", url
    if "://" in url:
        scheme, _, rest = url.partition("://")
    elif match := re.match(r"(unix|tcp|udp|mailto|data|file|stdio):(.*)", url):
        scheme, rest = match.groups()
    host = port = user = ""
    if scheme in {"unix", "data", "file"} or rest.startswith("/"):
        host = headers.get("host", "") if scheme in {"", "http", "https"} else ""
    else:
        match = _AUTHORITY.match(rest)
        assert match is not None  # each part of the pattern is optional
        user, host, port = match["user"] or "", (match["host"] or "").strip("[]"), match["port"] or ""
        if match["host"] and match["host"].startswith(("[", ":")) is False and rest.count(":") > 1 and "/" not in rest:
            host, _, port = rest.rpartition(":")
        rest = rest[match.end() :]
    rest, _, fragment = rest.partition("#")
    path, _, query = rest.partition("?")
    return Request(
        method,
        url,
        scheme.lower(),
        host.lower().rstrip("."),
        port,
        user,
        tuple(_folded(path)),
        tuple(parse_qsl(query, keep_blank_values=True)) or (((unquote(query), ""),) if query else ()),
        fragment,
        headers,
        parse_body(text, headers.get("content-type", "")),
        text,
        note,
    )


def _folded(path: str) -> Iterator[str]:
    """Segments with ``.`` and ``..`` resolved, so that ``/a/../admin`` is what a server makes of it."""
    segments: list[str] = []
    for raw in path.split("/"):
        part = unquote(unquote(raw))
        if part == "..":
            del segments[-1:]
        elif part not in {"", "."}:
            segments.append(part)
    return iter(segments)


def _overridden(request: Request) -> Request:
    """With the method that a server puts in the place of POST's where it is told to."""
    said = next(
        (
            request.headers[name]
            for name in ("x-http-method-override", "x-http-method", "x-method-override")
            if name in request.headers
        ),
        None,
    )
    said = said or request.parameter("_method", "x-http-method-override")
    if said is None and isinstance(request.body, dict):
        said = request.body.get("_method")
    if isinstance(said, str) and said.strip().isalpha():
        return Request(said.strip().upper(), *(getattr(request, name) for name in Request.__slots__[1:]))
    return request


def parse_body(text: str, content_type: str = "") -> Any:
    """JSON, also where it is sloppy, or form fields; None if it is neither."""
    text = text.strip()
    if not text:
        return None
    if text[0] in "{[":
        return _json(text)
    if text[0] in '<@"' or "json" in content_type:
        return None
    if re.match(r"[\w.\[\]-]+\s*=", text):
        return {
            unquote(k.replace("+", " ")): unquote(v.replace("+", " "))
            for k, v in _MEMBERS.findall(text.replace("&", "\n&").replace("\n&", "&"))
        } or _form(text)
    return None


def _form(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


def _json(text: str) -> Any:
    """A document, or the first of several lines of them as a list; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1:
        try:
            return [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        pass
    bare = re.sub(r"([{,]\s*)([A-Za-z_][\w.-]*)\s*:", r'\1"\2":', text)
    bare = re.sub(r":\s*(<[^>]*>|\$\{?\w+\}?)\s*([,}])", r':"\1"\2', bare)
    try:
        return json.loads(bare)
    except (ValueError, RecursionError):
        return None


def fields(body: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every named field of a body, at any depth; members of a list carry the list's name."""
    if depth > 40:
        return
    if isinstance(body, dict):
        for name, value in body.items():
            yield str(name), value
            yield from _within(str(name), value, depth)
    elif isinstance(body, list):
        yield from _within("", body, depth)


def _within(name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from fields(value, depth + 1)
    elif isinstance(value, list):
        for one in value:
            if not isinstance(one, dict | list):
                yield name, one
            else:
                yield from fields(one, depth + 1)
