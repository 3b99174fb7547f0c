"""curl, wget and their like: each becomes the request that it makes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from reactor_core.safety import paths
from reactor_core.safety.tools.line import Known, Line, Textual, shown
from reactor_core.safety.tools.registry import Call, handles, origin_of
from reactor_core.safety.tools.targets import judged_path, merged, overwritten
from reactor_core.safety.verdict import Finding, Judged

__all__ = ["Request", "judge_request", "personal", "sent_secret", "uploads"]


@dataclass(slots=True)
class Request:
    """A request as far as it is known."""

    method: str = "GET"
    urls: list[Textual] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    body: str | None = ""
    files: list[str] = field(default_factory=list)
    sends_stdin: bool = False

    def has_body(self) -> bool:
        """Whether anything is sent along."""
        return self.body is None or bool(self.body) or bool(self.files) or self.sends_stdin


@handles("curl", "curlie", "xh", "xhs")
def judge_curl(call: Call) -> Judged | None:
    """Options of curl."""
    line = call.line
    if call.program in {"xh", "xhs"}:
        return judge_httpie(call)
    request = Request(urls=[*line.values("--url"), *line.operands])
    for word in line.values(
        "-d", "--data", "--data-ascii", "--data-binary", "--data-urlencode", "--json", "--data-raw"
    ):
        _take_data(request, word, files=not line.has("--data-raw"))
    for word in line.values("-F", "--form", "--form-string"):
        _take_form(request, word)
    uploads = line.values("-T", "--upload-file")
    for word in uploads:
        if word.text in {"-", "."}:
            request.sends_stdin = True
        else:
            request.files.append(word.text if word.text is not None else word.known_prefix)
    request.headers = [word.text or word.known_prefix for word in line.values("-H", "--header")]
    request.method = _curl_method(line, request, bool(uploads))
    for word in line.values("-u", "--user", "--oauth2-bearer", "-b", "--cookie"):
        if word.text is not None and word.text.startswith("@"):
            request.files.append(word.text[1:])
    parts: list[Judged | Finding | None] = [judge_request(call, request)]
    parts.append(_saved(call, line.values("-o", "--output", "-c", "--cookie-jar", "-D")))
    if line.has("-O", "--remote-name", "--remote-name-all") and (folder := line.value("--output-dir")):
        parts.append(overwritten(call, [Known(f"{folder}/download")]))
    parts += [
        call.found("C6", f"takes its options from {shown(word)}", shown(word)) for word in line.values("-K", "--config")
    ]
    return merged(*parts)


def _saved(call: Call, words: Sequence[Textual]) -> Judged:
    """What is fetched goes into files: into one that runs by itself, it is foreign code."""
    parts: list[Judged | Finding | None] = []
    for word in words:
        if word.text in {"-", "/dev/null"}:
            continue
        if word.text is not None and paths.place(word.text, call.scope) in {paths.Place.START_FILE, paths.Place.HOOK}:
            parts.append(call.found("B5", f"makes {word.text}, which runs by itself, of what it fetches", word.text))
        else:
            parts.append(overwritten(call, [word]))
    return merged(*parts)


def _curl_method(line: Line, request: Request, uploads: bool) -> str:
    method = line.value("-X", "--request")
    if method:
        return method.upper()
    if line.has("-I", "--head"):
        return "HEAD"
    if uploads:
        return "PUT"
    if line.has("-G", "--get"):
        return "GET"
    return "POST" if request.has_body() else "GET"


def _take_data(request: Request, word: Textual, *, files: bool) -> None:
    text = word.text if word.text is not None else word.known_prefix
    if origin_of(word).secret:
        request.files.append("secret")
    if (files and text.startswith("@")) or (files and re.match(r"^[\w-]*@[~/.\w-]", text) and "{" not in text):
        name = text.partition("@")[2]
        if name == "-":
            request.sends_stdin = True
        else:
            request.files.append(name)
        return
    if word.text is None:
        request.body = None if not text else f"{request.body or ''}{text}"
    elif request.body is not None:
        request.body = f"{request.body}&{text}" if request.body else text


def _take_form(request: Request, word: Textual) -> None:
    text = word.text if word.text is not None else word.known_prefix
    name, _, value = text.partition("=")
    if value.startswith(("@", "<")):
        path = re.split(r"[;,]", value[1:])[0].strip("\"'")
        if path in {"-", ""}:
            request.sends_stdin = True
        else:
            request.files.append(path)
    elif request.body is not None:
        request.body = f"{request.body}&{name}={value}" if request.body else f"{name}={value}"


@handles("wget", "wget2")
def judge_wget(call: Call) -> Judged | None:
    """Options of wget."""
    line = call.line
    request = Request(urls=list(line.operands))
    for word in line.values("--post-data", "--body-data"):
        request.body = word.text
    for word in line.values("--post-file", "--body-file"):
        request.files.append(word.text or word.known_prefix)
    request.headers = [word.text or "" for word in line.values("--header")]
    request.method = (line.value("--method") or ("POST" if request.has_body() else "GET")).upper()
    parts: list[Judged | Finding | None] = [judge_request(call, request)]
    if line.has("-i", "--input-file"):
        parts.append(None)
    if not line.has("--spider"):
        parts.append(_saved(call, line.values("-O", "--output-document")))
        folder = line.value("-P", "--directory-prefix")
        if folder and paths.place(folder, call.scope).name not in {
            "TEMP",
            "PROJECT",
            "PERSONAL",
            "REGENERABLE",
            "DATA",
        }:
            parts.append(overwritten(call, [Known(f"{folder}/download")]))
    parts += [call.nested("shell", word.text or "") for word in line.values("--use-askpass")]
    return merged(*parts)


@handles("http", "https", "httpie")
def judge_httpie(call: Call) -> Judged | None:
    """``http [METHOD] URL name=value name@file``."""
    words = list(call.line.operands)
    request = Request()
    if words and re.match(r"^[A-Z]+$", words[0].text or ""):
        request.method = words.pop(0).text or "GET"
        explicit = True
    else:
        explicit = False
    if words:
        request.urls = [words.pop(0)]
    pairs: dict[str, str] = {}
    for word in words:
        text = word.text or word.known_prefix
        name, mark, value = _httpie_item(text)
        if mark == "@":
            request.files.append(value)
        elif mark == ":":
            request.headers.append(f"{name}: {value}")
        elif mark in {"=", ":="}:
            pairs[name] = value
    if pairs:
        request.body = json.dumps(pairs)
    if call.has_stdin and not pairs:
        request.sends_stdin = True
    if not explicit and (pairs or request.files or request.sends_stdin):
        request.method = "POST"
    return judge_request(call, request)


def _httpie_item(text: str) -> tuple[str, str, str]:
    match = re.match(r"^([^=:@]+)(==|:=@|=@|:=|=|:|@)(.*)$", text, re.DOTALL)
    if match is None:
        return text, "", ""
    name, mark, value = match.groups()
    return name, "@" if mark in {"=@", ":=@"} else mark, value


def judge_request(call: Call, request: Request) -> Judged:
    """The request as an action of the network, and the files that go with it."""
    parts: list[Judged | Finding | None] = []
    secret = sent_secret(call, request.files, stdin=request.sends_stdin)
    body = request.body
    if request.sends_stdin:
        body = body or call.stdin
    for url in request.urls:
        text = url.text if url.text is not None else f"{url.known_prefix}${{UNKNOWN}}"
        if "://" not in text and not text.startswith("$"):
            text = f"http://{text}"
        lines = [f"{request.method} {text}", *request.headers]
        action = "\n".join(lines)
        if body:
            action = f"{action}\n\n{body}" if request.headers else f"{action} {body}"
        judged = call.nested("network", action)
        parts.append(judged)
        outward = not _own_machine(text)
        if outward and origin_of(url).secret:
            parts.append(call.found("B5", "sends a secret in the address", text, outward=True, secret=True))
        if secret and outward:
            parts.append(call.found("B5", f"sends {secret} to {text}", text, outward=True, secret=True))
        elif (request.files or body is None or (request.sends_stdin and call.stdin is None)) and outward:
            parts.append(_sends_files(call, request, text))
    return merged(*parts)


def _own_machine(url: str) -> bool:
    return bool(
        re.match(r"^(?:[a-z+]+://)?(?:[^@/]*@)?(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)(?:[:/]|$)", url)
    )


_PERSONAL = re.compile(
    r"(?i)customer|patient|employee|salar|payroll|medical|health|passport|kyc|ssn|personal|pii|gdpr|confidential|users?[._-]|"
    r"members|contacts|invoices|resume|cv[._]|dossier|hr[/_-]|address(?:es)?|credit|card|tax|subscriber|client|donor|student|payslip"
)


def personal(names: Iterable[str]) -> str:
    """The first of the names that says that the thing is about people; empty if none does."""
    return next((name for name in names if _PERSONAL.search(name)), "")


def _sends_files(call: Call, request: Request, url: str) -> Finding:
    names = [*request.files, *(call.origin.files if request.sends_stdin else ())]
    telling = personal(names)
    if telling:
        return call.found("B7", f"sends {telling}, which names people, to {url}", url, outward=True, reversible=False)
    return call.found("C7", f"sends {' '.join(names) or 'data'} to {url}", url, outward=True)


def sent_secret(call: Call, files: Sequence[str], *, stdin: bool) -> str:
    """The name of a secret among what is sent; empty if there is none."""
    if stdin and call.origin.secret:
        return "a secret"
    names = [*files, *(call.origin.files if stdin else ())]
    for name in names:
        if name == "secret":
            return "a secret"
        finding = paths.reading(name, call.scope)
        if finding is not None:
            return name
    for stage in call.origin.pipeline if stdin else ():
        for part in stage[1:]:
            if part and ("/" in part or part.startswith(".")) and paths.reading(part, call.scope) is not None:
                return part
    return ""


def uploads(call: Call, files: Sequence[Textual], target: str) -> Judged:
    """Files that are copied to another machine."""
    names = [word.text if word.text is not None else word.known_prefix for word in files]
    secret = sent_secret(call, names, stdin=False)
    if secret:
        return merged(call.found("B5", f"copies {secret} to {target}", target, outward=True, secret=True))
    return merged(
        *(judged_path(call, name, lambda _: None, how="read") for name in names),
        _sends_files(call, Request(files=list(names)), target),
    )
