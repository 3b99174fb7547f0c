"""Shell patterns: matching in ``case`` and ``[[ ]]``, cutting in ``${x#...}``, and braces."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice

from reactor_core.safety.scope import TooComplex
from reactor_core.safety.shell.nodes import Literal, Part, WordNode
from reactor_core.safety.shell.words import joined

__all__ = ["MAGIC", "braced", "expression", "has_magic"]

MAGIC = frozenset("*?[")
MAX_WORDS = 1024
"""Words that braces may give; with more they stay as they are."""

MAX_STARS = 4
"""In one pattern; with more nothing is matched."""

_GROUPS = re.compile(r"[?*+@!]\(")
_EXTENDED = {"?": "(?:%s)?", "*": "(?:%s)*", "+": "(?:%s)+", "@": "(?:%s)", "!": "(?!(?:%s)$).*"}
_RANGE = re.compile(r"(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.(-?\d+))?")


def has_magic(text: str) -> bool:
    """Whether unquoted ``text`` is a pattern."""
    return not MAGIC.isdisjoint(text)


@lru_cache(maxsize=512)
def expression(pieces: tuple[tuple[str, bool], ...]) -> re.Pattern[str] | None:
    """The regular expression of a pattern; None if it cannot be made.

    Args:
        pieces: Texts, and whether each is quoted.
    """
    unquoted = "".join(text for text, quoted in pieces if not quoted)
    if unquoted.count("*") > MAX_STARS or len(_GROUPS.findall(unquoted)) > 1:
        return None  # matching it could take for ever
    out = []
    for text, quoted in pieces:
        out.append(re.escape(text) if quoted else _translated(text))
    try:
        return re.compile("".join(out), re.DOTALL)
    except re.error:
        return None


def _translated(text: str) -> str:
    out = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char in _EXTENDED and text.startswith("(", at) and (end := text.find(")", at)) > 0:
            inner = "|".join(_translated(choice) for choice in text[at + 1 : end].split("|"))
            out.append(_EXTENDED[char] % inner)
            at = end + 1
        elif char == "*":
            out.append(".*")
        elif char == "?":
            out.append(".")
        elif char == "[" and (end := _end_of_set(text, at)) > 0:
            inside = text[at:end]
            negated = inside[:1] in ("!", "^")
            inside = inside[1:] if negated else inside
            inside = inside.replace("[:alpha:]", "a-zA-Z").replace("[:digit:]", "0-9").replace("[:alnum:]", "a-zA-Z0-9")
            inside = inside.replace("\\", "\\\\").replace("[", "\\[")
            out.append(f"[{'^' if negated else ''}{inside}]")
            at = end + 1
        else:
            out.append(re.escape(char))
    return "".join(out)


def _end_of_set(text: str, start: int) -> int:
    """Where a set of characters ends, whose first may be ``]`` and which may hold classes; -1 if it does not."""
    at = start + (text[start : start + 1] in ("!", "^"))
    at += text[at : at + 1] == "]"
    while at < len(text) and text[at] != "]":
        at = text.find(":]", at) + 2 if text.startswith("[:", at) and ":]" in text[at:] else at + 1
    return at if at < len(text) else -1


Atom = str | Part

MAX_BRACES = 200
"""Opening braces in one word; more are nobody's list of names."""


def braced(word: WordNode) -> list[WordNode]:
    """All words that ``{a,b}`` and ``{1..3}`` in a word give; the word itself if there are none."""
    if not any(isinstance(part, Literal) and not part.quoted and "{" in part.text for part in word):
        return [word]
    atoms: list[Atom] = []
    for part in word:
        if isinstance(part, Literal) and not part.quoted:
            atoms.extend(part.text)
        else:
            atoms.append(part)
    if atoms.count("{") > MAX_BRACES:
        raise TooComplex(f"more than {MAX_BRACES} braces in one word")
    return [
        joined([Literal(atom) if isinstance(atom, str) else atom for atom in found])
        for found in _alternatives(atoms)[:MAX_WORDS]
    ]


def _alternatives(atoms: Sequence[Atom]) -> list[list[Atom]]:
    for start, atom in enumerate(atoms):
        if atom != "{":
            continue
        commas, end = _closing(atoms, start)
        if end < 0:
            continue
        inside = atoms[start + 1 : end]
        if commas:
            bounds = [start, *commas, end]
            choices = [
                found for low, high in itertools.pairwise(bounds) for found in _alternatives(atoms[low + 1 : high])
            ]
        else:
            steps = _range("".join(t if isinstance(t, str) else "\0" for t in inside))
            if steps is None:
                continue
            choices = [[*step] for step in steps]
        rest = _alternatives(atoms[end + 1 :])
        head = list(atoms[:start])
        product = ([*head, *choice, *tail] for choice in choices for tail in rest)
        return list(islice(product, MAX_WORDS + 1))
    return [list(atoms)]


def _closing(atoms: Sequence[Atom], start: int) -> tuple[list[int], int]:
    """Where the commas of an opening brace are, and its closing one; -1 if it has none."""
    depth = 0
    commas: list[int] = []
    for index in range(start, len(atoms)):
        atom = atoms[index]
        if atom == "{":
            depth += 1
        elif atom == "}":
            depth -= 1
            if depth == 0:
                return commas, index
        elif atom == "," and depth == 1:
            commas.append(index)
    return [], -1


def _range(text: str) -> list[str] | None:
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    low, high, by = match.groups()
    if low.lstrip("-").isdigit() != high.lstrip("-").isdigit():
        return None
    numeric = low.lstrip("-").isdigit()
    first, last = (int(low), int(high)) if numeric else (ord(low), ord(high))
    step = abs(int(by)) if by else 1
    step = max(step, 1) * (1 if last >= first else -1)
    width = max(len(low), len(high)) if numeric and (low.startswith("0") or high.startswith("0")) else 0
    numbers = list(range(first, last + (1 if step > 0 else -1), step)[: MAX_WORDS + 1])
    return [str(number).zfill(width) if numeric else chr(number) for number in numbers]
