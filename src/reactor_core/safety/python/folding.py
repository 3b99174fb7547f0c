"""Pure functions of constants: texts that are joined, cut, decoded."""

from __future__ import annotations

import base64
import binascii
import bz2
import codecs
import lzma
import posixpath
import shlex
import textwrap
import urllib.parse
import zlib
from collections.abc import Callable
from typing import Any

from reactor_core.safety.python.values import DECODED, MANY, Call, Value, constant, join_marks, unknown

__all__ = ["fold_function", "fold_method", "plain", "wrap"]

_MOST = 100_000
_STRING = frozenset(
    [
        "upper",
        "lower",
        "strip",
        "lstrip",
        "rstrip",
        "title",
        "swapcase",
        "capitalize",
        "split",
        "rsplit",
        "splitlines",
        "join",
        "replace",
        "startswith",
        "endswith",
        "encode",
        "format",
        "zfill",
        "ljust",
        "rjust",
        "center",
        "removeprefix",
        "removesuffix",
        "partition",
        "rpartition",
        "casefold",
        "expandtabs",
        "translate",
        "find",
        "index",
        "count",
        "isdigit",
        "isalpha",
        "format_map",
        "hex",
        "decode",
        "tobytes",
        "rfind",
    ]
)
_TESTS = frozenset({"startswith", "endswith", "isdigit", "isalpha", "find", "index", "count", "rfind"})
_LIST = frozenset(["copy", "index", "count", "keys", "values", "items", "get"])
_HIDING = frozenset({"decode", "translate", "fromhex"})


def plain(value: Value) -> Any:
    """The Python object that a known value stands for.

    Raises:
        ValueError: A part of it is not known.
    """
    if not value.known:
        raise ValueError("not known")
    inner = value.value
    if isinstance(inner, (list, tuple, set, frozenset)):
        return type(inner)(plain(one) if isinstance(one, Value) else one for one in inner)
    if isinstance(inner, dict):
        return {key: plain(one) if isinstance(one, Value) else one for key, one in inner.items()}
    return inner


def wrap(value: Any, marks: frozenset[str]) -> Value:
    """An object as a known value, with everything in it."""
    if isinstance(value, Value):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return Value(known=True, value=type(value)(wrap(one, marks) for one in list(value)[:5_000]), marks=marks)
    if isinstance(value, dict):
        return Value(known=True, value={key: wrap(one, marks) for key, one in value.items()}, marks=marks)
    if isinstance(value, (str, bytes, int, float, bool, complex, type(None), slice, range)):
        small = not isinstance(value, (str, bytes)) or len(value) <= _MOST
        return Value(known=True, value=value, marks=marks) if small else unknown(*marks)
    return unknown(*marks)


def fold_method(base: Value, method: str, call: Call) -> Value | None:
    """A method of a constant; None: it is not one that is computed here."""
    if not base.known or base.path:
        return None
    kind = base.value
    marks = base.marks | join_marks([*call.args, *call.kwargs.values()])
    if isinstance(kind, (str, bytes)) and method == "join" and call.args:
        return _joined(base, call.args[0], marks)
    if MANY in base.marks and method in _TESTS:
        return unknown(*marks)
    if isinstance(kind, (str, bytes)) and method in _STRING:
        if method == "format" and any(not one.known for one in (*call.args, *call.kwargs.values())):
            return Value(text=(*_pieces(str(kind)),), marks=marks)
        return _tried(lambda: getattr(plain(base), method)(*map(plain, call.args), **_named(call)), marks, method)
    if isinstance(kind, (list, tuple, dict)) and method in _LIST:
        return _of_container(base, method, call)
    return None


def _pieces(pattern: str) -> list[str | None]:
    parts: list[str | None] = []
    for index, piece in enumerate(pattern.replace("}", "{").split("{")):
        parts.append(piece if index % 2 == 0 else None)
    return parts


def _named(call: Call) -> dict[str, Any]:
    return {name: plain(value) for name, value in call.kwargs.items()}


def _joined(base: Value, given: Value, marks: frozenset[str]) -> Value:
    items = given.items
    if items is None:
        if given.string is not None:
            items = [constant(one) for one in given.string]
        else:
            return unknown(*marks)
    marks |= join_marks(items)
    if all(item.string is not None for item in items):
        texts: Any = [item.value for item in items]
        joined = _tried(lambda: base.value.join(texts), marks, "join")
        if all(item.string is not None and len(item.string) == 1 for item in items) and len(items) > 3:
            return joined.marked(DECODED)
        return joined
    between = base.string or ""
    parts: list[str | None] = []
    for index, item in enumerate(items):
        parts += [between] if index else []
        parts += [item.string] if item.text is None else list(item.text)
    return Value(text=tuple(parts), marks=marks)


