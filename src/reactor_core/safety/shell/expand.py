"""Turns the words of a script into the words that a program gets, as far as they can be known."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from reactor_core.safety.shell.arithmetic import NotKnown, evaluate
from reactor_core.safety.shell.command import Origin, Word
from reactor_core.safety.shell.nodes import (
    Arithmetic,
    Literal,
    Parameter,
    Part,
    ProcessSubstitution,
    Script,
    Substitution,
    WordNode,
)
from reactor_core.safety.shell.parameters import Pieces, changed
from reactor_core.safety.shell.patterns import braced, has_magic
from reactor_core.safety.shell.state import (
    EMPTY,
    MAX_TEXT,
    OWN_PROCESS,
    UNKNOWN,
    Chooser,
    Shell,
    Value,
    joined_parts,
    literal,
)

__all__ = ["Expander"]

_ASSIGNED = re.compile(r"[A-Za-z_]\w*=(?=~)")


@dataclass(frozen=True, slots=True)
class _Atom:
    """A piece of a word being expanded. ``ends`` separates two elements of ``"$@"``."""

    text: str | None
    quoted: bool
    split: bool = False
    globbed: bool = False
    origin: Origin = EMPTY.origin
    ends: bool = False


class Expander:
    """Expands words in one shell, under one choice of what is ambiguous.

    Args:
        shell: The shell; ``${x:=y}`` and ``$((x++))`` change it.
        chooser: Chooses among the values that a variable may have.
        capture: Runs a script and gives what it prints.
        descriptor: Runs a process substitution and gives its path.
    """

    def __init__(
        self,
        shell: Shell,
        chooser: Chooser,
        capture: Callable[[Script, Shell], Value],
        descriptor: Callable[[ProcessSubstitution, Shell], str],
    ) -> None:
        self.shell = shell
        self.chooser = chooser
        self._capture = capture
        self._descriptor = descriptor

    def words(self, nodes: tuple[WordNode, ...]) -> list[Word]:
        """All words that the nodes give: after braces, expansions and splitting."""
        out: list[Word] = []
        for node in nodes:
            for one in braced(node):
                self.shell.scope.effort.spend()
                out.extend(self._split(self._atoms(self._tilde(one))))
        return out

    def value(self, node: WordNode) -> Value:
        """The word as a value: neither split nor a pattern, as in an assignment."""
        atoms = self._atoms(self._tilde(node))
        total = EMPTY
        parts: list[str | None] = []
        for atom in atoms:
            parts.append(" " if atom.ends else atom.text)
            total = replace(total, origin=total.origin | atom.origin, globbed=total.globbed or atom.globbed)
        if sum(len(part) for part in parts if part) > MAX_TEXT:
            parts = [None]
        return replace(total, parts=joined_parts(parts))

    def pieces(self, node: WordNode) -> Pieces:
        """The word as a pattern; None if it is not known."""
        pieces = []
        for atom in self._atoms(self._tilde(node)):
            if atom.text is None:
                return None
            pieces.append((atom.text, atom.quoted))
        return tuple(pieces)

    def number(self, node: WordNode) -> int:
        """The value of an arithmetic expression.

        Raises:
            NotKnown: It cannot be derived.
        """
        text = self.value(node).text
        if text is None:
            raise NotKnown
        return evaluate(text, self._read_number, lambda name, value: self.shell.set(name, literal(str(value))))

    def _read_number(self, name: str, depth: int = 0) -> int:
        if self.shell.ways(name) is None and name not in self.shell.unset:
            raise NotKnown
        text = self.variable(name).text
        if text is None or depth > 8:
            raise NotKnown
        return evaluate(text, lambda inner: self._read_number(inner, depth + 1), self._no_write)

    @staticmethod
    def _no_write(_name: str, _value: int) -> None:
        raise NotKnown

    def _tilde(self, node: WordNode) -> WordNode:
        if not node or not isinstance(node[0], Literal) or node[0].quoted:
            return node
        if match := _ASSIGNED.match(node[0].text):
            behind = self._tilde((Literal(node[0].text[match.end() :]), *node[1:]))
            return (Literal(match[0]), *behind)
        if not node[0].text.startswith("~"):
            return node
        text = node[0].text
        name, slash, rest = text[1:].partition("/")
        if len(node) > 1 and not slash:
            return node
        setting = self.shell.scope.setting
        if name == "":
            home = self.variable("HOME")
        elif name == "+":
            home = self.variable("PWD")
        elif name == "-":
            home = self.variable("OLDPWD")
        elif name == "root":
            home = literal("/root")
        elif name.replace("-", "").replace("_", "").replace(".", "").isalnum():
            home = literal(setting.home if name == setting.user else f"/home/{name}")
        else:
            return node
        if home.text is None:
            return (Parameter("OLDPWD", quoted=True), Literal(slash + rest), *node[1:])
        return (Literal(home.text, quoted=True), Literal(slash + rest), *node[1:])

    def _atoms(self, node: WordNode) -> list[_Atom]:
        out: list[_Atom] = []
        for part in node:
            out.extend(self._part(part))
        return out

    def _part(self, part: Part) -> list[_Atom]:
        match part:
            case Literal(text, quoted):
                return [_Atom(text, quoted, globbed=not quoted and has_magic(text))]
            case Parameter():
                return self._parameter(part)
            case Substitution(body, quoted):
                value = self._capture(body, self.shell)
                return self._from_value(value, quoted=quoted)
            case ProcessSubstitution():
                return [_Atom(self._descriptor(part, self.shell), quoted=True)]
            case Arithmetic(expression, _):
                try:
                    return [_Atom(str(self.number(expression)), quoted=True)]
                except NotKnown:
                    return [_Atom(None, quoted=True)]

    @staticmethod
    def _from_value(value: Value, *, quoted: bool) -> list[_Atom]:
        return [
            _Atom(
                part,
                quoted,
                split=not quoted,
                globbed=part is not None and (value.globbed or (not quoted and has_magic(part))),
                origin=value.origin,
            )
            for part in value.parts
        ]

    def variable(self, name: str) -> Value:
        """What a variable holds in this round; unknown if it was not set."""
        ways = self.shell.ways(name)
        if ways is None:
            return Value((None,), Origin(variables=(name,)))
        return ways[self.chooser.pick(("variable", name), len(ways))]

    def _elements(self, part: Parameter) -> list[Value] | None:
        """The elements that ``$@``, ``$*``, ``${a[@]}`` or ``${a[*]}`` stand for; None: not known."""
        if part.name in ("@", "*"):
            found = self.shell.positional
            return None if found is None else list(found)
        value = self.variable(part.name)
        if value.items is not None:
            return list(value.items)
        return None if self.shell.ways(part.name) is None else [value]

    def _special(self, name: str) -> Value:
        shell = self.shell
        if name == "#":
            return UNKNOWN if shell.positional is None else literal(str(len(shell.positional)))
        if name == "0":
            return literal(shell.name)
        if name.isdigit():
            if shell.positional is None:
                return UNKNOWN
            index = int(name) - 1
            return shell.positional[index] if index < len(shell.positional) else EMPTY
        if name in ("!", "$", "BASHPID"):
            return OWN_PROCESS
        if name in ("RANDOM", "SECONDS", "LINENO", "?", "-", "PPID", "_"):
            return UNKNOWN
        return self.variable(name)

    def _is_set(self, name: str) -> bool | None:
        """Whether a parameter is set; None: not known."""
        if name in ("@", "*", "#", "?", "$", "!", "-", "0"):
            return True
        if name.isdigit():
            return None if self.shell.positional is None else int(name) <= len(self.shell.positional)
        if name in self.shell.unset:
            return False
        return None if self.shell.ways(name) is None else True

    def _parameter(self, part: Parameter) -> list[_Atom]:
        index = part.index
        many = part.name in ("@", "*") or (
            index is not None and len(index) == 1 and isinstance(index[0], Literal) and index[0].text in ("@", "*")
        )
        if part.op in (":-", "-", ":=", "=", ":?", "?", ":+", "+") and not many:
            return self._defaulted(part)
        if many:
            return self._many(part)
        value = self._special(part.name) if index is None else self._element(part)
        if value.items is not None:
            value = value.items[0] if value.items else EMPTY
        return self._from_value(self._changed(value, part), quoted=part.quoted)

    def _element(self, part: Parameter) -> Value:
        items = self._elements(part)
        if items is None:
            return UNKNOWN
        try:
            number = self.number(part.index or ())
            return items[number]
        except NotKnown:
            total = UNKNOWN
            return replace(total, origin=_origins(items))
        except IndexError:
            return EMPTY

    def _changed(self, value: Value, part: Parameter) -> Value:
        op = part.op
        if not op:
            return value
        if op == "length":
            return UNKNOWN if value.text is None else literal(str(len(value.text)))
        if op.startswith("indirect"):
            if value.text is None or not value.text.replace("_", "a").isalnum():
                return UNKNOWN
            inner = self._special(value.text)
            return self._changed(inner, replace(part, op=op[8:])) if op != "indirect" else inner
        if op == ":":
            return changed(value, op, None, None, self._numbers(part.arg))
        replacement = self.value(part.replacement).text if op[0] == "/" else None
        return changed(value, op, self.pieces(part.arg), replacement, None)

    def _numbers(self, arg: WordNode) -> tuple[int, ...] | None:
        text = self.value(arg).text
        if text is None:
            return None
        try:
            return tuple(evaluate(one, self._read_number, self._no_write) for one in text.split(":")[:2])
        except NotKnown:
            return None

    def _defaulted(self, part: Parameter) -> list[_Atom]:
        value = self._special(part.name) if part.index is None else self._element(part)
        is_set = self._is_set(part.name)
        if is_set and part.op.startswith(":"):
            empty = None if value.text is None else value.text == ""
            if empty is None and any(value.parts):
                empty = False  # one known piece that is not empty
            is_set = None if empty is None else not empty
        op = part.op[-1]
        if op == "+":
            if is_set is False:
                return []
            return self._argument(part)
        if is_set or op == "?":
            return self._from_value(value, quoted=part.quoted)
        if is_set is None and self.shell.ways(part.name) is not None and self.chooser.pick(("default", part.name), 2):
            return self._from_value(value, quoted=part.quoted)
        # A variable that this action does not set counts as unset, so that its default is what happens.
        if op == "=":
            self.shell.set(part.name, self.value(part.arg))
        return self._argument(part)

    def _argument(self, part: Parameter) -> list[_Atom]:
        return [
            replace(atom, split=not atom.quoted and not part.quoted, quoted=atom.quoted or part.quoted)
            for atom in self._atoms(self._tilde(part.arg))
        ]

    def _many(self, part: Parameter) -> list[_Atom]:
        items = self._elements(part)
        if part.op == "length":
            return [_Atom(None if items is None else str(len(items)), quoted=True)]
        if items is None:
            return [_Atom(None, quoted=False, split=True)]
        if part.op == "indirect":
            return [_Atom(None, part.quoted)]
        if part.op == ":":
            numbers = self._numbers(part.arg)
            if numbers is None:
                return [_Atom(None, quoted=False, split=True, origin=_origins(items))]
            shift = 1 if part.name in ("@", "*") else 0
            start = max(numbers[0] - shift, 0) if numbers[0] >= 0 else max(len(items) + numbers[0], 0)
            items = items[start : start + numbers[1]] if len(numbers) > 1 else items[start:]
        elif part.op in (":-", "-") and not items:
            return self._argument(part)
        elif part.op in (":+", "+"):
            return self._argument(part) if items else []
        elif part.op and part.op[0] in "#%/^,~@":
            items = [self._changed(item, part) for item in items]
        star = part.name == "*" or (part.index is not None and part.index[0] == Literal("*"))
        out: list[_Atom] = []
        for number, item in enumerate(items):
            if number:
                out.append(_Atom(" ", quoted=True) if star and part.quoted else _Atom("", True, ends=True))
            out.extend(self._from_value(item, quoted=part.quoted))
        return out

    def _split(self, atoms: list[_Atom]) -> list[Word]:
        out: list[Word] = []
        current: list[_Atom] = []

        def end() -> None:
            if current and (any(atom.quoted for atom in current) or any(atom.text != "" for atom in current)):
                out.append(_word(current))
            current.clear()

        separators = self.variable("IFS").text
        separators = " \t\n" if separators is None else separators
        for atom in atoms:
            if atom.ends:
                end()
            elif not atom.split or not atom.text or not separators:
                current.append(atom)
            else:
                self._split_text(atom, separators, current, end)
        end()
        return out

    @staticmethod
    def _split_text(atom: _Atom, separators: str, current: list[_Atom], end: Callable[[], None]) -> None:
        text = atom.text or ""
        start = 0
        for index, char in enumerate(text):
            if char in separators:
                if index > start:
                    current.append(replace(atom, text=text[start:index], split=False))
                end()
                start = index + 1
        if start < len(text):
            current.append(replace(atom, text=text[start:], split=False))


def _origins(items: list[Value]) -> Origin:
    total = EMPTY.origin
    for item in items:
        total |= item.origin
    return total


def _word(atoms: list[_Atom]) -> Word:
    origin = EMPTY.origin
    for atom in atoms:
        origin |= atom.origin
    return Word(
        joined_parts(atom.text for atom in atoms),
        globbed=any(atom.globbed for atom in atoms),
        many=any(atom.text is None and not atom.quoted for atom in atoms),
        origin=origin,
    )
