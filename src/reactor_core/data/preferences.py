"""What people preferred, from the journal to training data: labelled rows and pairs, each with where it comes from.

Four kinds of event say what somebody prefers:

- SAFETY_CONFIRMED and SAFETY_DENIED: the answer to a question about an action. An agreed one says that asking was
  right and blocking would have been wrong (confirm before block); a refused one that it must not run unasked (confirm,
  or block where the rules block, before allow). A question that nobody answered says nothing.
- CORRECTION: ``user_input``, ``original_response``, ``corrected_response``: the corrected before the original.
- FEEDBACK with ``prompt``, ``chosen`` and ``rejected``: a choice between two.
- FEEDBACK with ``prompt``, ``response`` and ``kept`` (true or false): everything kept before everything rejected of the
  same prompt.

A FEEDBACK event with ``retracts``, the id of an earlier one by the same person, takes that one back: it says nothing.

People contradict each other and themselves. The rule, in this order:

1. Of one person's answers about the same thing the latest counts. Of corrections and feedback without a name, likewise.
2. On an action, the majority of people holds; where it is split evenly, it counts as refused.
3. If one is preferred to another, and elsewhere the other to the one, for the same prompt, more people decide; where
   they are as many, neither pair is kept.

What was dropped by it is counted. Erased events say nothing, so erasing a person's events takes them out of the next
data set.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from reactor_core.data.experience import DECISIONS
from reactor_core.errors import NothingToTrain
from reactor_core.events.event import Event
from reactor_core.events.vocabulary import EventType
from reactor_core.utils.canonical import canonical_json
from reactor_core.utils.files import atomic_write, sha256_file

__all__ = ["LabelledAction", "PreferenceFile", "PreferencePair", "Preferences", "preferences_of", "write_preferences"]

_NOBODY = frozenset({"timeout", "withdrawn"})

Messages = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class LabelledAction:
    """An action that people were asked about.

    Args:
        action: The action, as it was shown.
        kind: Its kind.
        label: What the gate should say: confirm, or block where the rules block it.
        approved: What people said.
        rule: The rule that asked; None if unknown.
        people: Who said it, those that agree with ``approved``.
        events: Ids of the events that it comes from.
    """

    action: str
    kind: str
    label: str
    approved: bool
    rule: str | None
    people: tuple[str, ...]
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """One answer preferred to another.

    Args:
        prompt: What both answer; for an action, the action.
        chosen: The better answer.
        rejected: The worse one.
        kind: Kind of action, where the answers are verdicts; None otherwise.
        origin: safety, correction, choice or keep.
        people: Who prefers it, as far as they are known.
        events: Ids of the events that it comes from.
    """

    prompt: str
    chosen: str
    rejected: str
    kind: str | None
    origin: str
    people: tuple[str, ...]
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preferences:
    """What some events say.

    Args:
        rows: One for each action that people were asked about.
        pairs: Preferences, oldest first.
        conflicts: Why -> how many statements were dropped: ``superseded``, ``outvoted``, ``contradicted``.
    """

    rows: tuple[LabelledAction, ...]
    pairs: tuple[PreferencePair, ...]
    conflicts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PreferenceFile:
    """A file of pairs, ready for the trainer.

    Args:
        path: The JSON Lines file.
        sha256: Hash of its bytes.
        pairs: Number of lines.
        origins: Origin -> lines.
        conflicts: As in :class:`Preferences`.
    """

    path: Path
    sha256: str
    pairs: int
    origins: Mapping[str, int]
    conflicts: Mapping[str, int]


class _Statement(NamedTuple):
    """Somebody said once that one thing is better than another."""

    prompt: str
    chosen: str
    rejected: str
    person: str
    origin: str
    events: tuple[str, ...]


@dataclass
class _Voices:
    """The latest answer of each person about one action."""

    answers: dict[str, tuple[bool, str]] = field(default_factory=dict)
    rule: str | None = None
    blocked: bool = False


def preferences_of(events: Iterable[Event], *, settled: Container[str] | None = None) -> Preferences:
    """What people preferred, by the rule at the head of this module.

    Args:
        events: As the journal gives them, oldest first.
        settled: Ids of questions that were really answered, as ``confirmations`` of the journal has them; an answer to
            any other is passed over, as any program can publish an event. None believes all.
    """
    conflicts: Counter[str] = Counter()
    voices: dict[tuple[str, str], _Voices] = {}
    said: list[Event] = []
    spoken: list[_Statement] = []
    kept: dict[tuple[str, str], dict[str, tuple[bool, str]]] = defaultdict(dict)
    for event in events:
        if event.event_type in (EventType.SAFETY_CONFIRMED, EventType.SAFETY_DENIED):
            if settled is None or event.metadata.get("confirmation_id") in settled:
                _hear(event, voices, conflicts)
        elif event.event_type in (EventType.CORRECTION, EventType.FEEDBACK):
            said.append(event)
    for event in _not_retracted(said):
        if event.event_type == EventType.CORRECTION:
            spoken += _correction(event)
        else:
            spoken += _choice(event)
            _keep(event, kept, conflicts)
    rows = tuple(_row(action, kind, heard, conflicts) for (kind, action), heard in voices.items())
    statements = [*spoken, *_keeps(kept)]
    pairs = [*(_verdict_pair(row) for row in rows), *_agreed(_latest(statements, conflicts), conflicts)]
    return Preferences(rows, tuple(pairs), {why: count for why, count in conflicts.items() if count})


def write_preferences(preferences: Preferences, path: Path, messages: Callable[[str, str], Messages]) -> PreferenceFile:
    """Write the pairs as a data set for ``Trainer.train`` (``dpo``), each line naming the events that it comes from.

    Args:
        preferences: Made by :func:`preferences_of`.
        path: The file; replaced whole or not at all.
        messages: (action, kind) -> the question about an action as chat messages.

    Raises:
        NothingToTrain: There is no pair.
        StorageError: The file cannot be written.
    """
    if not preferences.pairs:
        raise NothingToTrain(
            "the events hold no preference",
            remedy="record answers to confirmations, corrections, or feedback with chosen and rejected first",
        )
    lines = []
    for pair in preferences.pairs:
        asked = [{"role": "user", "content": pair.prompt}] if pair.kind is None else messages(pair.prompt, pair.kind)
        lines.append(
            canonical_json(
                {
                    "id": pair.events[-1],
                    "prompt": asked,
                    "chosen": pair.chosen,
                    "rejected": pair.rejected,
                    "source": {"origin": pair.origin, "events": list(pair.events), "people": list(pair.people)},
                }
            )
        )
    atomic_write(path, b"\n".join(lines) + b"\n")
    return PreferenceFile(
        path=path,
        sha256=sha256_file(path),
        pairs=len(lines),
        origins=dict(Counter(pair.origin for pair in preferences.pairs)),
        conflicts=preferences.conflicts,
    )


def _hear(event: Event, voices: dict[tuple[str, str], _Voices], conflicts: Counter[str]) -> None:
    """Note the answers of an event, each person's own."""
    action = _text(event.data.get("action"))
    method = event.data.get("confirmation_method")
    if action is None or method in _NOBODY:
        return
    confirmed = event.event_type == EventType.SAFETY_CONFIRMED
    heard = voices.setdefault((_text(event.metadata.get("kind")) or "other", action), _Voices())
    heard.rule = _text(event.metadata.get("rule")) or heard.rule
    heard.blocked = heard.blocked or event.metadata.get("verdict") == "block"
    people = event.metadata.get("people")
    said = people if isinstance(people, list) and people else [{"person": "", "confirmed": confirmed}]
    for one in said:
        if not isinstance(one, Mapping):
            continue
        person = _text(one.get("person")) or ""
        conflicts["superseded"] += person in heard.answers and heard.answers[person][0] != bool(one.get("confirmed"))
        heard.answers[person] = (bool(one.get("confirmed")), event.event_id)


