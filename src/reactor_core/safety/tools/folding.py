"""Constants of short programs in scripting languages: enough to know what a call is given."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from reactor_core.safety.tools.tokens import Token

__all__ = ["Folded", "Sink", "fold"]


@dataclass(frozen=True, slots=True)
class Folded:
    """A value as far as it is known.

    Attributes:
        text: The constant; None if it is not known.
        decoded: It came out of a decoder.
        fetched: It came from the network.
        option: It is a setting such as ``{recursive: true}`` and no target.
        elements: Its elements, if it is a list.
    """

    text: str | None
    decoded: bool = False
    fetched: bool = False
    option: bool = False
    elements: tuple[Folded, ...] | None = None


@dataclass(frozen=True, slots=True)
class Sink:
    """A call: its full name and what it is given."""

    name: str
    arguments: tuple[Folded, ...]


_UNKNOWN = Folded(None)
_FETCHES = re.compile(
    r"(?:^|[.:>])(?:fetch|URI\.open|open_uri|LWP::Simple::get|get|file_get_contents|urlopen|curl_exec|read_uri)$"
)
_WITHOUT_BRACKETS = frozenset({"perl", "ruby", "lua", "php"})
_ENDS = frozenset({"if", "unless", "for", "foreach", "while", "and", "or", "do"})
_DECODERS = {
    "decode_base64": "base64", "base64_decode": "base64", "atob": "base64", "decode64": "base64",
    "strict_decode64": "base64", "urlsafe_decode64": "base64", "hex2bin": "hex", "str_rot13": "rot13",
}  # fmt: skip


def fold(words: list[Token], home: str, language: str) -> Iterator[Sink]:
    """Every call in a program with what it is given; assignments of constants are followed on the way."""
    reader = _Reader(words, {}, home, language)
    for position, token in enumerate(words):
        if token.kind == "run":
            yield Sink("`", (reader.interpolated(token),))
        elif token.kind == "mark" and token.text == "|" and language == "awk":
            yield from _awk_pipe(words, position, reader)
        elif token.kind == "name":
            yield from _at_name(words, position, reader)


def _at_name(words: list[Token], position: int, reader: _Reader) -> Iterator[Sink]:
    token = words[position]
    following = words[position + 1] if position + 1 < len(words) else None
    if following is None or (following.kind == "mark" and following.text not in "([{=<@"):
        if token.text in {"unlink", "rmdir"}:
            yield Sink(token.text, ())
        return
    if following.kind == "mark" and following.text == "=":
        if not (position + 2 < len(words) and words[position + 2].text in {"=", "~", ">"}):
            reader.values[token.text.lstrip("$@%")] = reader.expression(position + 2)[0]
    elif following.text == "(" and following.kind == "mark":
        yield Sink(_full_name(words, position), reader.arguments(position + 2, ")"))
    elif reader.language in _WITHOUT_BRACKETS and (following.kind != "mark" or following.text in "[<@"):
        yield Sink(_full_name(words, position), reader.arguments(position + 1, ";"))


def _full_name(words: list[Token], position: int) -> str:
    """``require("fs").rmSync`` is ``require.rmSync``."""
    name = words[position].text
    if position >= 2 and words[position - 1].text in {".", "->"} and words[position - 2].text in {")", "]"}:
        return f"require.{name}"
    return name


def _awk_pipe(words: list[Token], position: int, reader: _Reader) -> Iterator[Sink]:
    """``"cmd" | getline`` and ``print | "cmd"`` run a command."""
    after = words[position + 1] if position + 1 < len(words) else None
    before = words[position - 1] if position else None
    if after is not None and after.kind == "mark" and after.text == "&" and position + 2 < len(words):
        after = words[position + 2]
    if after is not None and after.text == "$":
        yield Sink("|", (_UNKNOWN,))
    elif after is not None and after.kind == "string":
        yield Sink("|", (Folded(after.text),))
    elif after is not None and after.text == "getline" and before is not None:
        yield Sink("|", (reader.expression(_start_of(words, position))[0],))
    elif after is not None and after.kind == "name":
        yield Sink("|", (reader.values.get(after.text, _UNKNOWN),))


def _start_of(words: list[Token], position: int) -> int:
    start = position - 1
    while start > 0 and words[start - 1].kind in {"string", "name"} and words[start - 1].text not in {"while", "if"}:
        start -= 1
    return start


@dataclass(slots=True)
class _Reader:
    """Folds expressions of one program."""

    words: list[Token]
    values: dict[str, Folded]
    home: str
    language: str
    depth: int = 0

    def arguments(self, position: int, closer: str) -> tuple[Folded, ...]:
        """Up to the closing mark."""
        found: list[Folded] = []
        while position < len(self.words):
            token = self.words[position]
            if token.kind == "mark" and (token.text == closer or token.text in ";)}]|"):
                break
            if token.kind == "name" and token.text in _ENDS:
                break
            if token.kind == "mark" and token.text in {",", "=>"}:
                position += 1
                continue
            value, after = self.expression(position)
            found.append(value)
            position = max(after, position + 1)
        return tuple(found)

    def expression(self, position: int) -> tuple[Folded, int]:
        """One value: pieces joined by ``+``, ``.`` or ``..``, or by nothing in awk."""
        self.depth += 1
        if self.depth > 40:
            self.depth -= 1
            return _UNKNOWN, position + 1
        value, position = self.piece(position)
        while position < len(self.words):
            token = self.words[position]
            joins = token.kind == "mark" and token.text in {"+", ".", ".."}
            beside = self.language == "awk" and token.kind in {"string", "name"} and token.text not in {"in", "getline"}
            if not joins and not beside:
                break
            right, position = self.piece(position + 1 if joins else position)
            value = _joined(value, right)
        self.depth -= 1
        return value, position

    def piece(self, position: int) -> tuple[Folded, int]:
        """One value without its neighbours."""
        if position >= len(self.words):
            return _UNKNOWN, position
        token = self.words[position]
        if token.kind == "string":
            return self.methods(self.interpolated(token), position + 1)
        if token.kind == "number":
            return Folded(token.text), position + 1
        if token.kind == "name":
            return self.named(token, position)
        if token.kind == "run":
            return _UNKNOWN, position + 1
        return self.marked(token, position)

    def marked(self, token: Token, position: int) -> tuple[Folded, int]:
        """A list, a table, something in brackets, a sign."""
        if token.text == "[":
            elements = self.arguments(position + 1, "]")
            return self.methods(Folded(None, elements=elements), self.closing(position) + 1)
        if token.text == "{":
            end = self.closing(position)
            return Folded(" ".join(word.text for word in self.words[position + 1 : end]), option=True), end + 1
        if token.text == "(":
            value, _ = self.expression(position + 1)
            return self.methods(value, self.closing(position) + 1)
        if token.text == "<":  # a glob of Perl: <"/srv/*">, </srv/*>
            end = next((i for i in range(position, len(self.words)) if self.words[i].text == ">"), position)
            return Folded("".join(word.text for word in self.words[position + 1 : end]) or None), end + 1
        if token.text in {"-", "\\", "!", "&", "*", ":"}:
            value, after = self.piece(position + 1)
            return (Folded(f"-{value.text}") if token.text == "-" and value.text else value), after
        return _UNKNOWN, position + 1

    def interpolated(self, token: Token) -> Folded:
        """A string with the known variables put in."""
        if token.exact:
            return Folded(token.text)
        unknown = False

        def put(match: re.Match[str]) -> str:
            nonlocal unknown
            name = next(group for group in match.groups() if group)
            if "HOME" in name or "homedir" in name:
                return self.home
            value = self.values.get(name.strip("$@ "))
            if value is None or value.text is None:
                unknown = True
                return ""
            return value.text

        text = re.sub(r"[#$]\{([^}]*)\}|\$(ENV\{\w+\})|[$@](\w+)", put, token.text)
        return Folded(None if unknown else text)

    def named(self, token: Token, position: int) -> tuple[Folded, int]:
        """A variable, or a call whose value may be known."""
        name = token.text
        following = self.words[position + 1] if position + 1 < len(self.words) else None
        opens = following is not None and following.kind == "mark" and following.text in "([{"
        if name in {"ENV", "$ENV", "ENVIRON", "$_SERVER", "$_ENV", "process.env", "env"} and opens:
            end = self.closing(position + 1)
            inner = " ".join(word.text for word in self.words[position + 1 : end])
            return Folded(self.home if "HOME" in inner else None), end + 1
        if name.endswith((".env.HOME", "os.homedir", "Dir.home")) or name == "homedir":
            after = self.closing(position + 1) + 1 if opens and following and following.text == "(" else position + 1
            return self.methods(Folded(self.home), after)
        if opens and following is not None and following.text == "(":
            value = self.called(name, self.arguments(position + 2, ")"))
            return self.methods(value, self.closing(position + 1) + 1)
        last = re.split(r"\.|::|->", name)[-1]
        if (
            self.language in _WITHOUT_BRACKETS
            and following is not None
            and (last in _DECODERS or last in {"pack", "join", "reverse", "glob", "scalar", "chr", "get"})
        ) and (following.kind != "mark" or following.text == "["):
            return self.called(name, self.arguments(position + 1, ";")), len(self.words)
        if "." in name and name.partition(".")[0].lstrip("$") in self.values:
            head, _, methods = name.partition(".")
            value = self.values[head.lstrip("$")]
            for method in methods.split("."):
                value = self.apply(value, method, ())
            return self.methods(value, position + 1)
        if name in {"true", "false", "nil", "null", "undefined"}:
            return Folded(name, option=True), position + 1
        if following is not None and following.text == ":" and self.language in {"ruby", "node"}:
            return Folded(f"{name}: {self.words[position + 2].text}" if position + 2 < len(self.words) else name,
                          option=True), position + 3  # fmt: skip
        return self.methods(self.values.get(name.lstrip("$@%"), _UNKNOWN), position + 1)

    def called(self, name: str, arguments: tuple[Folded, ...]) -> Folded:
        """The value of a function of constants; unknown for any other."""
        last = re.split(r"\.|::|->", name)[-1]
        first = arguments[0] if arguments else _UNKNOWN
        texts = [one.text for one in arguments]
        if last in {"homedir", "home"} or (last == "getenv" and first.text == "HOME"):
            return Folded(self.home)
        if last in {"fromCharCode", "chr", "char", "fromCodePoint"}:
            return _from_codes(arguments)
        if last in _DECODERS:
            return _decode(_DECODERS[last], first)
        if last == "from" and name.startswith("Buffer"):
            how = (texts[1] or "") if len(texts) > 1 else ""
            return _decode(how, first) if how in {"base64", "hex", "base64url"} else first
        if last == "pack" and len(arguments) > 1:
            template = (texts[0] or "").upper()
            return _decode("hex", arguments[1]) if template.startswith("H") else _from_codes(arguments[1:])
        if last in {"join", "resolve", "normalize"} and arguments:
            if None in texts:
                return _UNKNOWN
            if name.startswith(("path.", "File.", "require.")):
                return Folded("/".join(text or "" for text in texts))
            return Folded((texts[0] or "").join(text or "" for text in texts[1:]))
        if last in {"glob", "expand_path", "globSync", "realpath", "String", "quotemeta"}:
            return first
        if last in {"strrev", "reverse", "scalar"} and first.text is not None:
            return Folded(first.text[::-1] if last != "scalar" else first.text, decoded=True)
        if _FETCHES.search(name) and first.text is not None and "://" in first.text:
            return Folded(None, fetched=True)
        return Folded(None, fetched=any(one.fetched for one in arguments))

    def methods(self, value: Folded, position: int) -> tuple[Folded, int]:
        """``.reverse``, ``.join("")``, ``.toString()`` behind a value."""
        while (
            position + 1 < len(self.words)
            and self.words[position].kind == "mark"
            and self.words[position].text in {".", "->"}
            and self.words[position + 1].kind == "name"
            and self.language in {"node", "ruby"}
        ):
            names = self.words[position + 1].text.split(".")
            arguments: tuple[Folded, ...] = ()
            after = position + 2
            if after < len(self.words) and self.words[after].text == "(":
                arguments = self.arguments(after + 1, ")")
                after = self.closing(after) + 1
            for index, method in enumerate(names):
                value = self.apply(value, method, arguments if index == len(names) - 1 else ())
            position = after
        return value, position

    def apply(self, value: Folded, method: str, arguments: tuple[Folded, ...]) -> Folded:
        """The value of a method of a constant."""
        first = arguments[0].text if arguments else None
        if method in {"toString", "to_s", "trim", "strip", "chomp", "decode", "text", "body", "read", "chars"}:
            return value
        if method == "join" and value.elements is not None:
            texts = [one.text for one in value.elements]
            return (
                _UNKNOWN if None in texts else Folded((first or "").join(text or "" for text in texts), value.decoded)
            )
        if method == "split" and value.text is not None:
            pieces = value.text.split(first) if first else list(value.text)
            return Folded(None, value.decoded, elements=tuple(Folded(piece) for piece in pieces))
        if method == "reverse":
            if value.elements is not None:
                return Folded(None, decoded=True, elements=value.elements[::-1])
            return Folded(value.text[::-1], decoded=True) if value.text is not None else value
        if method == "concat" and arguments:
            return _joined(value, arguments[0])
        if method in {"unpack1", "unpack", "pack"} and first:
            source = value.elements[0] if value.elements else value
            if first[0] in "mH":
                return _decode("base64" if first[0] == "m" else "hex", source)
            return _from_codes(value.elements) if value.elements else _UNKNOWN
        if method in {"replace", "replaceAll", "gsub", "sub"} and value.text is not None and len(arguments) > 1:
            old, new = arguments[0].text, arguments[1].text
            return Folded(value.text.replace(old, new)) if old is not None and new is not None else _UNKNOWN
        return Folded(None, fetched=value.fetched)

    def closing(self, position: int) -> int:
        """Where the bracket that opens here is closed."""
        depth = 0
        for index in range(position, len(self.words)):
            token = self.words[index]
            if token.kind != "mark":
                continue
            if token.text in "([{":
                depth += 1
            elif token.text in ")]}":
                depth -= 1
                if depth == 0:
                    return index
        return len(self.words) - 1


def _joined(left: Folded, right: Folded) -> Folded:
    text = None if left.text is None or right.text is None else left.text + right.text
    return Folded(text, left.decoded or right.decoded, left.fetched or right.fetched)


def _from_codes(arguments: tuple[Folded, ...]) -> Folded:
    flat: list[Folded] = []
    for one in arguments:
        flat.extend(one.elements if one.elements is not None else (one,))
    try:
        return Folded("".join(chr(int(one.text or "", 0)) for one in flat), decoded=True)
    except (ValueError, OverflowError):
        return Folded(None, decoded=True)


def _decode(how: str, value: Folded) -> Folded:
    if value.text is None:
        return Folded(None, decoded=True, fetched=value.fetched)
    try:
        if how == "hex":
            data = bytes.fromhex(value.text.strip())
        elif how == "rot13":
            return Folded(codecs.decode(value.text, "rot13"), decoded=True)
        else:
            data = base64.b64decode(value.text.replace("-", "+").replace("_", "/") + "==")
    except (ValueError, binascii.Error):
        return Folded(None, decoded=True)
    return Folded(data.decode("utf-8", "replace"), decoded=True)
