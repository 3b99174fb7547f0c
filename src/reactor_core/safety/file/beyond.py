"""Deeds that reach beyond a file: sending and fetching it, running it, giving it away, formatting what it lies on."""

from __future__ import annotations

from collections.abc import Iterator

from reactor_core.safety import paths
from reactor_core.safety.calls import decoded
from reactor_core.safety.file.arguments import PATH, SOURCE, TARGET, Arguments
from reactor_core.safety.place_names import PERSONAL_FILE
from reactor_core.safety.places import Place
from reactor_core.safety.scope import unclear
from reactor_core.safety.verdict import Effect, Finding, Scale, Touch, found

__all__ = ["download", "encrypt", "format_disk", "mount", "run", "share", "upload"]


def upload(it: Arguments) -> Iterator[Finding | None]:
    goal = it.call.text("url", "to", "dst", "destination", "remote", "bucket", "host", "target", at=1) or "elsewhere"
    it.touches.append(Touch("host", goal, "write"))
    for path in it.paths(SOURCE, at=0, how="read") or [None]:
        effect = Effect(target=goal, outward=True, secret=path is None)
        if path is not None and paths.reading(path, it.scope) is not None:
            yield found("B5", f"sends secrets out: {path} to {goal}", effect)
        elif it.call.given("public", "anyone") or "public" in (it.call.text("visibility", "acl", "access") or ""):
            yield found("B7", f"publishes {path or 'a file'}", effect)
        else:
            yield found("C7", f"sends {path or 'a file'} to {goal}", effect)


def share(it: Arguments) -> Iterator[Finding | None]:
    call = it.call
    told = " ".join(str(value) for value in [*call.named.values(), *call.positional])
    public = call.given("public", "anyone") or any(
        word in told.lower() for word in ("public", "anyone", "everyone", "world")
    )
    for path in it.paths(PATH, at=0, how="read") or [None]:
        effect = Effect(target=path or "", outward=True)
        if path is not None and paths.reading(path, it.scope) is not None:
            yield found("B5", f"gives secrets away: {path}", effect)
        elif public and (
            PERSONAL_FILE.search(told) or paths.place(path or ".", it.scope) in {Place.DATA, Place.BACKUP, Place.HOME}
        ):
            yield found("B7", f"publishes personal or confidential data: {path}", effect)
        elif not call.name.startswith("un"):
            yield found("C7", f"shares {path or 'a file'}", effect)


def download(it: Arguments) -> Iterator[Finding | None]:
    runs = it.call.given("then", "execute", "run", "executable", "exec") or "7" in str(
        it.call.get("mode", "permissions")
    )
    for target in it.paths((*TARGET, "path", "file", "filename", "save_as"), at=1, how="write"):
        if target is None:
            continue
        acts = paths.place(target, it.scope) in {Place.START_FILE, Place.HOOK} or "/bin/" in target
        if runs or acts:
            yield found("B5", f"fetches what would run: {target}", Effect(target=target))
        yield paths.overwriting(target, it.scope)


def run(it: Arguments) -> Iterator[Finding | None]:
    """Runs a file, or code that is given with the call."""
    call = it.call
    files = it.paths(PATH, at=0, how="read")
    code = call.text("code", "script", "command", "content", "source", "cmd")
    coded = next((name for name in call.named if name.endswith(("_hex", "_b64", "_base64"))), None)
    if coded is not None:
        code = decoded(call.text(coded) or "", coded)
    language = "python" if "python" in (call.text("interpreter", "language", "shell", "lang") or "") else "shell"
    if code:
        yield from it.scope.nested(language, code).findings
    if coded is not None or not code:
        yield unclear(f"runs {files[0] if files and files[0] else 'something'} whose content is not looked at here")


def encrypt(it: Arguments) -> Iterator[Finding | None]:
    if it.call.name.startswith("decrypt"):
        yield found("C8", "decrypts a file", Effect(secret=True))
        return
    kept = it.call.named.get("keep_original") is True or bool(it.call.get(*TARGET))
    if not kept:
        yield from it.each(PATH, lambda path: paths.deletion(path, it.scope, recursive=True), how="write")


def format_disk(it: Arguments) -> Iterator[Finding | None]:
    it.paths((*PATH, "device", "disk", "volume", "mount"), at=0, how="delete")
    if not any((path or "").endswith((".py", ".js", ".ts", ".go", ".rs", ".md", ".json")) for path in it.seen):
        yield found("B1", "formats a disk", Effect(scale=Scale.ALL, reversible=False))


def mount(it: Arguments) -> Iterator[Finding | None]:
    it.paths(PATH, at=0, how="write")
    yield found("C5", "changes what is mounted", Effect(privilege=True))
