"""Remembers what a command leaves behind: files that it makes, fetches, copies, links or fills."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from reactor_core.safety import paths
from reactor_core.safety.shell.command import Word
from reactor_core.safety.shell.running import Call
from reactor_core.safety.shell.scripts import fetched
from reactor_core.safety.shell.state import UNKNOWN, Value

__all__ = ["remember", "written"]

_CHECKERS = frozenset(
    [
        "sha256sum",
        "sha512sum",
        "sha1sum",
        "b2sum",
        "shasum",
        "gpg",
        "gpgv",
        "cosign",
        "minisign",
        "signify",
        "openssl",
        "gh",
        "slsa-verifier",
        "rpm",
        "sq",
    ]
)
_CHECKS = frozenset(["-c", "--check", "--verify", "verify", "verify-blob", "-Vm", "-V", "attestation", "-K"])
_PROGRAM_FOLDER = re.compile(r"(/usr)?(/local)?/s?bin/")
_ELSEWHERE = re.compile(r"[\w.@-]+:(?!\\)|s3://|gs://|https?://|rsync://|ftp://")


def remember(call: Call) -> None:
    """Note what the command has made, fetched, linked and written."""
    maker = _MAKERS.get(call.name)
    if maker is not None:
        maker(call)
    if call.name in _CHECKERS and any((word.text or "") in _CHECKS for word in call.args):
        call.world.verified = True


def written(call: Call, path: str, value: Value, *, adding: bool) -> None:
    """Note what a file holds now."""
    world = call.world
    if adding:
        value = world.contents.get(path, UNKNOWN) + value
    world.contents[path] = value
    if value.origin.fetched:
        world.fetched.add(path)


def _operands(call: Call, values: str = "", long: Iterable[str] = ()) -> list[Word]:
    out: list[Word] = []
    skip = False
    for word in call.args:
        text = word.text
        if skip:
            skip = False
        elif text is not None and text.startswith("-") and len(text) > 1:
            skip = (len(text) == 2 and text[1] in values) or text in long
        else:
            out.append(word)
    return out


def _option(call: Call, *names: str) -> str | None:
    """The value of the first of these options that is given."""
    for index, word in enumerate(call.args):
        text = word.text or word.known_prefix
        following = call.args[index + 1].pattern if index + 1 < len(call.args) else None
        for name in names:
            if text == name:
                return following
            if name.startswith("--") and text.startswith(name + "="):
                return text[len(name) + 1 :]
            if len(name) == 2 and re.fullmatch(rf"-[A-Za-z]*{name[1]}", text):
                return following
            if len(name) == 2 and text.startswith(name) and len(text) > 2:
                return text[2:]
    return None


def _mkdir(call: Call) -> None:
    parents = any(re.fullmatch(r"-[a-z]*p[a-z]*|--parents", word.text or "") for word in call.args)
    for word in _operands(call, "mZ"):
        if word.text is not None:
            path = call.path(word.text)
            if not parents or not _precious(call, path):
                call.world.made.add(path)


def _precious(call: Call, path: str) -> bool:
    """Whether something that counts may lie there already, so that making it does not make it scratch."""
    return not path.startswith(("/tmp/", "/var/tmp/")) and (  # noqa: S108  scratch by nature
        paths.deletion(path, call.scope, recursive=True) is not None
    )


def _fetch(call: Call) -> None:
    name = call.name
    texts = [word.text for word in call.args]
    folder = _option(call, "--directory-prefix", "--output-dir", "-P") if name == "wget" else None
    target: str | None = None
    named = False
    if name == "curl":
        target = _option(call, "-o", "--output")
        folder = _option(call, "--output-dir")
        named = any(re.fullmatch(r"-[A-Za-z]*[OJ][A-Za-z]*|--remote-name(-all)?", text or "") for text in texts)
    elif name == "wget":
        target = _option(call, "-O", "--output-document")
        named = target is None and "--spider" not in texts
    else:
        target = _option(call, "-o", "--out")
        named = target is None
    if target is not None:
        if target not in ("-", "/dev/stdout", "/dev/null"):
            _fetched(call, f"{folder.rstrip('/')}/{target}" if folder else target)
    elif named:
        for word in _operands(call, "oOPdHAXbcTumFewUr"):
            if word.text and "." in word.text:
                base = re.sub(r"[?#].*", "", word.text).rstrip("/").rpartition("/")[2] or "index.html"
                _fetched(call, f"{folder.rstrip('/')}/{base}" if folder else base)


def _fetched(call: Call, text: str) -> None:
    path = call.path(text)
    call.world.fetched.add(path)
    call.world.contents.pop(path, None)


def _from_elsewhere(call: Call) -> None:
    operands = _operands(call, "PiFoJcSle")
    if len(operands) < 2 or not operands[-1].text or _ELSEWHERE.match(operands[-1].text):
        return
    target = operands[-1].text
    for word in operands[:-1]:
        if _ELSEWHERE.match(word.text or ""):
            _fetched(call, target)
            base = (word.text or "").rstrip("/").rpartition("/")[2].rpartition(":")[2]
            if base:
                _fetched(call, f"{target.rstrip('/')}/{base}")


def _unpack(call: Call) -> None:
    foreign = call.stdin is not None and call.stdin.origin.fetched
    foreign = foreign or any(word.text and fetched(call, call.path(word.text)) for word in call.args)
    if foreign:
        folder = _option(call, "-C", "--directory", "-d")
        call.world.fetched.add(call.path(folder) if folder else call.scope.cwd or "/")


def _copy(call: Call) -> None:
    operands = _operands(call, "tS")
    if len(operands) < 2 or operands[-1].text is None:
        return
    target = call.path(operands[-1].text)
    for word in operands[:-1]:
        if word.text is not None:
            source = call.path(word.text)
            for place in (target, f"{target}/{source.rpartition('/')[2]}"):
                _same(call, source, place)
    if call.name == "cp" and not _precious(call, target):
        call.world.made.add(target)


def _same(call: Call, source: str, place: str) -> None:
    """Note that ``place`` holds what ``source`` holds."""
    world = call.world
    if source in world.contents:
        world.contents[place] = world.contents[source]
    if fetched(call, source):
        world.fetched.add(place)
    if _PROGRAM_FOLDER.match(source):
        world.programs[place] = source.rpartition("/")[2]
    elif source in world.programs:
        world.programs[place] = world.programs[source]


def _link(call: Call) -> None:
    operands = _operands(call, "tS")
    if not operands or operands[0].text is None:
        return
    target = call.path(operands[0].text)
    base = target.rpartition("/")[2]
    name = operands[1].text if len(operands) > 1 else base
    if name is None:
        return
    place = call.path(name)
    for one in (place, f"{place}/{base}") if len(operands) > 1 else (place,):
        call.world.links[one] = target
        _same(call, target, one)


def _tee(call: Call) -> None:
    adding = any(word.text in ("-a", "--append") for word in call.args)
    for word in _operands(call):
        if word.text is not None:
            written(call, call.path(word.text), call.stdin or UNKNOWN, adding=adding)


def _new_file(call: Call) -> None:
    """A file or folder that the program makes, unless something precious may lie there."""
    texts = [word.text for word in call.args]
    if call.name == "dd":
        names = [text[3:] for text in texts if text and text.startswith("of=")]
    elif call.name.startswith("python"):
        names = [text for text in texts[-1:] if text and "venv" in texts[:-1]]
    else:
        names = [word.text for word in _operands(call, "rdtm") if word.text]
    for text in names:
        path = call.path(text)
        inside = path.startswith(f"{call.scope.setting.project}/") and call.name != "touch"
        if paths.overwriting(path, call.scope) is None or (inside and not _precious(call, path.rpartition("/")[0])):
            call.world.made.add(path)


def _git(call: Call) -> None:
    texts = [word.text for word in call.args]
    if texts[:1] == ["clone"]:
        operands = _operands(call, "bjocu", ("--branch", "--depth", "--origin", "--config", "--reference"))[1:]
        if operands and operands[0].text:
            base = operands[0].text.rstrip("/").rpartition("/")[2].rpartition(":")[2].removesuffix(".git")
            folder = operands[1].text if len(operands) > 1 else base
            if folder:
                call.world.made.add(call.path(folder))
    elif texts[:1] in (["switch"], ["checkout"]) and "--" not in texts:
        names = [text for text in texts[1:] if text and not text.startswith("-")]
        if len(names) == 1 or (names and any(text in ("-b", "-B", "-c", "-C") for text in texts)):
            call.world.branch = names[0]
    elif texts[:2] == ["worktree", "add"]:
        operands = _operands(call, "bB")[2:]
        if operands and operands[0].text:
            call.world.made.add(call.path(operands[0].text))
    elif "config" in texts:
        rest = [text for text in texts[texts.index("config") + 1 :] if text is None or not text.startswith("-")]
        rest = rest[1:] if rest[:1] in (["set"], ["add"]) else rest
        if len(rest) > 1 and rest[0] and rest[0].startswith("alias.") and rest[1] is not None:
            call.world.config["git", rest[0][6:]] = rest[1]


_MAKERS: dict[str, Callable[[Call], None]] = {
    "mkdir": _mkdir,
    "curl": _fetch,
    "wget": _fetch,
    "aria2c": _fetch,
    "scp": _from_elsewhere,
    "rsync": _from_elsewhere,
    "aws": _from_elsewhere,
    "gsutil": _from_elsewhere,
    "tar": _unpack,
    "unzip": _unpack,
    "bsdtar": _unpack,
    "7z": _unpack,
    "cp": _copy,
    "mv": _copy,
    "install": _copy,
    "ln": _link,
    "tee": _tee,
    "dd": _new_file,
    "python": _new_file,
    "python3": _new_file,
    "virtualenv": _new_file,
    "touch": _new_file,
    "git": _git,
}