def _row(action: str, kind: str, heard: _Voices, conflicts: Counter[str]) -> LabelledAction:
    yes = sum(confirmed for confirmed, _ in heard.answers.values())
    approved = yes * 2 > len(heard.answers)
    agreeing = {person: event for person, (confirmed, event) in heard.answers.items() if confirmed == approved}
    conflicts["outvoted"] += len(heard.answers) - len(agreeing)
    return LabelledAction(
        action=action,
        kind=kind,
        label=DECISIONS[2] if heard.blocked else DECISIONS[1],
        approved=approved,
        rule=heard.rule,
        people=tuple(sorted(person for person in agreeing if person)),
        events=tuple(dict.fromkeys(agreeing.values())),
    )


def _verdict_pair(row: LabelledAction) -> PreferencePair:
    """Agreed: asking was right, blocking too much. Refused, or blocked whatever was said: it must not run unasked."""
    too_strict = row.approved and row.label == "confirm"
    return PreferencePair(
        prompt=row.action,
        chosen=row.label,
        rejected="block" if too_strict else "allow",
        kind=row.kind,
        origin="safety",
        people=row.people,
        events=row.events,
    )


def _not_retracted(said: list[Event]) -> Iterable[Event]:
    """Without what its own author took back; nobody takes back another's word."""
    gone = {(_person(event), event.data["retracts"]) for event in said if _text(event.data.get("retracts")) is not None}
    return (event for event in said if (_person(event), event.event_id) not in gone)


