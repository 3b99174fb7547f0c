"""What commands print, as far as it can be known without running them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from reactor_core.safety.shell.command import Origin
from reactor_core.safety.shell.decoders import escaped, formatted
from reactor_core.safety.shell.filters import FILTERS
from reactor_core.safety.shell.listings import LISTINGS
from reactor_core.safety.shell.sources import Source
from reactor_core.safety.shell.state import UNKNOWN, Value, joined_parts, literal

__all__ = ["printed"]

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


_MARK = "\U0010fffd"
"""Stands for an unknown piece while a format is applied: no text holds it."""


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
    args = ["".join(_MARK if part is None else part for part in word.parts) for word in words[1:]]
    text = formatted(form, args)
    if text is None:
        return Value((None,), origin)
    parts: list[str | None] = []
    for number, piece in enumerate(text.split(_MARK)):
        if number:
            parts.append(None)
        parts.append(piece)
    return Value(joined_parts(parts), origin, globbed=any(word.globbed for word in words))


def _seq(source: Source) -> Value | None:
    try:
        numbers = [int(text) for text in source.texts or [] if not text.startswith("-s")]
    except ValueError:
        return None
    if not 1 <= len(numbers) <= 3:
        return None
    last = numbers[-1]
    first = numbers[0] if len(numbers) > 1 else 1
    step = numbers[1] if len(numbers) > 2 else 1
    if step == 0 or abs(last - first) // abs(step) > 1000:
        return None
    return literal("".join(f"{n}\n" for n in range(first, last + (1 if step > 0 else -1), step)))


_MAKERS: dict[str, Callable[[Source], Value | None]] = {
    **FILTERS,
    **LISTINGS,
    "echo": _echo,
    "printf": _printf,
    "seq": _seq,
    "fd": lambda _source: None,
    "true": lambda _source: Value(),
    "false": lambda _source: Value(),
    ":": lambda _source: Value(),
}
