"""One deed on one screen: the words of the label, of the dialog and of the fields, ready to be judged."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from reactor_core.safety.gui.grammar import Scene, Step
from reactor_core.safety.gui.labels import Answer
from reactor_core.safety.gui.reading import answer_on, performed, plain
from reactor_core.safety.gui.scenery import PROTECTION, count_in
from reactor_core.safety.scope import Scope
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["Sight"]


_NAMED = frozenset({"folder", "file", "album", "document", "card", "image"})
"""Roles whose label is the name of one thing: a number in it counts nothing."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What is clicked, and what can be read around it. All texts are in lower case.

    Attributes:
        scene: The whole step.
        scope: Where it happens.
        label: The label, without marks.
        role: Role of the element.
        state: What it is switched to.
        answer: What the label means by itself.
        everything: Whether all things of a list were selected before.
        path: The label as it stands, with the menus that lead to it.
        deed: Text that says what is done: the label, or the dialog where the label is a mere yes.
        text: Label and screen together.
        count: Of how many things it speaks.
    """

    scene: Scene
    scope: Scope
    label: str
    role: str
    state: str
    answer: Answer
    everything: bool = False
    path: str = ""
    deed: str = field(init=False)
    text: str = field(init=False)
    count: int = field(init=False)

    def __post_init__(self) -> None:
        told = plain(self.scene.told)
        object.__setattr__(self, "deed", f"{self.label} | {told}" if self.answer is not Answer.DEED else self.label)
        parents = self.path.lower().rpartition(" > ")[0]
        object.__setattr__(self, "text", f"{self.label} | {parents} | {told}" if parents else f"{self.label} | {told}")
        object.__setattr__(self, "count", count_in(told if self.role in _NAMED else f"{self.label} {told}"))

    @classmethod
    def of(cls, step: Step, scene: Scene, scope: Scope, *, everything: bool = False) -> Sight:
        """What a step does to an element of a scene."""
        return cls(
            scene,
            scope,
            plain(performed(step.name).lower()),
            step.role,
            step.state,
            answer_on(step.name, scene),
            everything,
            step.name,
        )

    @property
    def app(self) -> str:
        """The application."""
        return self.scene.app

    @property
    def tightens(self) -> bool:
        """Whether a mere yes makes something stricter."""
        if self.answer is not Answer.YES:
            return False
        told = self.scene.told
        stricter = re.search(
            r"\b(setting|rule|policy|change|access|option)s?: ?(block|restrict|deny|forbid|enforce|require)\b", told
        )
        return bool(stricter) or bool(
            PROTECTION.search(told) and re.search(r"-> \"?(required|on|enabled|mandatory)\b", told)
        )

    def finding(self, rule: str, says: str, *, outward: bool = False, secret: bool = False) -> Finding:
        """A finding about this sight, with what it would touch."""
        scale = Scale.ALL if rule[0] == "B" else Scale.MANY if self.count > 1 else Scale.ITEM
        privilege = rule in {"B5", "C5"}
        named = (
            self.scene.field("selection", "file", "folder", "item", "repo", "repository", "table", "to", "payee")
            or self.label
        )
        effect = Effect(named, scale, reversible=False, outward=outward, secret=secret, privilege=privilege)
        return found(rule, says, effect)
