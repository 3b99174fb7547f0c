"""What filters and decoders print for a known input."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from reactor_core.safety.shell.command import Origin
from reactor_core.safety.shell.decoders import DECODERS, decoded, escaped, translated
from reactor_core.safety.shell.sources import Source
from reactor_core.safety.shell.state import UNKNOWN, Value

__all__ = ["FILTERS"]


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
            if _SLOW.search(pattern) or len(text) > 100_000:
                return Value((None,), value.origin)
            try:
                text = "\n".join(
                    re.sub(pattern, after, line, count=0 if "g" in match[4] else 1) for line in text.split("\n")
                )
            except (re.error, IndexError):
                return Value((None,), value.origin)
    return Value((text,), replace(value.origin, decoded=True))


_SLOW = re.compile(r"\)[*+?{]|[*+}].*[*+}].*[*+}]")
"""Expressions that may take for ever: a repeated group, or three repetitions."""


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


FILTERS: dict[str, Callable[[Source], Value | None]] = {
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
}
