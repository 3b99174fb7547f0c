"""Reads a shell script: commands, pipelines, lists, loops, functions, redirections and here-documents.

It follows the grammar of bash, which holds that of POSIX. What cannot be read ends the script, which then says that it
is broken: a shell would have run the lines before.
"""

from __future__ import annotations

import re
from dataclasses import replace

from reactor_core.safety.scope import TooComplex
from reactor_core.safety.shell.lines import LineReader
from reactor_core.safety.shell.nodes import (
    ArithmeticCommand,
    Case,
    Compound,
    CountingFor,
    For,
    Function,
    If,
    Item,
    Literal,
    Node,
    Part,
    Pipeline,
    Script,
    Test,
    While,
    WordNode,
)
from reactor_core.safety.shell.words import BadSyntax

__all__ = ["parse"]

_FUNCTION_NAME = re.compile(r"[^\s()<>|&;$`'\"\\]+")
_NOT_FIRST = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})


MAX_COMMANDS = 3_000
"""Of a script; a longer one is not looked at."""


class _Parser(LineReader):
    def script(self, ends: frozenset[str]) -> Script:
        items: list[Item] = []
        joined = ";"
        while True:
            self.blanks(lines=True)
            if self.at >= len(self.text) or self._ends(ends):
                break
            if self.peek() == ";" and self.peek(2) != ";;" and not ends:  # an empty command: bash refuses it
                self.at += 1
                continue
            self.count += 1
            if self.count > MAX_COMMANDS:
                raise TooComplex(f"more than {MAX_COMMANDS:,} commands")
            pipeline = self.pipeline()
            item = Item(pipeline, joined)
            joined = ";"
            self.blanks()
            two = self.peek(2)
            if two in ("&&", "||"):
                joined = two
                self.at += 2
                items.append(item)
                self.blanks(lines=True)
                if self.at >= len(self.text) or self._ends(ends):
                    self.script_so_far(items)
                    raise BadSyntax(f"nothing stands behind {two}")
                continue
            if self.peek() == "&":
                item = replace(item, background=True)
                self.at += 1
            elif self.peek() == ";" and two != ";;" and not self.text.startswith(";&", self.at):
                self.at += 1
            elif self.peek() not in ("\n", "") and not self._ends(ends):
                self.script_so_far(items, item)
                raise BadSyntax(f"{self.peek(10)!r} cannot stand here")
            items.append(item)
            self.script_so_far(items)
        if ends and self.at >= len(self.text):
            raise BadSyntax(f"{' or '.join(sorted(ends))!r} is missing at the end")
        return Script(tuple(items))

    def script_so_far(self, items: list[Item], item: Item | None = None) -> None:
        """What the outermost script consists of, should the rest turn out to be unreadable."""
        if self.nesting == 0 and self._open == 0:
            self.complete = [*items, item] if item else items

    complete: list[Item]
    count = 0
    _open = 0

    def _ends(self, ends: frozenset[str]) -> bool:
        if not ends:
            return False
        if ")" in ends and self.peek() == ")":
            return True
        if ";;" in ends and self.peek(2) in (";;", ";&"):
            return True
        return self.keyword() in ends

    def pipeline(self) -> Pipeline:
        negated = False
        while (word := self.keyword()) in ("!", "time"):
            self.at += len(word)
            self.blanks()
            negated ^= word == "!"
            if word == "time" and self.peek(2) == "-p":
                self.at += 2
                self.blanks()
        commands = [self.command()]
        while True:
            self.blanks()
            if self.peek() != "|" or self.peek(2) == "||":
                return Pipeline(tuple(commands), negated)
            self.at += 2 if self.peek(2) == "|&" else 1
            self.blanks(lines=True)
            commands.append(self.command())

    def command(self) -> Node:
        self.deeper(1)
        self._open += 1
        node = self._command()
        self._open -= 1
        self.deeper(-1)
        return node

    def _command(self) -> Node:
        word = self.keyword()
        if word in _NOT_FIRST:
            raise BadSyntax(f"{word!r} cannot stand here")
        if self.text.startswith("((", self.at):
            start = self.at
            end = self._closing_arithmetic_at(self.at + 2)
            if end >= 0:
                self.at = end + 2
                return ArithmeticCommand(self.expression(self.text[start + 2 : end]), self.redirections())
        if self.peek() == "(":
            self.at += 1
            return Compound(self._until(")"), True, self.redirections())
        if word and word not in ("in", "!", "time"):
            self.at += len(word)
            return self._keyword_command(word)
        if self.text.startswith("coproc ", self.at):
            self.at += 7
            self.blanks()
            return self.command()
        return self.simple()

    def _closing_arithmetic_at(self, start: int) -> int:
        held, self.at = self.at, start - 3
        end = self._closing_arithmetic()
        self.at = held
        return end

    def _until(self, *ends: str) -> Script:
        body = self.script(frozenset(ends))
        if len(ends) == 1:
            self.expect(ends[0])
        return body

    def _keyword_command(self, word: str) -> Node:
        match word:
            case "{":
                return Compound(self._until("}"), False, self.redirections())
            case "if":
                return self._if()
            case "while" | "until":
                condition = self._until("do")
                body = self._until("done")
                return While(condition, body, word == "until", self.redirections())
            case "for" | "select":
                return self._for()
            case "case":
                return self._case()
            case "function":
                self.blanks()
                name = _FUNCTION_NAME.match(self.text, self.at)
                if name is None:
                    raise BadSyntax("function has no name")
                self.at = name.end()
                self.blanks()
                if re.match(r"\(\s*\)", self.text[self.at : self.at + 20]):
                    self.at = self.text.index(")", self.at) + 1
                return self.function(name[0])
            case _:
                return self._test()

    def _if(self) -> If:
        branches = []
        otherwise = None
        while True:
            condition = self._until("then")
            body = self._until("elif", "else", "fi")
            branches.append((condition, body))
            end = self.keyword()
            self.expect(end)
            if end == "else":
                otherwise = self._until("fi")
            if end != "elif":
                return If(tuple(branches), otherwise, self.redirections())

    def _for(self) -> Node:
        self.blanks()
        if self.text.startswith("((", self.at):
            end = self._closing_arithmetic_at(self.at + 2)
            if end < 0:
                raise BadSyntax("for (( is not closed")
            three = self.text[self.at + 2 : end].split(";")
            self.at = end + 2
            if len(three) != 3:
                raise BadSyntax("for (( )) needs three expressions")
            start, condition, step = (self.expression(text) for text in three)
            return CountingFor(start, condition, step, self._loop_body(), self.redirections())
        name = _FUNCTION_NAME.match(self.text, self.at)
        if name is None:
            raise BadSyntax("for has no name")
        self.at = name.end()
        self.blanks(lines=True)
        words: tuple[WordNode, ...] | None = None
        if self.keyword() == "in":
            self.at += 2
            words = self._words()
        return For(name[0], words, self._loop_body(), self.redirections())

    def _loop_body(self) -> Script:
        self.blanks()
        if self.peek() == ";":
            self.at += 1
        self.blanks(lines=True)
        if self.keyword() == "{":
            self.at += 1
            return self._until("}")
        self.expect("do")
        return self._until("done")

    def _words(self) -> tuple[WordNode, ...]:
        words: list[WordNode] = []
        while True:
            self.blanks()
            word = self.word()
            if not word:
                return tuple(words)
            words.append(word)

    def _case(self) -> Case:
        self.blanks()
        word = self.word()
        self.blanks(lines=True)
        self.expect("in")
        items: list[tuple[tuple[WordNode, ...], Script]] = []
        while True:
            self.blanks(lines=True)
            if self.keyword() == "esac":
                self.at += 4
                return Case(word, tuple(items), self.redirections())
            if self.peek() == "(":
                self.at += 1
            patterns = []
            while True:
                self.blanks()
                pattern = self.word()
                if not pattern:
                    raise BadSyntax("case has no pattern")
                patterns.append(pattern)
                self.blanks()
                if self.peek() != "|":
                    break
                self.at += 1
            self.expect(")")
            items.append((tuple(patterns), self.script(frozenset({";;", "esac"}))))
            if self.peek() == ";":
                self.at += 3 if self.peek(3) == ";;&" else 2

    def _test(self) -> Test:
        words: list[WordNode] = []
        while True:
            self.blanks(lines=True)
            if self.keyword_is("]]"):
                self.at += 2
                return Test(tuple(words), self.redirections())
            word = self.word(blanks=False)
            if not word:
                sign = self.peek(2) if self.peek(2) in ("&&", "||") else self.peek()
                if not sign:
                    raise BadSyntax("[[ is not closed")
                word = (Literal(sign),)
                self.at += len(sign)
            elif word == (Literal("=~"),):
                words.append(word)
                self.blanks()
                word = self._regular_expression()
            words.append(word)

    def keyword_is(self, word: str) -> bool:
        """Whether ``word`` stands here on its own."""
        return self.text.startswith(word, self.at) and self.text[self.at + 2 : self.at + 3] in (
            *tuple("\n\t ;&|)<>"),
            "",
        )

    def _regular_expression(self) -> WordNode:
        parts: list[Part] = []
        depth = 0
        while char := self.peek():
            if depth == 0 and char.isspace():
                break
            if char in "()":
                depth += 1 if char == "(" else -1
                parts.append(Literal(char))
                self.at += 1
            elif char in "|&;<> \t\n":
                parts.append(Literal(char))
                self.at += 1
            else:
                parts.extend(self.word())
        return tuple(parts)

    def function(self, name: str) -> Function:
        self.blanks(lines=True)
        return Function(name, self.command())


def parse(text: str) -> Script:
    """Read a script. It never raises for what the text says, but for nesting.

    Raises:
        TooComplex: Nested too deeply.
    """
    parser = _Parser(text)
    parser.complete = []
    try:
        return parser.script(frozenset())
    except BadSyntax as error:
        return Script(tuple(parser.complete), broken=str(error))
