"""SQL text as tokens, in the four ways in which the dialects differ: strings, quoted names and comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = ["FLAVOURS", "Group", "Kind", "Node", "Token", "grouped", "lex", "text_of"]

FLAVOURS = ("postgres", "mysql", "tsql", "oracle")
"""Ways to read a text; each is the name of a dialect that reads so. SQLite, Snowflake and the others read as one."""


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    NAME = "name"
    STRING = "string"
    NUMBER = "number"
    PARAMETER = "parameter"
    OPERATOR = "operator"
    CLIENT = "client"
    """A command to the client program, such as ``\\! ls``, up to the end of its line."""
    ODD = "odd"
    """A character or an unclosed quote that this dialect does not know."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token.

    Args:
        kind: What it is.
        raw: As it is written.
        text: Without quotes and escapes.
        breaks: A line ends before it.
    """

    kind: Kind
    raw: str
    text: str
    breaks: bool = False

    @property
    def upper(self) -> str:
        """A bare word in capitals; empty for everything else, so that a quoted name is never taken for a keyword."""
        return self.text.upper() if self.kind is Kind.WORD else ""


@dataclass(frozen=True, slots=True)
class Group:
    """What stands between two brackets."""

    inner: tuple[Node, ...]

    upper: str = ""
    breaks: bool = False


Node = Token | Group

_SPACE = r"(?P<space>\s+)"
_NUMBER = r"(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_WORD = r"(?P<word>[^\W\d][\w$#@]*)"
_PARAMETER = r"(?P<parameter>@@?[\w.$#]+|\$\d+|\$\{[^}]*\}|\{\{.*?\}\}|:(?:\w+|'\w+'|\"\w+\")|%\(\w+\)s|%s|\?)"
_OPERATOR = r"(?P<operator>::|:=|<=>|<>|!=|<=|>=|\|\||&&|->>|->|=>|!~\*|!~|~\*|[-+*/%=<>!~^&|.,;()\[\]{}:@#?$])"
_QUOTED = r"(?P<string>(?:[nN]|[uU]&|[bBxX])?'(?:[^']|'')*')"
_ESCAPED = r"(?P<escaped>[eE]'(?:[^'\\]|\\.|'')*')"
_DOLLAR = r"(?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$.*?\$(?(tag)(?P=tag)|)\$)"
_DOUBLE = r"(?P<name>\"(?:[^\"]|\"\")*\")"
_TICK = r"(?P<tick>`(?:[^`]|``)*`)"
_BRACKET = r"(?P<bracket>\[[A-Za-z_#@][^\]\n]*\])"
_DASHES = r"(?P<line>--[^\n]*)"
_OPEN = r"(?P<open>/\*)"
_CLIENT = r"(?P<client>\\[^\n]*)"

_PATTERNS = {
    "postgres": (_SPACE, _DASHES, _OPEN, _ESCAPED, _DOLLAR, _QUOTED, _DOUBLE, _TICK, _NUMBER, _WORD),
    "mysql": (
        _SPACE, r"(?P<line>--(?=\s|$)[^\n]*|\#[^\n]*)", _OPEN, r"(?P<string>[bBxX]'[^']*')",
        r"(?P<slashed>(?:[nN]|_\w+\s*)?'(?:[^'\\]|\\.|'')*')",
        r"(?P<doubled>\"(?:[^\"\\]|\\.|\"\")*\")", _TICK, _NUMBER, _WORD,
    ),
    "tsql": (_SPACE, _DASHES, _OPEN, _QUOTED, _DOUBLE, _BRACKET, _NUMBER, r"(?P<word>\#{0,2}[^\W\d][\w$#@]*)"),
    "oracle": (
        _SPACE, _DASHES, _OPEN,
        r"(?P<quoting>[nN]?[qQ]'(?:\[.*?\]|\{.*?\}|\(.*?\)|<.*?>|(?P<mark>[^\s\[{(<]).*?(?P=mark))')",
        _QUOTED, _DOUBLE, _TICK, _NUMBER, _WORD,
    ),
}  # fmt: skip
_TAIL = (_CLIENT, _PARAMETER, _OPERATOR, r"(?P<odd>.)")
_READERS = {name: re.compile("|".join((*parts, *_TAIL)), re.DOTALL) for name, parts in _PATTERNS.items()}
_NESTED_COMMENTS = frozenset({"postgres", "tsql"})
_RUN_COMMENT = re.compile(r"/\*M?!\d*")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|([0-7]{2,3})|(.))", re.DOTALL)


def lex(text: str, flavour: str) -> list[Token]:
    """The tokens of a text as one of :data:`FLAVOURS` reads it. Comments are left out, but what MySQL executes inside
    ``/*! */`` is kept where it is read as MySQL. Never fails: what cannot be read becomes a token of kind ODD."""
    reader, tokens, at, running, breaks = _READERS[flavour], list[Token](), 0, 0, False
    while at < len(text):
        if running and text.startswith("*/", at):
            at, running = at + 2, running - 1
            continue
        match = reader.match(text, at)
        assert match is not None, "the last alternative takes any character"
        kind, raw = match.lastgroup or "odd", match.group()
        kind = {"tag": "dollar", "mark": "quoting"}.get(kind, kind)
        at = match.end()
        if kind == "space" or kind == "line":
            breaks = breaks or "\n" in raw
            continue
        if kind == "open":
            run = _RUN_COMMENT.match(text, match.start()) if flavour == "mysql" else None
            if run:
                at, running = run.end(), running + 1
                continue
            at = _after_comment(text, match.start(), nested=flavour in _NESTED_COMMENTS)
            if at < 0:
                tokens.append(Token(Kind.ODD, "/*", "/*", breaks))
                break
            continue
        tokens.append(_token(kind, raw, breaks))
        breaks = False
    return tokens


def _after_comment(text: str, start: int, *, nested: bool) -> int:
    depth, at = 1, start + 2
    while depth:
        close = text.find("*/", at)
        if close < 0:
            return -1
        inner = text.find("/*", at, close) if nested else -1
        depth, at = (depth + 1, inner + 2) if inner >= 0 else (depth - 1, close + 2)
    return at


def _token(kind: str, raw: str, breaks: bool) -> Token:
    if kind == "string":
        prefix = raw[: raw.index("'")].strip()
        inner = raw[raw.index("'") + 1 : -1].replace("''", "'")
        if prefix.upper() == "X":
            inner = _from_hex(inner)
        return Token(Kind.STRING, "'" + inner.replace("'", "''") + "'", inner, breaks)
    if kind in ("escaped", "slashed", "doubled"):
        quote = '"' if kind == "doubled" else "'"
        inner = _unescape(raw[raw.index(quote) + 1 : -1].replace(quote * 2, quote))
        return Token(Kind.STRING, "'" + inner.replace("'", "''") + "'", inner, breaks)
    if kind == "dollar":
        tag = raw[: raw.index("$", 1) + 1]
        inner = raw[len(tag) : -len(tag)]
        return Token(Kind.STRING, "'" + inner.replace("'", "''") + "'", inner, breaks)
    if kind == "quoting":
        inner = raw[raw.index("'") + 2 : -2]
        return Token(Kind.STRING, "'" + inner.replace("'", "''") + "'", inner, breaks)
    if kind in ("name", "tick", "bracket"):
        inner = raw[1:-1].replace(raw[0] * 2, raw[0])
        return Token(Kind.NAME, '"' + inner.replace('"', '""') + '"', inner, breaks)
    kinds = {"number": Kind.NUMBER, "word": Kind.WORD, "parameter": Kind.PARAMETER, "client": Kind.CLIENT,
             "operator": Kind.OPERATOR}  # fmt: skip
    if kind == "operator" and raw == "?":
        kind = "parameter"
    return Token(kinds.get(kind, Kind.ODD), raw, raw, breaks)


def _from_hex(digits: str) -> str:
    try:
        return bytes.fromhex(digits).decode("utf-8", "replace")
    except ValueError:
        return digits


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        code, wide, octal, other = match.groups()
        if octal:
            return chr(int(octal, 8))
        return chr(int(code or wide, 16)) if code or wide else _ESCAPES.get(other, other)

    return _ESCAPE.sub(one, text)


def grouped(tokens: Iterable[Token]) -> tuple[Node, ...]:
    """Tokens with round brackets folded into groups; unbalanced brackets are closed at the end."""
    stack: list[list[Node]] = [[]]
    for token in tokens:
        if token.raw == "(" and token.kind is Kind.OPERATOR:
            stack.append([])
        elif token.raw == ")" and token.kind is Kind.OPERATOR:
            if len(stack) > 1:
                inner = stack.pop()
                stack[-1].append(Group(tuple(inner)))
        else:
            stack[-1].append(token)
    while len(stack) > 1:
        inner = stack.pop()
        stack[-1].append(Group(tuple(inner)))
    return tuple(stack[0])


def text_of(nodes: Sequence[Node]) -> str:
    """Nodes as SQL again, with one space between tokens."""
    parts = [f"({text_of(node.inner)})" if isinstance(node, Group) else node.raw for node in nodes]
    return " ".join(parts).replace(" . ", ".")
