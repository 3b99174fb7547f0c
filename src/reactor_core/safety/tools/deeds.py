"""What services' command lines do to the things they keep: a verb, a kind of thing, its names, and how many."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from reactor_core.safety.naming import wordset
from reactor_core.safety.things import DESTROYS, READS, STOPS, Weight, loss_rule, name_kind, stop_rule, weight_of
from reactor_core.safety.tools.line import Textual, shown
from reactor_core.safety.tools.registry import Call, origin_of
from reactor_core.safety.verdict import Finding, Scale

__all__ = ["CHANGES", "Spoken", "is_verb", "judge_deed", "listed", "read_spoken", "verb_class"]

MANY = 5
"""Named things up to this number are looked through before they are named."""
CHANGES = wordset(
    """
    create add new apply update set put patch edit modify change scale resize restart start deploy run exec invoke
    enable attach detach associate disassociate bind unbind grant revoke allow deny tag untag label annotate rename
    move mv copy cp import restore rollback promote demote resume unpause upgrade downgrade install register publish
    push release send post submit approve reject merge close open lock unlock configure config assign unassign
    migrate sync reload reboot rotate cordon uncordon taint cancel abort retry trigger schedule connect transfer
    replace undelete failover swap reimage rebuild reset-password redeploy purchase accept up deploy
    """
)
"""Verbs that change a thing."""
_ASKS = READS | wordset(
    """
    ls version versions help doctor docs completion whoami env-info open-docs auth-status wait top cat events graph
    output outputs dashboard releases domains features info:describe usage what-if can-i what template lint fmt
    template-list login logout
    """
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A command line of a service.

    Attributes:
        words: Operands before the first option and after it, in order.
        options: Values of each option; a flag has none.
    """

    words: tuple[Textual, ...]
    options: dict[str, list[Textual]] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """The operands; an unknown one is empty."""
        return tuple(word.text or "" for word in self.words)

    def has(self, *names: str) -> bool:
        """Whether one of these options is given, and not as ``=false``."""
        return any(
            name in self.options and not any(value.text in {"false", "False", "none"} for value in self.options[name])
            for name in names
        )

    def said(self, *names: str) -> str:
        """All values of these options as one text."""
        return " ".join(shown(value) for name in names for value in self.options.get(name, []))

    def values(self, *names: str) -> list[Textual]:
        """All values of these options."""
        return [value for name in names for value in self.options.get(name, [])]


def read_spoken(words: Sequence[Textual], *, flags: Collection[str] = (), several: bool = False) -> Spoken:
    """Take a service's command line apart without a table of its options: an option that is no known flag takes the
    next word that is no option.

    Args:
        words: Those behind the program.
        flags: Options without a value.
        several: An option takes all words up to the next one, as with aws.
    """
    operands: list[Textual] = []
    options: dict[str, list[Textual]] = {}
    at = 0
    while at < len(words):
        word = words[at]
        text = word.text if word.text is not None else word.known_prefix
        at += 1
        if text == "--":
            operands += words[at:]
            break
        if not text.startswith("-") or len(text) < 2:
            operands.append(word)
            continue
        name, equals, value = text.partition("=")
        slot = options.setdefault(name, [])
        if equals:
            slot.append(_Tail(word, value, word.globbed, word.many))
            continue
        if (
            name in flags
            or (name.startswith("--no-") and not several)
            or (re.fullmatch(r"-[a-zA-Z]{2,}", name) and name[:2] in flags)
        ):
            for letter in name[1:] if re.fullmatch(r"-[a-zA-Z]{2,}", name) else ():
                options.setdefault(f"-{letter}", [])
            continue
        while at < len(words) and not _option(words[at]):
            slot.append(words[at])
            at += 1
            if not several:
                break
    return Spoken(tuple(operands), options)


def _option(word: Textual) -> bool:
    text = word.text if word.text is not None else word.known_prefix
    return text.startswith("-") and len(text) > 1 and not text[1].isdigit()


@dataclass(frozen=True, slots=True)
class _Tail:
    """The value behind ``=``, with the origin of the whole word."""

    word: Textual
    value: str
    globbed: bool = False
    many: bool = False

    @property
    def text(self) -> str | None:
        return self.value if self.word.text is not None else None

    @property
    def known_prefix(self) -> str:
        return self.value

    @property
    def origin(self) -> object:
        return getattr(self.word, "origin", None)


def verb_class(word: str) -> str:
    """``reads``, ``destroys``, ``stops``, ``changes`` or an empty string."""
    lower = word.lower()
    first = lower.partition("-")[0]
    for candidate in (lower, first):
        if candidate in DESTROYS:
            return "destroys"
        if candidate in STOPS:
            return "stops"
        if candidate in CHANGES:
            return "changes"
        if candidate in _ASKS:
            return "reads"
    return ""


def is_verb(word: str) -> bool:
    """Whether a word says what is done."""
    return bool(verb_class(word))


def listed(word: Textual) -> bool:
    """Whether a word stands for all that another command has listed."""
    origin = origin_of(word)
    return bool(origin.listing) and (word.text is None or not word.text)


def judge_deed(
    call: Call,
    verb: str,
    noun: str,
    names: Sequence[Textual],
    *,
    many: bool = False,
    context: str = "",
    item: str = "C4",
) -> Finding | None:
    """The finding for one deed; None if it only looks.

    Args:
        call: The command.
        verb: What is done.
        noun: To which kind of thing.
        names: Which of them.
        many: Whether all of them are meant.
        context: What they lie in; a name such as ``prod`` there counts for what is done to many.
        item: The rule for a thing on which little hangs.
    """
    kind = verb_class(verb)
    if kind == "reads":
        return None
    all_listed = any(listed(word) for word in names)
    globbed = any(word.text is not None and re.search(r"[*?]", word.text) for word in names)
    whole = many or all_listed or globbed or len(names) > MANY
    unknown = any(word.text is None and not listed(word) for word in names)
    shown_names = " ".join(shown(word) for word in names[:5])
    says = f"{call.program}: {verb} {noun} {shown_names}".strip()
    said = [word.text for word in names if word.text]
    if kind in {"destroys", "stops"}:
        if unknown and not whole:
            return call.found("C6", f"{says}: which one cannot be known beforehand", reversible=False)
        rules = {_rule(call, kind, noun, name, whole, context, item) for name in said} or {
            _rule(call, kind, noun, "", whole, context, item)
        }
        rule = min(rules, key=lambda one: (one[0] != "B", one))
        scale = Scale.ALL if whole else Scale.ITEM
        return call.found(rule, says, shown_names or noun, scale=scale, reversible=False)
    if kind == "" and noun == "":
        return call.found("C6", f"{call.program}: a use that is not known")
    return call.found("C4", says, shown_names or noun)


def _rule(call: Call, kind: str, noun: str, name: str, whole: bool, context: str, item: str) -> str:
    setting = call.scope.setting
    judge = loss_rule if kind == "destroys" else stop_rule
    if kind == "destroys":
        rule = loss_rule(noun, name or context, setting, many=whole, item=item)
    else:
        rule = judge(noun, name or context, setting, many=whole)
    if whole and context and name_kind(context, setting) == "scratch" and rule in {"B3", "B4", "B1"}:
        return "C4"
    if weight_of(noun) is Weight.ITEM and not whole:
        return item
    return rule
