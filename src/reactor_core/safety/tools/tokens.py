"""Tokens of short programs in scripting languages: strings stay whole, whatever they are quoted with."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Token", "tokens"]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a program.

    Attributes:
        kind: string, run (a command in backquotes), name, number or mark.
        text: Without quotes, escapes resolved.
        exact: Nothing is put into the string when the program runs.
    """

    kind: str
    text: str
    exact: bool = True


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b", "a": "\a"}
_PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">"}
_COMMENTS = {"node": ("//",), "php": ("//", "#"), "lua": ("--",)}
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>0[xX][0-9a-fA-F]+|0o[0-7]+|\d+(?:\.\d+)?)"
    r"|(?P<name>[$@%]?[A-Za-z_]\w*(?:(?:\.|::|->|\?\.)[A-Za-z_]\w*[!?]?)*[!?]?)"
    r"|(?P<mark>=>|->|&&|\|\||\.\.|[^\s\w])"
)
_QUOTE_WORD = re.compile(r"(?<![\w$@%>.-])(q[qxw]?|%[qQwWix]?)\s*([({\[</|!#])")
_CODE = re.compile(r"x\{?([0-9a-fA-F]{1,6})\}?|u\{?([0-9a-fA-F]{4})\}?|([0-7]{3})")
_PATTERN = re.compile(r"/((?:[^/\\\n]|\\.)+)/[a-z]*")
_PUT_IN = re.compile(r"[$@](?:\w|\{)")


def tokens(source: str, language: str) -> list[Token]:
    """Take a program apart.

    Args:
        source: The program.
        language: perl, ruby, node, php, lua or awk: how strings and comments are written.
    """
    found: list[Token] = []
    position = 0
    comments = _COMMENTS.get(language, ("#",))
    while position < len(source):
        if source.startswith(comments, position) and not source.startswith("#{", position):
            end = source.find("\n", position)
            position = len(source) if end < 0 else end
            continue
        quoted = _quoted(source, position, language, found)
        if quoted is not None:
            token, position = quoted
            found.append(token)
            continue
        match = _TOKEN.match(source, position)
        if match is None:
            position += 1
            continue
        position = match.end()
        kind = match.lastgroup or "mark"
        if kind != "space":
            found.append(Token(kind, match.group()))
    return found


def _quoted(source: str, start: int, language: str, before: list[Token]) -> tuple[Token, int] | None:
    character = source[start]
    if character in "'\"`":
        text, end, plain = _until(source, start + 1, character, raw=character == "'" and language != "node")
        if character == "`" and language != "node":
            return Token("run", text, plain), end
        return Token("string", text, character == "'" or plain), end
    if character == "/" and language in {"perl", "ruby", "node", "awk"} and _begins_pattern(before):
        pattern = _PATTERN.match(source, start)
        if pattern is not None:
            return Token("string", pattern.group(1)), pattern.end()
    if language in {"perl", "ruby"} and character in "q%":
        match = _QUOTE_WORD.match(source, start)
        operator = match is not None and match.group(1) == "%" and before and before[-1].kind != "mark"
        if match is not None and not operator:
            opener, how = match.group(2), match.group(1)
            raw = how in {"q", "%q", "qw", "%w"}
            text, end, plain = _until(source, match.end(), _PAIRS.get(opener, opener), raw=raw)
            return Token("run" if how in {"qx", "%x"} else "string", text, raw or plain), end
    if language == "lua" and source.startswith("[[", start):
        end = source.find("]]", start)
        if end > 0:
            return Token("string", source[start + 2 : end]), end + 2
    return None


def _begins_pattern(before: list[Token]) -> bool:
    """Whether a slash begins a pattern here: behind a value it divides."""
    if not before:
        return True
    last = before[-1]
    if last.kind == "name":
        return last.text in {"if", "unless", "and", "or", "not", "split", "grep", "return", "while", "when"}
    return last.kind == "mark" and last.text not in {")", "]", "}"}


def _until(source: str, position: int, closer: str, *, raw: bool) -> tuple[str, int, bool]:
    """The text up to the closing mark, where that ends, and whether nothing is put in."""
    out: list[str] = []
    plain = True
    while position < len(source) and source[position] != closer:
        character = source[position]
        if character == "\\" and position + 1 < len(source):
            code = None if raw else _CODE.match(source, position + 1)
            if code is not None:
                digits = code.group(1) or code.group(2)
                value = int(digits, 16) if digits else int(code.group(3), 8)
                out.append(chr(min(value, 0x10FFFF)))
                position = code.end()
                continue
            following = source[position + 1]
            out.append(following if raw else _ESCAPES.get(following, following))
            position += 2
            continue
        if not raw and (source.startswith(("#{", "${"), position) or _PUT_IN.match(source, position)):
            plain = False
        out.append(character)
        position += 1
    return "".join(out), min(position + 1, len(source)), plain
