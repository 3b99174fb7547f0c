"""What filters make of a known text: decoders, translators and cutters, as far as their result can be known."""

from __future__ import annotations

import base64
import binascii
import bz2
import codecs
import lzma
import re
import zlib
from collections.abc import Callable, Sequence

from reactor_core.safety.shell.escapes import LETTERS, numbered

__all__ = ["DECODERS", "decoded", "escaped", "formatted", "translated"]

_CLASSES = {
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "lower": "abcdefghijklmnopqrstuvwxyz",
    "digit": "0123456789",
    "space": " \t\n\r\v\f",
    "blank": " \t",
    "punct": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
}
_CLASSES["alpha"] = _CLASSES["upper"] + _CLASSES["lower"]
_CLASSES["alnum"] = _CLASSES["digit"] + _CLASSES["upper"] + _CLASSES["lower"]

_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|0?([0-7]{1,3})|(.))", re.DOTALL)
_PLAIN_ESCAPES = LETTERS | {"\\": "\\", '"': '"', "'": "'"}
_FORMAT = re.compile(r"%(%|[-+ 0#]*(\*|\d+)?(?:\.(\*|\d+))?([diouxXeEfgGcsbq]))")


def escaped(text: str) -> str:
    """Backslash escapes replaced, as ``echo -e`` and ``printf`` do."""

    def plain(match: re.Match[str]) -> str:
        if (character := numbered(match)) is not None:
            return character
        return _PLAIN_ESCAPES.get(match[5], match[0])

    return _ESCAPE.sub(plain, text.partition("\\c")[0])


def formatted(form: str, args: Sequence[str]) -> str | None:
    """What ``printf`` prints; None if it cannot be told."""
    out: list[str] = []
    rest = list(args)
    for _ in range(len(args) + 1):
        used = 0
        at = 0
        for match in _FORMAT.finditer(form):
            out.append(escaped(form[at : match.start()]))
            at = match.end()
            if match[1] == "%":
                out.append("%")
                continue
            if "*" in (match[2], match[3]):
                return None
            arg = rest.pop(0) if rest else ""
            used += 1
            one = _conversion(match, arg)
            if one is None:
                return None
            out.append(one)
        out.append(escaped(form[at:]))
        if not rest or not used:
            break
    return "".join(out)


def _conversion(match: re.Match[str], arg: str) -> str | None:
    kind = match[4]
    flags = match[0][1:-1]
    try:
        if kind == "s":
            return f"%{flags}s" % arg
        if kind == "b":
            return escaped(arg)
        if kind == "c":
            return arg[:1]
        if kind == "q":
            return arg
        if kind in "diouxX":
            number = ord(arg[1]) if arg[:1] in ("'", '"') and len(arg) > 1 else int(arg or "0", 0)
            return f"%{flags}{'d' if kind in 'iu' else kind}" % number
        return f"%{flags}{kind}" % float(arg or 0)
    except (ValueError, IndexError, OverflowError):
        return None


def translated(text: str, sets: Sequence[str], flags: str) -> str | None:
    """What ``tr`` makes of a text.

    Args:
        text: The text.
        sets: One or two sets of characters.
        flags: Letters of its options.
    """
    first = _members(sets[0]) if sets else ""
    second = _members(sets[1]) if len(sets) > 1 else ""
    complement = "c" in flags or "C" in flags
    if "d" in flags:
        text = "".join(char for char in text if (char in first) is complement)
        return _squeezed(text, second) if "s" in flags else text
    if len(sets) < 2:
        return _squeezed(text, first) if "s" in flags else None
    if not second:
        return None
    if complement:
        return "".join(char if char in first else second[-1] for char in text)
    second = second.ljust(len(first), second[-1])
    table = {}
    for before, after in zip(first, second, strict=False):
        table[ord(before)] = after
    text = text.translate(table)
    return _squeezed(text, second) if "s" in flags else text


def _squeezed(text: str, chars: str) -> str:
    out: list[str] = []
    for char in text:
        if not (out and out[-1] == char and char in chars):
            out.append(char)
    return "".join(out)


def _members(text: str) -> str:
    text = re.sub(r"\[:(\w+):\]", lambda match: _CLASSES.get(match[1], ""), text)
    text = escaped(text)
    out: list[str] = []
    at = 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            out.extend(chr(code) for code in range(ord(text[at]), ord(text[at + 2]) + 1))
            at += 3
        else:
            out.append(text[at])
            at += 1
    return "".join(out)


def decoded(raw: bytes) -> str:
    """Bytes as text: UTF-8, or one character a byte."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _bytes(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _base64(text: str) -> bytes:
    text = re.sub(r"[^A-Za-z0-9+/_-]", "", text).replace("-", "+").replace("_", "/")
    return base64.b64decode(text + "=" * (-len(text) % 4))


def _base32(text: str) -> bytes:
    text = re.sub(r"[^A-Z2-7]", "", text.upper())
    return base64.b32decode(text + "=" * (-len(text) % 8))


def _hex(text: str) -> bytes:
    digits = re.sub(r"0[xX]|[^0-9A-Fa-f]", "", text)
    return bytes.fromhex(digits[: len(digits) // 2 * 2])


def _hex_dump(text: str) -> bytes:
    """``xxd -r`` of a whole dump: an offset, the bytes, and their characters in a last column."""
    out = b""
    for line in text.splitlines():
        out += _hex(line.partition(": ")[2].partition("  ")[0])
    return out


def _inflated(text: str) -> bytes:
    raw = _bytes(text)
    for wbits in (47, -15):
        try:
            found = zlib.decompressobj(wbits).decompress(raw, 200_000)
        except zlib.error:
            continue
        if found:
            return found
    raise ValueError("not compressed by gzip")


DECODERS: dict[str, Callable[[str], bytes]] = {
    "base64": _base64,
    "base32": _base32,
    "hex": _hex,
    "hexdump": _hex_dump,
    "gzip": _inflated,
    "bzip2": lambda text: bz2.BZ2Decompressor().decompress(_bytes(text), 200_000),
    "xz": lambda text: lzma.LZMADecompressor(memlimit=64 << 20).decompress(_bytes(text), 200_000),
    "rot13": lambda text: codecs.decode(text, "rot13").encode(),
    "uuencode": lambda text: b"".join(
        binascii.a2b_uu(line) for line in text.splitlines() if line and not line.startswith(("begin", "end", "`"))
    ),
    "quoted": lambda text: binascii.a2b_qp(_bytes(text)),
}