def _of_container(base: Value, method: str, call: Call) -> Value | None:
    inner = base.value
    if isinstance(inner, dict):
        if method == "get" and call.args and call.args[0].known:
            found = inner.get(call.args[0].value)
            return found if isinstance(found, Value) else (call.args[1] if len(call.args) > 1 else constant(None))
        if method == "values":
            return constant(list(inner.values()))
        if method == "keys":
            return constant([constant(key) for key in inner])
        if method == "items":
            return constant([constant((constant(key), one)) for key, one in inner.items()])
    return base if method == "copy" else None


def _tried(make: Callable[[], Any], marks: frozenset[str], method: str) -> Value:
    try:
        result = make()
    except Exception:  # noqa: BLE001  a constant expression that fails at run time has no effect to be judged
        return unknown(*marks)
    return wrap(result, marks | {DECODED} if method in _HIDING else marks)


def _rot(text: Any, how: Any) -> Any:
    return codecs.decode(text, how)


def _unzip(data: bytes, *_: Any) -> bytes:
    """Of zlib or gzip; no more than is looked at, however small the text that unfolds to it."""
    return zlib.decompressobj(47).decompress(data, _MOST)


def _path_join(*parts: str) -> str:
    return posixpath.join(*parts)


_DECODERS: dict[str, Callable[..., Any]] = {
    "base64.b64decode": base64.b64decode,
    "base64.standard_b64decode": base64.b64decode,
    "base64.urlsafe_b64decode": base64.urlsafe_b64decode,
    "base64.b32decode": base64.b32decode,
    "base64.b16decode": base64.b16decode,
    "base64.b85decode": base64.b85decode,
    "base64.a85decode": base64.a85decode,
    "base64.decodebytes": base64.decodebytes,
    "binascii.unhexlify": binascii.unhexlify,
    "binascii.a2b_hex": binascii.unhexlify,
    "binascii.a2b_base64": binascii.a2b_base64,
    "bytes.fromhex": bytes.fromhex,
    "bytearray.fromhex": bytes.fromhex,
    "codecs.decode": _rot,
    "codecs.encode": codecs.encode,
    "zlib.decompress": _unzip,
    "gzip.decompress": _unzip,
    "bz2.decompress": lambda data: bz2.BZ2Decompressor().decompress(data, _MOST),
    "lzma.decompress": lambda data: lzma.LZMADecompressor().decompress(data, _MOST),
    "urllib.parse.unquote": urllib.parse.unquote,
    "chr": chr,
    "bytes": lambda *given: bytes(*given)[:_MOST],
    "bytearray": lambda *given: bytes(*given)[:_MOST],
}
_PLAIN: dict[str, Callable[..., Any]] = {
    "str": lambda *given: given[0].decode() if given and isinstance(given[0], bytes) else str(*given[:1]),
    "int": int,
    "float": float,
    "bool": bool,
    "len": len,
    "ord": ord,
    "abs": abs,
    "hex": hex,
    "round": round,
    "repr": repr,
    "ascii": ascii,
    "min": min,
    "max": max,
    "sum": sum,
    "base64.b64encode": base64.b64encode,
    "os.path.join": _path_join,
    "os.path.basename": posixpath.basename,
    "os.path.dirname": posixpath.dirname,
    "os.path.normpath": posixpath.normpath,
    "os.path.splitext": posixpath.splitext,
    "os.path.split": posixpath.split,
    "os.fspath": str,
    "os.fsdecode": lambda value: value.decode() if isinstance(value, bytes) else value,
    "shlex.split": shlex.split,
    "shlex.quote": shlex.quote,
    "shlex.join": shlex.join,
    "textwrap.dedent": textwrap.dedent,
    "operator.add": lambda a, b: a + b,
    "operator.concat": lambda a, b: a + b,
}


def fold_function(name: str, call: Call) -> Value | None:
    """A pure function of constants; None: it is not one, or its arguments are not known."""
    maker = _DECODERS.get(name) or _PLAIN.get(name)
    if maker is None or call.starred:
        return None
    marks = join_marks([*call.args, *call.kwargs.values()])
    known = maker
    try:
        args = [plain(value) for value in call.args]
        if name in ("bytes", "bytearray") and args and isinstance(args[0], int):
            return unknown(*marks)
        result = known(*args, **_named(call))
    except Exception:  # noqa: BLE001  what fails at run time, or is not known, has no value here
        if name in ("os.path.join", "str") and call.args:
            return _partial(name, call.args, marks)
        return unknown(*marks, *([DECODED] if name in _DECODERS else []))
    return wrap(result, marks | {DECODED} if name in _DECODERS else marks)


def _partial(name: str, args: tuple[Value, ...], marks: frozenset[str]) -> Value:
    if name == "str":
        return Value(text=args[0].text, marks=marks)
    parts: list[str | None] = []
    for index, value in enumerate(args):
        text = value.string
        if text is not None and text.startswith("/"):
            parts = []
        parts += ["/"] if index and parts and parts[-1] != "/" else []
        parts += [text] if value.text is None else list(value.text)
    return Value(text=tuple(parts), marks=marks)
