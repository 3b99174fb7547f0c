"""Reads the words of a shell script: quotes, escapes and the beginnings of all expansions."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from reactor_core.safety.scope import TooComplex
from reactor_core.safety.shell.escapes import LETTERS, numbered
from reactor_core.safety.shell.nodes import (
    Arithmetic,
    Literal,
    Parameter,
    Part,
    ProcessSubstitution,
    Redirection,
    Script,
    Substitution,
    WordNode,
)

__all__ = ["BadSyntax", "WordReader", "ansi_c", "joined"]

MAX_NESTING = 40

_PLAIN = re.compile(r"[^\s\\'\"`$|&;()<>?*+@!]+")
_PLAIN_QUOTED = re.compile(r"[^\\\"`$]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]|[@*#?$!-]")
_LONG_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]")
_OPERATOR = re.compile(r":[-=?+]|[-=?+]|##?|%%?|//|/[#%]|/|\^\^?|,,?|~~?|:|@[A-Za-z]")
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|c(.)|(.))", re.DOTALL
)


class BadSyntax(Exception):
    """What was read is not a shell script."""


def ansi_c(text: str) -> str:
    """What stands between ``$'`` and ``'``, with its escapes replaced."""

    def plain(match: re.Match[str]) -> str:
        if (character := numbered(match)) is not None:
            return character
        if match[5]:
            return chr(ord(match[5]) & 0x1F)
        return LETTERS.get(match[6], match[6] if match[6] in "\\'\"?" else match[0])

    text = _ESCAPE.sub(plain, text)
    if text.isascii():
        return text
    try:  # \xc3\xa9 are the two bytes of one character
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


class WordReader(ABC):
    """A place in a script, from which words are read.

    Args:
        text: The script.
        start: Where to begin.
        nesting: How deeply the text is nested in others.
    """

    def __init__(self, text: str, start: int = 0, nesting: int = 0) -> None:
        self.text = text
        self.at = start
        self.nesting = nesting
        self.pending: list[tuple[str, bool, bool, int | None, list[Redirection], int]] = []

    @abstractmethod
    def script(self, ends: frozenset[str]) -> Script:
        """Read commands up to, not including, one of the words or signs that end them."""

    def inner(self, text: str) -> Script:
        """The script in backquotes."""
        reader = type(self)(text, 0, self.nesting + 1)
        reader.deeper(0)
        return reader.script(frozenset())

    def deeper(self, by: int) -> None:
        """Count nesting.

        Raises:
            TooComplex: It is too deep.
        """
        self.nesting += by
        if self.nesting > MAX_NESTING:
            raise TooComplex(f"nested more than {MAX_NESTING} deep")

    def peek(self, count: int = 1) -> str:
        """The next characters."""
        return self.text[self.at : self.at + count]

    def expect(self, sign: str) -> None:
        """Go past ``sign``.

        Raises:
            BadSyntax: Something else is there.
        """
        if not self.text.startswith(sign, self.at):
            found = self.peek(10) or "the end"
            raise BadSyntax(f"{sign!r} is missing before {found!r}")
        self.at += len(sign)

    def word(self, stops: str = "", *, blanks: bool = False) -> WordNode:
        """Read one word; empty if none starts here.

        Args:
            stops: Further characters that end it.
            blanks: Blanks and operators are part of it, as inside ``${ }``.
        """
        parts: list[Part] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in stops:
                break
            if char == "\\":
                self._escape(parts)
            elif char == "'":
                end = self.text.find("'", self.at + 1)
                if end < 0:
                    raise BadSyntax("a single quote is not closed")
                parts.append(Literal(self.text[self.at + 1 : end], quoted=True))
                self.at = end + 1
            elif char == '"':
                self.at += 1
                parts.append(Literal("", quoted=True))
                self.quoted(parts, '"')
                self.expect('"')
            elif char == "`":
                parts.append(self._backquoted(quoted=False))
            elif char == "$":
                self._dollar(parts, quoted=False)
            elif not blanks and char in "<>":
                if self.peek(2) not in ("<(", ">("):
                    break
                self.at += 2
                parts.append(ProcessSubstitution(self._nested_script(), out=char == ">"))
            elif not blanks and (char in "|&;()" or char.isspace()):
                break
            elif char in "?*+@!" and self.text.startswith("(", self.at + 1):
                parts.append(Literal(self._extended_pattern()))
            else:
                match = None if stops or blanks else _PLAIN.match(self.text, self.at)
                end = match.end() if match else self.at + 1
                parts.append(Literal(self.text[self.at : end]))
                self.at = end
        return joined(parts)

    def quoted(self, parts: list[Part], stops: str) -> None:
        """Read what stands in double quotes, or in a here-document, up to one of ``stops`` or the end."""
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in stops:
                return
            if char == "\\":
                after = self.text[self.at + 1 : self.at + 2]
                if after == "\n":
                    pass
                elif after and after in '$`\\"' + stops:
                    parts.append(Literal(after, quoted=True))
                else:
                    parts.append(Literal("\\" + after, quoted=True))
                self.at += 2
            elif char == "`":
                parts.append(self._backquoted(quoted=True))
            elif char == "$":
                self._dollar(parts, quoted=True)
            else:
                match = _PLAIN_QUOTED.match(self.text, self.at) if stops == '"' else None
                end = match.end() if match else self.at + 1
                parts.append(Literal(self.text[self.at : end], quoted=True))
                self.at = end

    def _escape(self, parts: list[Part]) -> None:
        after = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if after != "\n":
            parts.append(Literal(after or "\\", quoted=True))

    def _extended_pattern(self) -> str:
        start = self.at
        self.at += 2
        depth = 1
        while depth:
            char = self.peek()
            if not char:
                raise BadSyntax("a pattern is not closed")
            depth += (char == "(") - (char == ")")
            self.at += 1
        return self.text[start : self.at]

    def _backquoted(self, *, quoted: bool) -> Substitution:
        self.at += 1
        out = []
        while (char := self.peek()) != "`":
            if not char:
                raise BadSyntax("a backquote is not closed")
            if char == "\\" and self.peek(2)[1:] in ("$", "`", "\\", '"' if quoted else "$"):
                self.at += 1
                char = self.peek()
            out.append(char)
            self.at += 1
        self.at += 1
        return Substitution(self.inner("".join(out)), quoted)

    def _nested_script(self) -> Script:
        """The commands up to the closing bracket, which is passed."""
        self.deeper(1)
        held, self.pending = self.pending, []
        body = self.script(frozenset(")"))
        self.expect(")")
        self.pending = held
        self.deeper(-1)
        return body

    def _dollar(self, parts: list[Part], *, quoted: bool) -> None:
        text = self.text
        after = text[self.at + 1 : self.at + 2]
        if after == "'" and not quoted:
            end = self.at + 2
            while end < len(text) and text[end] != "'":
                end += 2 if text[end] == "\\" else 1
            if end >= len(text):
                raise BadSyntax("$' is not closed")
            parts.append(Literal(ansi_c(text[self.at + 2 : end]), quoted=True))
            self.at = end + 1
        elif after == '"' and not quoted:
            self.at += 1  # a translated string: the quotes are read next
        elif text.startswith("((", self.at + 1) and (end := self._closing_arithmetic()) >= 0:
            parts.append(Arithmetic(self.expression(text[self.at + 3 : end]), quoted))
            self.at = end + 2
        elif after == "[" and (end := text.find("]", self.at)) >= 0:
            parts.append(Arithmetic(self.expression(text[self.at + 2 : end]), quoted))
            self.at = end + 1
        elif after == "(":
            self.at += 2
            parts.append(Substitution(self._nested_script(), quoted))
        elif after == "{":
            self.at += 2
            self.deeper(1)
            parts.append(self._braced(quoted=quoted))
            self.deeper(-1)
        elif match := _PARAMETER.match(text, self.at + 1):
            parts.append(Parameter(match[0], quoted))
            self.at = match.end()
        else:
            parts.append(Literal("$", quoted))
            self.at += 1

    def _closing_arithmetic(self) -> int:
        """Where the ``))`` of a ``$((`` is; -1 if it is rather a substitution that starts with a subshell."""
        depth = 0
        for index in range(self.at + 3, len(self.text)):
            char = self.text[index]
            if char == "(":
                depth += 1
            elif char == ")":
                if depth == 0:
                    return index if self.text.startswith("))", index) else -1
                depth -= 1
        return -1

    def expression(self, text: str) -> WordNode:
        """The words of an arithmetic expression."""
        reader = type(self)(text, 0, self.nesting + 1)
        reader.deeper(0)
        parts: list[Part] = []
        reader.quoted(parts, "")
        return joined([Literal(p.text.replace('"', ""), True) if isinstance(p, Literal) else p for p in parts])

    def _braced(self, *, quoted: bool) -> Parameter:
        """What follows ``${``."""
        text = self.text
        op = ""
        if text.startswith("#", self.at) and not text.startswith("#}", self.at):
            op = "length"
            self.at += 1
        elif text.startswith("!", self.at) and not text.startswith("!}", self.at):
            op = "indirect"
            self.at += 1
        match = _LONG_PARAMETER.match(text, self.at)
        if match is None:
            raise BadSyntax("${ has no name")
        name = match[0]
        self.at = match.end()
        index: WordNode | None = None
        if self.peek() == "[":
            self.at += 1
            index = self.word("]", blanks=True)
            self.expect("]")
        arg: WordNode = ()
        replacement: WordNode = ()
        if self.peek() != "}":
            found = _OPERATOR.match(text, self.at)
            if found is None:
                raise BadSyntax(f"${{{name} is followed by what is no operator")
            # ${!x:-y}: the name is looked up first, then the operator applies; both are kept.
            op = found[0] if op != "indirect" else f"indirect{found[0]}"
            self.at = found.end()
            arg = self._argument("/}" if found[0].startswith("/") else "}", quoted=quoted)
            if found[0].startswith("/") and self.peek() == "/":
                self.at += 1
                replacement = self._argument("}", quoted=quoted)
        self.expect("}")
        return Parameter(name, quoted, op, arg, replacement, index)

    def _argument(self, stops: str, *, quoted: bool) -> WordNode:
        if not quoted:
            return self.word(stops, blanks=True)
        parts: list[Part] = []
        while (char := self.peek()) and char not in stops:
            if char == '"':
                self.at += 1
                self.quoted(parts, '"')
                self.expect('"')
            else:
                self.quoted(parts, stops + '"')
        return joined(parts)


def joined(parts: list[Part]) -> WordNode:
    """The parts, with neighbouring text of one kind put together."""
    out: list[Part] = []
    for part in parts:
        last = out[-1] if out else None
        if isinstance(part, Literal) and isinstance(last, Literal) and part.quoted == last.quoted:
            out[-1] = Literal(last.text + part.text, part.quoted)
        else:
            out.append(part)
    return tuple(out)