def _correction(event: Event) -> list[_Statement]:
    data = event.data
    prompt = _text(data.get("user_input")) or _text(data.get("original_prompt"))
    chosen, rejected = _text(data.get("corrected_response")), _text(data.get("original_response"))
    if prompt is None or chosen is None or rejected is None or chosen == rejected:
        return []
    return [_Statement(prompt, chosen, rejected, _person(event), "correction", (event.event_id,))]


def _choice(event: Event) -> list[_Statement]:
    prompt, chosen, rejected = (_text(event.data.get(name)) for name in ("prompt", "chosen", "rejected"))
    if prompt is None or chosen is None or rejected is None or chosen == rejected:
        return []
    return [_Statement(prompt, chosen, rejected, _person(event), "choice", (event.event_id,))]


def _keep(event: Event, kept: dict[tuple[str, str], dict[str, tuple[bool, str]]], conflicts: Counter[str]) -> None:
    prompt, response, keep = _text(event.data.get("prompt")), _text(event.data.get("response")), event.data.get("kept")
    if prompt is None or response is None or not isinstance(keep, bool):
        return
    mine = kept[_person(event), prompt]
    conflicts["superseded"] += response in mine and mine[response][0] != keep
    mine[response] = (keep, event.event_id)


def _keeps(kept: Mapping[tuple[str, str], Mapping[str, tuple[bool, str]]]) -> Iterable[_Statement]:
    for (person, prompt), mine in kept.items():
        for good, (keep, kept_by) in mine.items():
            for bad, (also, dropped_by) in mine.items():
                if keep and not also:
                    yield _Statement(prompt, good, bad, person, "keep", (kept_by, dropped_by))


def _latest(statements: Iterable[_Statement], conflicts: Counter[str]) -> list[_Statement]:
    """The latest of each person about the same two answers; of corrections, about the same original."""
    found: dict[tuple[Any, ...], _Statement] = {}
    for one in statements:
        about: Any = one.rejected if one.origin == "correction" else frozenset((one.chosen, one.rejected))
        key = (one.origin == "correction", one.person, one.prompt, about)
        earlier = found.pop(key, None)
        conflicts["superseded"] += earlier is not None and earlier.chosen != one.chosen
        found[key] = one
    return list(found.values())


def _agreed(statements: Iterable[_Statement], conflicts: Counter[str]) -> list[PreferencePair]:
    """One pair for each preference that more people have than have the opposite one."""
    groups: dict[tuple[str, str, str], list[_Statement]] = defaultdict(list)
    for one in statements:
        groups[one.prompt, one.chosen, one.rejected].append(one)
    pairs = []
    for (prompt, chosen, rejected), mine in groups.items():
        others = groups.get((prompt, rejected, chosen), [])
        if others and len(mine) <= len(others):
            conflicts["outvoted" if len(mine) < len(others) else "contradicted"] += len(mine)
            continue
        people = tuple(sorted({one.person for one in mine if one.person}))
        used = tuple(dict.fromkeys(event for one in mine for event in one.events))
        pairs.append(PreferencePair(prompt, chosen, rejected, None, mine[-1].origin, people, used))
    return pairs


def _person(event: Event) -> str:
    """Who said it: the name in data or metadata, if there is one."""
    for where in (event.data, event.metadata):
        for name in ("person", "user", "reviewer"):
            if (found := _text(where.get(name))) is not None:
                return found
    return ""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
