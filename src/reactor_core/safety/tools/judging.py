"""A command against its program's table."""

from __future__ import annotations

from collections.abc import Mapping

from reactor_core.safety.naming import names_class
from reactor_core.safety.tools.line import Textual, shown
from reactor_core.safety.tools.registry import Call
from reactor_core.safety.tools.table import PathRole, Tool, Use, fits, sub_length
from reactor_core.safety.tools.targets import merged, role_of
from reactor_core.safety.tools.verbs import verb_rule
from reactor_core.safety.verdict import Finding, Judged, Verdict, rule_verdict

__all__ = ["judge_by_table", "targets_of"]


def judge_by_table(call: Call, tool: Tool) -> Judged:
    """What the rows of a table say to a command."""
    if _dry(call, tool):
        return merged(call.found("A4", "only shows what would be done"))
    parts: list[Judged | Finding | None] = [_files(call, tool.paths, 0)]
    for use in tool.use:
        skip = sub_length(use, call.line)
        if skip is None:
            continue
        targets = targets_of(call, use.target or tool.target, skip)
        if not fits(use, call.line, targets, skip) or (use.input and not getattr(call.origin, use.input)):
            continue
        parts += [_ruled(call, use, targets, skip), _files(call, use.paths, skip), _nested(call, use, skip)]
        if not use.also:
            break
    else:
        parts.append(_otherwise(call, tool))
    return merged(*parts)


def _dry(call: Call, tool: Tool) -> bool:
    for name in tool.dry:
        option, equals, value = name.partition("=")
        if equals and any(one.text == value for one in call.line.values(option)):
            return True
        if not equals and call.line.has(option):
            return all(one.text not in {"false", "none", "0", "no"} for one in call.line.values(option))
    return False


def targets_of(call: Call, places: tuple[str, ...], skip: int) -> tuple[Textual, ...]:
    """The words that name what is touched."""
    found: list[Textual] = []
    for place in places:
        if place.startswith("operands"):
            found.extend(_operands(call, place, skip))
        else:
            found.extend(call.line.values(place))
    return tuple(found)


def _operands(call: Call, place: str, skip: int) -> tuple[Textual, ...]:
    rest = call.line.operands[skip:]
    match place.partition(":")[2]:
        case "first":
            return rest[:1]
        case "last":
            return rest[-1:]
        case "rest":
            return rest[1:]
        case "all_but_last":
            return rest[:-1]
        case _:
            return rest


def _ruled(call: Call, use: Use, targets: tuple[Textual, ...], skip: int) -> Finding | None:
    names = [word.text for word in targets if word.text is not None]
    rule = use.rule
    if use.remote and call.scope.host:
        rule = use.remote
    elif use.unknown and len(names) < len(targets):
        rule = use.unknown
    elif use.many and (len(targets) > use.few or any(_listing(word) for word in targets)):
        rule = use.many
    else:
        kind = names_class(names, call.scope.setting) if names else "plain"
        rule = (kind == "precious" and use.precious) or (kind == "scratch" and use.scratch) or rule
    shown_targets = " ".join(shown(word) for word in targets[:5])
    sub = " ".join(call.line.sub(index) for index in range(skip))
    says = " ".join(use.says.replace("{target}", shown_targets).replace("{sub}", sub).split())
    if rule_verdict(rule) is Verdict.ALLOW and not says:
        return None
    return call.found(
        rule,
        f"{call.program}: {says or f'{sub} {shown_targets}'.strip()}".strip(),
        shown_targets,
        outward="outward" in use.effect,
        secret="secret" in use.effect,
        privilege="privilege" in use.effect,
        reversible="final" not in use.effect,
    )


def _listing(word: Textual) -> bool:
    return word.text is None or any(mark in word.text for mark in "*?[")


def _files(call: Call, places: Mapping[str, PathRole], skip: int) -> Judged:
    return merged(*(role_of(call, targets_of(call, (place,), skip), role) for place, role in places.items()))


def _nested(call: Call, use: Use, skip: int) -> Judged:
    parts: list[Judged | Finding | None] = []
    for place, kind in use.nested.items():
        for word in targets_of(call, (place,), skip):
            if word.text is None:
                parts.append(call.found("C6", f"{call.program}: runs {kind} that cannot be known beforehand"))
            else:
                parts.append(call.nested(kind, word.text))
    return merged(*parts)


def _otherwise(call: Call, tool: Tool) -> Finding | None:
    rule = tool.otherwise
    says = tool.says or "a use that is not known"
    if rule == "verb":
        words = [word for word in call.line.words[:4] if not word.startswith(("/", ".", "$"))][:3]
        if call.line.operands and call.line.operands[0].text is None:
            return call.found("C6", f"{call.program}: what is to be done cannot be known beforehand")
        return verb_finding(call, tuple(words))
    return None if rule_verdict(rule) is Verdict.ALLOW else call.found(rule, f"{call.program}: {says}")


def verb_finding(call: Call, words: tuple[str, ...]) -> Finding | None:
    """Judged by the words of the subcommand alone."""
    rule = verb_rule(words)
    shown_words = " ".join(words)
    if rule == "destroys":
        kind = names_class(call.line.words[1:], call.scope.setting)
        final = "B4" if kind == "precious" else "C4"
        return call.found(final, f"{call.program}: {shown_words}", shown_words, reversible=False)
    if rule in {"", "A1"}:
        return None
    return call.found(rule, f"{call.program}: {shown_words}", shown_words, secret=rule == "C8")
