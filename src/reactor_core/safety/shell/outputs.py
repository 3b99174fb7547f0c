"""What commands print, as far as it can be known without running them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from reactor_core.safety.shell.command import Origin, Word
from reactor_core.safety.shell.decoders import DECODERS, decoded, escaped, formatted, translated
from reactor_core.safety.shell.state import UNKNOWN, Shell, Value, joined_parts, literal

__all__ = ["Source", "printed"]

_FETCHERS = frozenset(
    [
        "curl",
        "wget",
        "http",
        "https",
        "xh",
        "fetch",
        "lynx",
        "links",
        "w3m",
        "aria2c",
        "ftp",
        "tftp",
        "nc",
        "ncat",
        "netcat",
        "socat",
        "telnet",
        "dig",
        "nslookup",
        "host",
        "drill",
        "finger",
        "axel",
        "GET",
        "lwp-request",
        "curlie",
    ]
)
_PASSING = frozenset(
    [
        "cat",
        "tee",
        "pv",
        "sort",
        "uniq",
        "tac",
        "sponge",
        "buffer",
        "mbuffer",
        "iconv",
        "dos2unix",
        "unix2dos",
        "fold",
        "fmt",
        "expand",
        "unexpand",
        "column",
        "nl",
        "stdbuf",
        "unbuffer",
        "recode",
        "ts",
        "less",
        "more",
        "bat",
        "dd",
        "gzip",
        "gunzip",
        "zcat",
        "bzcat",
        "xzcat",
        "zstdcat",
        "base64",
        "sed",
        "awk",
        "grep",
        "egrep",
        "rg",
        "head",
        "tail",
        "cut",
        "tr",
        "rev",
        "xxd",
        "od",
        "hexdump",
        "jq",
        "yq",
        "paste",
        "split",
        "strings",
        "perl",
        "python",
        "python3",
        "ruby",
        "xargs",
        "gpg",
        "openssl",
        "age",
        "tar",
        "zip",
        "unzip",
        "cpio",
        "base32",
        "uudecode",
        "basenc",
        "bzip2",
        "xz",
        "zstd",
        "lz4",
        "brotli",
        "shuf",
        "comm",
        "join",
        "envsubst",
        "m4",
        "sops",
        "fzf",
        "wc",
    ]
)


@dataclass(frozen=True, slots=True)
class Source:
    """A command whose output is asked for.

    Attributes:
        name: Of the program.
        args: Its words.
        stdin: What it reads.
        shell: The shell that runs it.
        cwd: Its folder.
        secret: Judging it has found that it shows a secret.
    """

    name: str
    args: Sequence[Word]
    stdin: Value | None
    shell: Shell
    cwd: str
    secret: bool = False

    @property
    def texts(self) -> list[str] | None:
        """The words; None if any is not known."""
        out = [word.text for word in self.args]
        return None if None in out else [text for text in out if text is not None]

    def flag(self, *names: str) -> bool:
        """Whether an option is among the words, also in a cluster of short ones."""
        for word in self.args:
            text = word.text or ""
            if text in names:
                return True
            if re.fullmatch(r"-[A-Za-z]+", text) and any(len(n) == 2 and n[1] in text[1:] for n in names):
                return True
        return False

    def operands(self, values: str = "") -> list[Word]:
        """Words that are no options; ``values``: letters of options that a value follows."""
        out = []
        skip = False
        for word in self.args:
            text = word.text
            if skip:
                skip = False
            elif text is not None and text.startswith("-") and len(text) > 1:
                skip = len(text) == 2 and text[1] in values
            else:
                out.append(word)
        return out

    def content(self) -> Value:
        """What it reads: the known files among its operands, or standard input."""
        files = [word for word in self.operands() if word.text != "-"]
        if not files:
            return self.stdin if self.stdin is not None else UNKNOWN
        total = Value()
        for word in files:
            total = total + self.file(word)
        return total

    def file(self, word: Word) -> Value:
        """What a file holds."""
        if word.text is None:
            return Value((None,), word.origin)
        path = posixpath.normpath(posixpath.join(self.cwd, word.text)) if self.cwd else word.text
        world = self.shell.world
        if path in world.contents:
            return world.contents[path]
        fetched = path in world.fetched or any(path.startswith(f"{one}/") for one in world.fetched)
        return Value((None,), Origin(fetched=fetched, files=(path,)))


def printed(source: Source) -> Value:
    """What the command prints."""
    maker = _MAKERS.get(source.name)
    found = maker(source) if maker is not None else None
    if found is None:
        found = UNKNOWN
        if source.name in _PASSING:
            found = Value((None,), source.content().origin if source.name == "cat" else Origin())
        elif source.name in _FETCHERS:
            found = Value((None,), Origin(fetched=True))
    origin = found.origin
    if source.stdin is not None and source.name in _PASSING:
        origin |= replace(source.stdin.origin, pipeline=())
    if source.secret and not origin.secret:
        origin = replace(origin, secret=True)
    if found.text is None or not found.origin.pipeline:
        before = source.stdin.origin.pipeline if source.stdin is not None and source.name in _PASSING else ()
        origin = replace(origin, pipeline=(*before[-6:], (source.name, *(word.text for word in source.args))))
    return replace(found, origin=origin)


def _echo(source: Source) -> Value:
    words = list(source.args)
    newline, escapes = True, False
    while words and re.fullmatch(r"-[neE]+", words[0].text or "-"):
        flags = words.pop(0).text or ""
        newline = newline and "n" not in flags
        escapes = "e" in flags or (escapes and "E" not in flags)
    parts: list[str | None] = []
    origin = Origin()
    for number, word in enumerate(words):
        if number:
            parts.append(" ")
        parts.extend(escaped(part) if escapes and part else part for part in word.parts)
        origin |= word.origin
    if escapes and any("\\" in part for word in words for part in word.parts if part):
        origin = replace(origin, decoded=True)
    if newline:
        parts.append("\n")
    return Value(joined_parts(parts), origin, globbed=any(word.globbed for word in words))


def _printf(source: Source) -> Value | None:
    words = list(source.args)
    if words and words[0].text == "--":
        words = words[1:]
    if not words or words[0].text is None:
        return None
    form = words[0].text
    origin = Origin(decoded="\\x" in form or bool(re.search(r"\\[0-7]{2}|%b|%s[^\\%]*%s|%s ", form)) or "%c" in form)
    for word in words:
        origin |= word.origin
    # An unknown piece is carried through by a mark that no text holds.
    args = ["".join("\0" if part is None else part for part in word.parts) for word in words[1:]]
    text = formatted(form, args)
    if text is None:
        return Value((None,), origin)
    parts: list[str | None] = []
    for number, piece in enumerate(text.split("\0")):
        if number:
            parts.append(None)
        parts.append(piece)
    return Value(joined_parts(parts), origin, globbed=any(word.globbed for word in words))


def _decoder(source: Source, kind: str) -> Value:
    value = source.content()
    origin = replace(value.origin, decoded=True)
    if value.text is None:
        return Value((None,), origin)
    try:
        return Value((decoded(DECODERS[kind](value.text)),), origin)
    except (ValueError, OSError, EOFError):
        return Value((None,), origin)


def _base64(source: Source) -> Value | None:
    if source.flag("-d", "-D", "--decode") or "--base64url" in (source.texts or []):
        return _decoder(source, "base32" if source.name == "base32" else "base64")
    return Value((None,), source.content().origin)


def _xxd(source: Source) -> Value | None:
    if not source.flag("-r", "-revert"):
        return Value((None,), source.content().origin)
    return _decoder(source, "hex" if source.flag("-p", "-ps", "-plain", "-postscript") else "hexdump")


def _openssl(source: Source) -> Value | None:
    texts = source.texts or []
    if source.flag("-d") and ("base64" in texts or "-base64" in texts or "-a" in texts):
        inner = replace(source, args=()) if "-in" not in texts else source
        if "-in" in texts and texts.index("-in") + 1 < len(texts):
            inner = replace(source, args=(source.args[texts.index("-in") + 1],))
        return _decoder(inner, "base64")
    return Value((None,), Origin(decoded="-d" in texts))


def _gunzip(source: Source) -> Value | None:
    if source.name in ("gzip", "bzip2", "xz", "zstd", "lzma") and not source.flag("-d", "--decompress", "--uncompress"):
        return None
    kind = (
        "bzip2"
        if source.name.startswith(("bz", "bunzip"))
        else "xz"
        if source.name.startswith(("x", "unxz", "lz"))
        else "gzip"
    )
    return _decoder(source, kind)


def _tr(source: Source) -> Value | None:
    texts = source.texts
    value = source.stdin or UNKNOWN
    if texts is None or value.text is None:
        return Value((None,), value.origin)
    flags = "".join(text[1:] for text in texts if text.startswith("-") and len(text) > 1 and not text.startswith("--"))
    sets = [text for text in texts if not (text.startswith("-") and len(text) > 1)]
    result = translated(value.text, sets, flags)
    return Value((result,), replace(value.origin, decoded=True))


def _by_line(change: Callable[[str], str]) -> Callable[[Source], Value]:
    def made(source: Source) -> Value:
        value = source.content()
        origin = replace(value.origin, decoded=value.origin.decoded or source.name == "rev")
        if value.text is None:
            return Value((None,), origin)
        lines = value.text.split("\n")
        end = [""] if lines[-1] == "" else []
        lines = lines[:-1] if end else lines
        return Value(("\n".join([change(line) for line in lines] + end),), origin)

    return made


def _cat(source: Source) -> Value:
    value = source.content()
    return replace(value, origin=replace(value.origin, pipeline=())) if source.operands() else value


def _head(source: Source) -> Value:
    value = source.content() if len(source.operands("nc")) else source.stdin or UNKNOWN
    files = source.operands("nc")
    value = source.file(files[0]) if files else source.stdin or UNKNOWN
    if value.text is None:
        return Value((None,), value.origin)
    count, unit = 10, "n"
    joined = " ".join(source.texts or [])
    if match := re.search(r"-(?:-lines=|-bytes=|([nc])\s*)?([+-]?\d+)", joined):
        unit = match[1] or ("c" if "--bytes" in joined else "n")
        number = match[2]
        if number.startswith(("+", "-")):
            return Value((None,), value.origin)
        count = int(number)
    pieces = list(value.text) if unit == "c" else value.text.splitlines(keepends=True)
    kept = pieces[:count] if source.name == "head" else pieces[len(pieces) - count if count < len(pieces) else 0 :]
    return Value(("".join(kept),), value.origin)


def _cut(source: Source) -> Value | None:
    texts = source.texts
    value = source.stdin or UNKNOWN
    if texts is None or value.text is None:
        return Value((None,), value.origin)
    joined = "\0".join(texts)
    fields = re.search(r"(?:^|\0)-(?:-characters=|-bytes=|-fields=|[cbf]\0?)([\d,-]+)", joined)
    delimiter = re.search(r"(?:^|\0)-(?:-delimiter=|d\0?)([^\0])", joined)
    if fields is None:
        return Value((None,), value.origin)
    by_field = "f" in fields[0].lstrip("\0")[1:3]
    sign = delimiter[1] if delimiter else "\t"
    out = []
    for line in value.text.splitlines():
        pieces = line.split(sign) if by_field else list(line)
        kept = [piece for number, piece in enumerate(pieces, 1) if _within(number, fields[1])]
        out.append((sign if by_field else "").join(kept) + "\n")
    return Value(("".join(out),), replace(value.origin, decoded=True))


def _within(number: int, ranges: str) -> bool:
    for one in ranges.split(","):
        low, dash, high = one.partition("-")
        if number >= int(low or 1) and number <= int(high or (10**9 if dash else low or 0)):
            return True
    return False


def _sed(source: Source) -> Value | None:
    words = source.operands("e")
    texts = source.texts or []
    scripts = [texts[i + 1] for i, text in enumerate(texts[:-1]) if text == "-e"]
    if not scripts and words:
        scripts = [words[0].text or ""]
        words = words[1:]
    value = source.file(words[0]) if words else source.stdin or UNKNOWN
    if value.text is None or not scripts:
        return Value((None,), value.origin)
    text = value.text
    extended = source.flag("-E", "-r", "--regexp-extended")
    for script in scripts:
        for one in re.split(r"\s*;\s*", script) if script[:1] == "s" else [script]:
            match = re.fullmatch(r"s(.)((?:\\.|(?!\1).)*)\1((?:\\.|(?!\1).)*)\1([gI]*)", one, re.DOTALL)
            if match is None:
                return Value((None,), value.origin)
            pattern = match[2] if extended else re.sub(r"\\?[(){}|+?]", _swapped, match[2])
            after = re.sub(r"(?<!\\)&", r"\\g<0>", match[3])
            try:
                text = "\n".join(
                    re.sub(pattern, after, line, count=0 if "g" in match[4] else 1) for line in text.split("\n")
                )
            except (re.error, IndexError):
                return Value((None,), value.origin)
    return Value((text,), replace(value.origin, decoded=True))


def _swapped(match: re.Match[str]) -> str:
    return match[0][1:] if match[0].startswith("\\") else "\\" + match[0]


def _awk(source: Source) -> Value | None:
    words = source.operands("Fv")
    value = source.stdin or UNKNOWN
    if not words or value.text is None or len(words) > 1:
        return Value((None,), value.origin)
    match = re.fullmatch(r"\{\s*print\s+((?:\$\d+|\"[^\"\\]*\"|\s|,)+)\}", words[0].text or "")
    if match is None:
        return Value((None,), value.origin)
    separator = None
    joined = "\0".join(source.texts or [])
    if found := re.search(r"(?:^|\0)-F\0?([^\0]+)", joined):
        separator = found[1]
    out = []
    for line in value.text.splitlines():
        fields = [line, *line.split(separator)]
        pieces = []
        for item in re.findall(r"\$\d+|\"[^\"]*\"|,", match[1]):
            if item == ",":
                pieces.append(" ")
            elif item[0] == '"':
                pieces.append(item[1:-1])
            else:
                pieces.append(fields[int(item[1:])] if int(item[1:]) < len(fields) else "")
        out.append("".join(pieces) + "\n")
    return Value(("".join(out),), replace(value.origin, decoded=True))


def _sorted(source: Source) -> Value:
    value = source.content()
    if value.text is None or source.args:
        return Value((None,), value.origin, value.globbed) if not value.globbed else value
    lines = value.text.splitlines(keepends=True)
    if source.name == "tac":
        lines.reverse()
    elif source.name == "uniq":
        lines = [line for number, line in enumerate(lines) if not number or lines[number - 1] != line]
    else:
        lines.sort()
    return Value(("".join(lines),), value.origin)


def _paste(source: Source) -> Value | None:
    value = source.stdin or UNKNOWN
    texts = source.texts or []
    if value.text is None or not source.flag("-s"):
        return Value((None,), value.origin)
    joined = "\0".join(texts)
    found = re.search(r"d\0?([^\0]*)", joined)
    sign = "\t" if found is None else escaped(found[1])
    sign = "" if sign == "\0" or (found is not None and found[1] == "\\0") else sign
    return Value((sign.join(value.text.splitlines()) + "\n",), value.origin)


def _seq(source: Source) -> Value | None:
    try:
        numbers = [int(text) for text in source.texts or [] if not text.startswith("-s")]
    except ValueError:
        return None
    if not 1 <= len(numbers) <= 3:
        return None
    first, step, last = {1: (1, 1), 2: (numbers[0], 1), 3: (numbers[0], numbers[1])}[len(numbers)] + (numbers[-1],)
    if step == 0 or abs(last - first) // abs(step) > 1000:
        return None
    return literal("".join(f"{n}\n" for n in range(first, last + (1 if step > 0 else -1), step)))


def _name_part(source: Source) -> Value | None:
    words = source.operands("s")
    if not words or words[0].text is None:
        return None
    path = words[0].text.rstrip("/") or "/"
    if source.name == "dirname":
        return literal((posixpath.dirname(path) or ".") + "\n")
    base = posixpath.basename(path)
    if len(words) > 1 and words[1].text:
        base = base.removesuffix(words[1].text)
    return literal(base + "\n")


def _resolved_path(source: Source) -> Value | None:
    words = source.operands()
    if len(words) != 1 or words[0].text is None or not source.cwd or words[0].globbed:
        return None
    return literal(posixpath.normpath(posixpath.join(source.cwd, words[0].text)) + "\n")


def _which(source: Source) -> Value | None:
    words = source.operands()
    if source.name in ("command", "type") and not source.flag("-v", "-p", "-P"):
        return None
    return literal("".join(f"/usr/bin/{word.text}\n" for word in words)) if all(word.text for word in words) else None


def _find(source: Source) -> Value | None:
    roots = []
    names = []
    texts = [word.text for word in source.args]
    for index, text in enumerate(texts):
        if text is None or not text.startswith(("-", "(", "!", ")")):
            if not names and (index == 0 or index == len(roots)):
                roots.append(source.args[index])
            continue
        if text in ("-name", "-iname", "-path", "-wholename") and index + 1 < len(texts):
            names.append((text, texts[index + 1]))
        if text in ("-printf", "-fprintf", "-ls", "-exec", "-execdir", "-delete"):
            return None
    if any(root.text is None for root in roots):
        return None
    name = names[0][1] if len(names) == 1 and names[0][0] in ("-name", "-iname") else None
    starts = [root.text or "." for root in roots] or ["."]
    tails = [f"/**/{name}" if name else "/**/*"] if names else ["", "/*"]
    shallow = "-mindepth" not in texts
    out = [start.rstrip("/") + tail for start in starts for tail in tails if tail or shallow]
    return Value(("\n".join(one or "/" for one in out) + "\n",), Origin(), globbed=True)


def _listed(source: Source) -> Value | None:
    words = source.operands()
    if words and all(word.globbed and word.text for word in words):
        return Value(("\n".join(word.text or "" for word in words) + "\n",), Origin(), globbed=True)
    return None


def _git(source: Source) -> Value | None:
    texts = source.texts or []
    setting = source.shell.scope.setting
    line = " ".join(texts)
    if line == "rev-parse --show-toplevel":
        return literal(setting.project + "\n")
    if line in ("branch --show-current", "rev-parse --abbrev-ref HEAD", "symbolic-ref --short HEAD"):
        return literal(setting.branch + "\n")
    if texts[:1] == ["ls-files"] or (texts[:1] == ["diff"] and "--name-only" in texts) or texts[:2] == ["grep", "-l"]:
        if "-o" in texts or "--others" in texts:
            return None
        patterns = [text for text in texts[1:] if not text.startswith("-") and "*" in text]
        return Value(("\n".join(f"./**/{p}" for p in patterns or ["*"]) + "\n",), Origin(), globbed=True)
    return None


def _grep(source: Source) -> Value | None:
    if not (source.flag("-l", "--files-with-matches", "-L") and source.flag("-r", "-R", "--recursive")):
        if source.name == "rg" and source.flag("-l"):
            pass
        else:
            value = source.stdin
            return None if value is None else Value((None,), value.origin)
    words = source.operands("efmABCgt")
    starts = [word.text for word in words[1:]] or ["."]
    if any(start is None for start in starts):
        return None
    return Value(("\n".join(f"{start}/**/*" for start in starts if start) + "\n",), Origin(), globbed=True)


def _mktemp(source: Source) -> Value:
    world = source.shell.world
    world.descriptors += 1
    words = source.operands("p")
    texts = source.texts or []
    folder = "/tmp"  # noqa: S108  where mktemp makes them
    if "-p" in texts[:-1]:
        folder = texts[texts.index("-p") + 1]
    name = words[-1].text if words and words[-1].text else "tmp.XXXXXXXXXX"
    name = re.sub(r"X{3,}", f"made{world.descriptors}", name)
    if "/" not in name or "-t" in texts:
        name = f"{folder}/{name}"
    path = posixpath.normpath(posixpath.join(source.cwd or "/", name))
    world.made.add(path)
    return literal(path + "\n")


def _fixed(make: Callable[[Source], str]) -> Callable[[Source], Value | None]:
    def made(source: Source) -> Value | None:
        text = make(source)
        return literal(text + "\n") if text else None

    return made


def _printenv(source: Source) -> Value | None:
    words = source.operands()
    if len(words) != 1 or words[0].text is None:
        return None
    ways = source.shell.ways(words[0].text)
    return None if ways is None or len(ways) != 1 else ways[0] + literal("\n")


_MAKERS: dict[str, Callable[[Source], Value | None]] = {
    "echo": _echo,
    "printf": _printf,
    "base64": _base64,
    "base32": _base64,
    "gbase64": _base64,
    "basenc": _base64,
    "xxd": _xxd,
    "openssl": _openssl,
    **dict.fromkeys(
        ["gzip", "gunzip", "zcat", "bzip2", "bunzip2", "bzcat", "xz", "unxz", "xzcat", "lzma", "unlzma", "zstd"],
        _gunzip,
    ),
    "uudecode": lambda source: _decoder(source, "uuencode"),
    "qprint": lambda source: _decoder(source, "quoted"),
    "rot13": lambda source: _decoder(source, "rot13"),
    "tr": _tr,
    "rev": _by_line(lambda line: line[::-1]),
    "cat": _cat,
    "tee": lambda source: source.stdin or UNKNOWN,
    "pv": lambda source: source.stdin or UNKNOWN,
    "dd": lambda source: source.stdin or UNKNOWN,
    "head": _head,
    "tail": _head,
    "cut": _cut,
    "sed": _sed,
    "awk": _awk,
    "gawk": _awk,
    "sort": _sorted,
    "uniq": _sorted,
    "tac": _sorted,
    "paste": _paste,
    "seq": _seq,
    "basename": _name_part,
    "dirname": _name_part,
    "realpath": _resolved_path,
    "readlink": _resolved_path,
    "which": _which,
    "command": _which,
    "type": _which,
    "find": _find,
    "fd": lambda source: None,
    "ls": _listed,
    "git": _git,
    "grep": _grep,
    "egrep": _grep,
    "rg": _grep,
    "mktemp": _mktemp,
    "pwd": _fixed(lambda source: source.cwd),
    "whoami": _fixed(lambda source: "root" if source.shell.scope.privileged else source.shell.scope.setting.user),
    "nproc": _fixed(lambda source: "16"),
    "true": lambda source: Value(),
    "false": lambda source: Value(),
    ":": lambda source: Value(),
    "printenv": _printenv,
}
