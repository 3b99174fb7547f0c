"""The parts that a shell script is made of, as they are written: nothing is expanded yet."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Arithmetic",
    "ArithmeticCommand",
    "Assignment",
    "Case",
    "Compound",
    "CountingFor",
    "For",
    "Function",
    "If",
    "Item",
    "Literal",
    "Parameter",
    "Part",
    "Pipeline",
    "ProcessSubstitution",
    "Redirection",
    "Script",
    "Simple",
    "Substitution",
    "Test",
    "While",
    "WordNode",
]


@dataclass(frozen=True, slots=True)
class Literal:
    """Text; ``quoted`` text is neither split nor a pattern."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """``$x`` or ``${x...}``.

    Attributes:
        name: Of the variable, a digit, or one of ``@*#?$!-``.
        quoted: Within double quotes.
        op: What is done to the value, such as ``:-`` or ``%%``; ``length`` and ``indirect`` for ``${#x}``, ``${!x}``.
        arg: What follows the operator.
        replacement: What a pattern is replaced by.
        index: Which element of an array.
    """

    name: str
    quoted: bool = False
    op: str = ""
    arg: WordNode = ()
    replacement: WordNode = ()
    index: WordNode | None = None


@dataclass(frozen=True, slots=True)
class Substitution:
    """``$( )`` or backquotes."""

    body: Script
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class ProcessSubstitution:
    """``<( )`` or, if ``out``, ``>( )``."""

    body: Script
    out: bool = False


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``$(( ))``."""

    expression: WordNode
    quoted: bool = False


Part = Literal | Parameter | Substitution | ProcessSubstitution | Arithmetic
WordNode = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """``x=word``, ``x+=word``, ``x[i]=word`` or ``x=(words)``."""

    name: str
    value: WordNode | tuple[WordNode, ...]
    append: bool = False
    index: WordNode | None = None
    array: bool = False


@dataclass(frozen=True, slots=True)
class Redirection:
    """``fd op target``; a here-document has its body as the target and ``<<`` as the operator."""

    op: str
    target: WordNode
    fd: int | None = None


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple command. An assignment among the words, as of ``declare``, is in ``declared`` as well."""

    assignments: tuple[Assignment, ...]
    words: tuple[WordNode, ...]
    redirections: tuple[Redirection, ...]
    declared: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True)
class Compound:
    """``{ }`` or, if ``subshell``, ``( )``."""

    body: Script
    subshell: bool = False
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class If:
    """Conditions with their bodies, and the body of ``else``."""

    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script | None
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class For:
    """``for name in words``, also ``select``; ``words`` is None for the positional parameters."""

    name: str
    words: tuple[WordNode, ...] | None
    body: Script
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class CountingFor:
    """``for ((start; condition; step))``."""

    start: WordNode
    condition: WordNode
    step: WordNode
    body: Script
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class While:
    """``while`` or ``until``."""

    condition: Script
    body: Script
    until: bool = False
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A word, and the patterns with their bodies."""

    word: WordNode
    items: tuple[tuple[tuple[WordNode, ...], Script], ...]
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A definition. ``body`` is any compound command."""

    name: str
    body: Node


@dataclass(frozen=True, slots=True)
class Test:
    """``[[ ]]``, as the words between."""

    words: tuple[WordNode, ...]
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class ArithmeticCommand:
    """``(( ))``."""

    expression: WordNode
    redirections: tuple[Redirection, ...] = ()


Node = Simple | Compound | If | For | CountingFor | While | Case | Function | Test | ArithmeticCommand


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands joined by ``|``; ``negated`` by ``!``."""

    commands: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A pipeline and what stands between it and the one before: ``&&``, ``||``, or ``;`` for nothing special."""

    pipeline: Pipeline
    joined: str = ";"
    background: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """Items in order. ``broken`` says why the rest could not be read."""

    items: tuple[Item, ...] = ()
    broken: str = ""
