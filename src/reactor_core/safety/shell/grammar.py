"""Reads a shell script: commands, pipelines, lists, loops, functions, redirections and here-documents.

It follows the grammar of bash, which holds that of POSIX. What cannot be read ends the script, which then says that it
is broken: a shell would have run the lines before.
"""

from __future__ import annotations

import re
from dataclasses import replace

from reactor_core.safety.shell.nodes import (
    ArithmeticCommand,
    Assignment,
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
    Redirection,
    Script,
    Simple,
    Test,
    While,
    WordNode,
)
from reactor_core.safety.shell.words import BadSyntax, WordReader, joined

__all__ = ["parse"]

_REDIRECTION = re.compile(r"(\d+|\{[A-Za-z_]\w*\})?(&>>|&>|<<<|<<-|<<|<>|<&|>&|>>|>\||<|>)")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?=|\[)")
_FUNCTION_NAME = re.compile(r"[^\s()<>|&;$`'\"\\]+")
_DECLARING = frozenset({"declare", "typeset", "local", "export", "readonly"})
_RESERVED = frozenset(
    [
        "if",
        "then",
        "elif",
        "else",
        "fi",
        "for",
        "select",
        "while",
        "until",
        "do",
        "done",
        "case",
        "esac",
        "in",
        "function",
        "time",
        "{",
        "}",
        "!",
        "[[",
    ]
)
_NOT_FIRST = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})
_BLANK = re.compile(r"(?:[ \t]|\\\n|\r(?=\n))+")


class _Parser(WordReader):
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
        reader = _Parser(text, 0, self.nesting + 1)
        reader.deeper(0)
        parts: list[Part] = []
        reader.quoted(parts, "")
        return joined(parts)

    def keyword(self) -> str:
        """The reserved word that stands here, which is not passed; empty if none does."""
        for word in _RESERVED:
            if self.text.startswith(word, self.at):
                after = self.text[self.at + len(word) : self.at + len(word) + 1]
                if not after or after in " \t\n;&|()<>" or (word == "}" and after in "})"):
                    return word
        return ""

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
            self.complete = [*items, item] if item else list(items)

    complete: list[Item]
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
                return ArithmeticCommand(self.expression(self.text[start + 2 : end]), self._redirections())
        if self.peek() == "(":
            self.at += 1
            return Compound(self._until(")"), True, self._redirections())
        if word and word not in ("in", "!", "time"):
            self.at += len(word)
            return self._keyword_command(word)
        if self.text.startswith("coproc ", self.at):
            self.at += 7
            self.blanks()
            return self.command()
        return self._simple()

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
                return Compound(self._until("}"), False, self._redirections())
            case "if":
                return self._if()
            case "while" | "until":
                condition = self._until("do")
                body = self._until("done")
                return While(condition, body, word == "until", self._redirections())
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
                return self._function(name[0])
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
                return If(tuple(branches), otherwise, self._redirections())

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
            return CountingFor(start, condition, step, self._loop_body(), self._redirections())
        name = _FUNCTION_NAME.match(self.text, self.at)
        if name is None:
            raise BadSyntax("for has no name")
        self.at = name.end()
        self.blanks(lines=True)
        words: tuple[WordNode, ...] | None = None
        if self.keyword() == "in":
            self.at += 2
            words = self._words()
        return For(name[0], words, self._loop_body(), self._redirections())

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
        words = []
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
        items = []
        while True:
            self.blanks(lines=True)
            if self.keyword() == "esac":
                self.at += 4
                return Case(word, tuple(items), self._redirections())
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
        words = []
        while True:
            self.blanks(lines=True)
            if self.keyword_is("]]"):
                self.at += 2
                return Test(tuple(words), self._redirections())
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

    def _function(self, name: str) -> Function:
        self.blanks(lines=True)
        return Function(name, self.command())

    def _redirections(self) -> tuple[Redirection, ...]:
        found: list[Redirection] = []
        while self._redirection(found):
            pass
        if any(redirection.op == "<<wait" for redirection in found):
            self._fill(found)
        return tuple(found)

    def _fill(self, found: list[Redirection]) -> None:
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

    def _simple(self) -> Node:
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
                    return self._function(plain)
            words.append(word)
        if not words and not assignments and not redirections:
            raise BadSyntax(f"a command is missing before {self.peek(10)!r}")
        if any(redirection.op == "<<wait" for redirection in redirections):
            self._fill(redirections)
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
        elements = []
        while True:
            self.blanks(lines=True)
            if self.peek() == ")":
                self.at += 1
                return Assignment(match[1], tuple(elements), append, index, array=True)
            element = self.word()
            if not element:
                raise BadSyntax("an array is not closed")
            elements.append(element)


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
