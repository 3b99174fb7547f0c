"""The template language of the experience log: an action pattern with slots, its label and its rule.

A pattern is an action with slots written «name». Equal slots in one pattern take the same value; «name.2» draws
a second value that differs from the first. Values come from SLOTS in slots.py, joined with the SLOTS of the
module that holds the template.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LABELS = ("block", "confirm", "allow")
KINDS = ("shell", "sql", "gui", "file", "network", "cloud", "email", "python")
RULES = {
    "block": tuple(f"B{i}" for i in range(1, 9)),
    "confirm": tuple(f"C{i}" for i in range(1, 9)),
    "allow": tuple(f"A{i}" for i in range(1, 7)),
}

_SLOT = re.compile(r"«([a-z][a-z0-9_]*)(?:\.(\d))?»")
_PATH = re.compile(r"(?:(?<=[\s\"=:(,>])|^)[~.\w$*{}-]*/[\w./~*@%+$:{}-]*")

SlotKey = tuple[str, str]  # the name, and the digit after the dot or ""


class TemplateError(ValueError):
    """A template that cannot be used: unknown label, rule or slot, or a pattern given twice."""


@dataclass(frozen=True, slots=True)
class Template:
    """One action pattern and the answer the rubric gives to every action it makes.

    Args:
        label: "block", "confirm" or "allow".
        rule: the rubric's rule, "B1".."B8", "C1".."C8" or "A1".."A6"; its letter must match the label.
        pattern: the action, with slots «name».
        why: the reason, a few words.
        approve: share of people's answers that are yes; read for confirm only.

    Raises:
        TemplateError: the label or rule is unknown, they do not match, or a field is empty.
    """

    label: str
    rule: str
    pattern: str
    why: str
    approve: float = 0.7

    def __post_init__(self) -> None:
        if self.label not in RULES:
            raise TemplateError(f"label {self.label!r} is not one of {', '.join(LABELS)}: {self.pattern!r}")
        if self.rule not in RULES[self.label]:
            raise TemplateError(f"rule {self.rule!r} is not a rule of label {self.label!r}: {self.pattern!r}")
        if not self.pattern.strip() or not self.why.strip():
            raise TemplateError(f"pattern and why must not be empty: {self.pattern!r}")
        if not 0.0 <= self.approve <= 1.0:
            raise TemplateError(f"approve {self.approve} is not a share between 0 and 1: {self.pattern!r}")


def block(rule: str, pattern: str, why: str) -> Template:
    """A template of label block."""
    return Template("block", rule, pattern, why)


def confirm(rule: str, pattern: str, why: str, approve: float = 0.7) -> Template:
    """A template of label confirm; `approve` is the share of people who said yes."""
    return Template("confirm", rule, pattern, why, approve)


def allow(rule: str, pattern: str, why: str) -> Template:
    """A template of label allow."""
    return Template("allow", rule, pattern, why)


def skeleton(text: str) -> str:
    """The form of a pattern or action once everything that a slot could vary is taken out.

    Slots and path-like words become «», lower case, runs of digits become 0, all quote marks become one, runs of
    white space become one blank. Two templates with equal skeletons must lie on the same side of the split.
    """
    text = _SLOT.sub("«»", text).lower()
    text = re.sub(r"[\"'`]", '"', text)
    text = _PATH.sub("«»", text)
    text = re.sub(r"\d+", "0", text)
    return re.sub(r"\s+", " ", text).strip()


def slot_names(pattern: str) -> tuple[str, ...]:
    """Names of the slots of a pattern, in order of first use."""
    return tuple(dict.fromkeys(m.group(1) for m in _SLOT.finditer(pattern)))


def expand(pattern: str, slots: Mapping[str, tuple[str, ...]], rng: random.Random) -> Iterator[str]:
    """Distinct actions of a pattern, in an order fixed by `rng`, until the values run out.

    Each slot walks through its own shuffled values, so the first rows of a template share as few values as possible.

    Raises:
        TemplateError: the pattern names a slot that `slots` does not have, or holds a stray « or ».
    """
    keys = tuple(dict.fromkeys((m.group(1), m.group(2) or "") for m in _SLOT.finditer(pattern)))
    for name, _ in keys:
        if name not in slots:
            raise TemplateError(f"unknown slot «{name}» in {pattern!r}; define it in SLOTS")
    if re.search("[«»]", _SLOT.sub("", pattern)):
        raise TemplateError(f"a slot is not written «name» or «name.2» in {pattern!r}")
    seen: set[str] = set()
    orders: dict[SlotKey, list[str]] = {key: [] for key in keys}
    misses = 0
    # A walk that has met only known rows this often has run out of values, as near as matters here.
    while misses < 50:
        for order, (name, _) in zip(orders.values(), keys, strict=True):
            if not order:
                order.extend(rng.sample(slots[name], len(slots[name])))
        values = {key: order.pop() for key, order in orders.items()}
        action = _fill(pattern, values)
        if action in seen or _repeats(values):
            misses += 1
            continue
        seen.add(action)
        yield action


def _fill(pattern: str, values: Mapping[SlotKey, str]) -> str:
    """The pattern with its slots replaced."""
    return _SLOT.sub(lambda m: values[(m.group(1), m.group(2) or "")], pattern)


def _repeats(values: Mapping[SlotKey, str]) -> bool:
    """Whether «name» and «name.2» drew the same value."""
    pairs = itertools.combinations(values.items(), 2)
    return any(a[0] == b[0] and va == vb for (a, va), (b, vb) in pairs)
