"""Reads the lines of a script: blanks, comments, redirections with their here-documents, and simple commands."""

from __future__ import annotations

import re
from abc import abstractmethod

from reactor_core.safety.shell.nodes import Assignment, Function, Literal, Node, Part, Redirection, Simple, WordNode
from reactor_core.safety.shell.words import BadSyntax, WordReader, joined

__all__ = ["LineReader"]

_REDIRECTION = re.compile(r"(\d+|\{[A-Za-z_]\w*\})?(&>>|&>|<<<|<<-|<<|<>|<&|>&|>>|>\||<|>)")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?=|\[)")
_DECLARING = frozenset({"declare", "typeset", "local", "export", "readonly"})
_KEYWORD = re.compile(
    r"(?:if|then|elif|else|fi|for|select|while|until|done|do|case|esac|in|function|time|\{|!|\[\[)(?=[ \t\n;&|()<>]|$)"
    r"|\}(?=[ \t\n;&|()<>}]|$)"
)
_BLANK = re.compile(r"(?:[ \t]|\\\n|\r(?=\n))+")


class LineReader(WordReader):
    """Reads single lines; what is made of several is read by the grammar."""

    @abstractmethod
    def function(self, name: str) -> Function:
        """Read the body of a function."""

    def blanks(self, *, lines: bool = False) -> None:
        """Pass blanks and comments; ``lines``: also line ends."""
        while True:
            if match := _BLANK.match(self.text, self.at):
                self.at = match.end()
            char = self.peek()
            if char == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif char == "\n" and lines:
                self._line_end()
            else:
                return

    def _line_end(self) -> None:
        """Pass the end of a line, and the here-documents that begin behind it."""
        self.at += 1
        waiting, self.pending = self.pending, []
        for word, literal, tabs, fd, into, place in waiting:
            lines = []
            while self.at < len(self.text):
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line = self.text[self.at : end]
                self.at = end + 1
                if tabs:
                    line = line.lstrip("\t")
                if line == word:
                    break
                lines.append(line)
            self.at = min(self.at, len(self.text))
            text = "".join(f"{line}\n" for line in lines)
            into[place] = Redirection("<<", self._document(text, literal=literal), fd)

    def _document(self, text: str, *, literal: bool) -> WordNode:
        if literal:
            return (Literal(text, quoted=True),)
        reader = type(self)(text, 0, self.nesting + 1)
        reader.deeper(0)
        parts: list[Part] = []
        reader.quoted(parts, "")
        return joined(parts)

    def keyword(self) -> str:
        """The reserved word that stands here, which is not passed; empty if none does."""
        match = _KEYWORD.match(self.text, self.at)
        return match[0] if match else ""

    def redirections(self) -> tuple[Redirection, ...]:
        """Read all redirections that stand here."""
        found: list[Redirection] = []
        while self._redirection(found):
            pass
        if any(redirection.op == "<<wait" for redirection in found):
            self._fill()
        return tuple(found)

    def _fill(self) -> None:
        """Read the bodies of here-documents now: they begin behind the end of this line."""
        held = self.at
        end = self._end_of_line(held)
        if end < 0:
            self.at = len(self.text)
            self.pending, waiting = [], self.pending
            for _, _, _, fd, into, place in waiting:
                into[place] = Redirection("<<", (), fd)
            self.at = held
            return
        self.at = end
        self._line_end()
        # What is left of the line is read next; the bodies are cut out of the text behind it.
        self.text = self.text[: end + 1] + self.text[self.at :]
        self.at = held

    def _end_of_line(self, start: int) -> int:
        """Where the line ends, passing over quotes and brackets; -1 if it is the last."""
        quote = ""
        index = start
        while index < len(self.text):
            char = self.text[index]
            if char == "\\" and quote != "'":
                index += 2
                continue
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"`":
                quote = char
            elif char == "\n":
                return index
            index += 1
        return -1

    def _redirection(self, found: list[Redirection]) -> bool:
        self.blanks()
        match = _REDIRECTION.match(self.text, self.at)
        if match is None or (match[2] in "<>" and self.text.startswith("(", match.end()) and not match[1]):
            return False
        number, op = match[1], match[2]
        self.at = match.end()
        self.blanks()
        fd = int(number) if number and number.isdigit() else None
        start = self.at
        target = self.word()
        if not target:
            raise BadSyntax(f"{op} has no target")
        if op in ("<<", "<<-"):
            quoted = any(sign in self.text[start : self.at] for sign in "'\"\\")
            end = "".join(part.text for part in target if isinstance(part, Literal))
            found.append(Redirection("<<wait", (), fd))
            self.pending.append((end, quoted, op == "<<-", fd, found, len(found) - 1))
        else:
            found.append(Redirection(op, target, fd))
        return True

    def simple(self) -> Node:
        """Read a simple command, or the definition of a function."""
        assignments: list[Assignment] = []
        declared: list[Assignment] = []
        words: list[WordNode] = []
        redirections: list[Redirection] = []
        declaring = False
        while True:
            if self._redirection(redirections):
                continue
            match = _ASSIGNMENT.match(self.text, self.at) if declaring or not words else None
            if match and (found := self._assignment(match)):
                (declared if words else assignments).append(found)
                continue
            word = self.word()
            if not word:
                break
            first = word[0]
            if not words:
                plain = first.text if len(word) == 1 and isinstance(first, Literal) and not first.quoted else ""
                declaring = plain in _DECLARING
                self.blanks()
                if plain and not assignments and (brackets := re.compile(r"\([ \t]*\)").match(self.text, self.at)):
                    self.at = brackets.end()
                    return self.function(plain)
            words.append(word)
        if not words and not assignments and not redirections:
            raise BadSyntax(f"a command is missing before {self.peek(10)!r}")
        if any(redirection.op == "<<wait" for redirection in redirections):
            self._fill()
        return Simple(tuple(assignments), tuple(words), tuple(redirections), tuple(declared))

    def _assignment(self, match: re.Match[str]) -> Assignment | None:
        held = self.at
        self.at = match.end()
        index: WordNode | None = None
        append = match[2] == "+="
        if match[2] == "[":
            index = self.word("]", blanks=True)
            after = re.compile(r"\](\+?=)").match(self.text, self.at)
            if after is None:
                self.at = held
                return None
            append = after[1] == "+="
            self.at = after.end()
        if self.peek() != "(":
            return Assignment(match[1], self.word(), append, index)
        self.at += 1
        elements: list[WordNode] = []
        while True:
            self.blanks(lines=True)
            if self.peek() == ")":
                self.at += 1
                return Assignment(match[1], tuple(elements), append, index, array=True)
            element = self.word()
            if not element:
                raise BadSyntax("an array is not closed")
            elements.append(element)
