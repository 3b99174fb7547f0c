"""The judge of steps in a graphical interface: what is clicked, pressed or typed, on which screen."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from reactor_core.safety import paths
from reactor_core.safety.gui.destruction import destroyed, given_up, overwritten
from reactor_core.safety.gui.doubt import classed, doubted, entered_text, refused, set_wrong, warned
from reactor_core.safety.gui.grammar import Scene, Step, parse
from reactor_core.safety.gui.keys import Act, act_of, combinations, default_button
from reactor_core.safety.gui.labels import Answer
from reactor_core.safety.gui.outward import paid, spoken
from reactor_core.safety.gui.reading import acts, answered, performed, switch_of
from reactor_core.safety.gui.scenery import DATABASE_APP, MAIL_APP, PYTHON_APP, RUN_BOX, STATE_OFF, TERMINAL
from reactor_core.safety.gui.settings import set_to, unguarded
from reactor_core.safety.gui.sight import Sight
from reactor_core.safety.gui.trust import entrusted, overseen, switched
from reactor_core.safety.gui.typed import typed
from reactor_core.safety.gui.upkeep import kept_up, queried, revealed
from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.verdict import Effect, Finding, Judged, Touch, found

__all__ = ["judge"]

_IDLE = frozenset(
    {
        "hover",
        "scroll",
        "right_click",
        "wait",
        "screenshot",
        "zoom",
        "focus",
        "swipe",
        "look",
        "read",
        "move",
        "middle_click",
    }
)
_PLACES = frozenset(
    {
        "tab",
        "folder",
        "row",
        "column",
        "album",
        "channel",
        "issue",
        "field",
        "filter",
        "container",
        "page",
        "contact",
        "conversation",
        "message",
        "cell",
        "tree",
        "list",
        "node",
        "card",
        "search",
        "box",
        "entry",
        "event",
        "heading",
        "section",
        "window",
    }
)  # fmt: skip
_SETTINGS = frozenset({"toggle", "switch", "checkbox", "check box", "radio", "slider", "option"})
_ALARM = re.compile(
    r"are you sure|cannot be undone|can['’]?t be undone|irreversibl|permanent|for ?ever|will be lost"
    r"|warning|danger|really"
)

_Rule = Callable[[Sight], Finding | None]
_DEEDS: tuple[_Rule, ...] = (
    overseen,
    entrusted,
    switched,
    unguarded,
    destroyed,
    overwritten,
    paid,
    revealed,
    spoken,
    kept_up,
)


def judge(text: str, scope: Scope) -> Judged:
    """What a step in a graphical interface does.

    Args:
        text: Such as ``click: button "Delete" | app: Files | selection: 3 files``.
        scope: Where it happens.
    """
    scene = parse(text)
    if scene is None:
        return Judged((unclear("the action is not written as a step in a graphical interface"),), (text,))
    walk = _Walk(scene, scope)
    walk.go()
    return Judged(tuple(walk.findings), tuple(walk.lines), _touches(scene))


def _touches(scene: Scene) -> tuple[Touch, ...]:
    touched = [Touch("account", scene.app, "write")] if scene.app else []
    payee = scene.field("to", "payee", "with", "account", "project", "repo", "repository")
    return (*touched, Touch("account", payee.lower(), "write")) if payee else tuple(touched)


class _Walk:
    """Goes through the steps of a scene and remembers what was selected and typed."""

    def __init__(self, scene: Scene, scope: Scope) -> None:
        self._scene, self._scope = scene, scope
        self._everything = self._pasted = False
        self.findings: list[Finding] = []
        self.lines: list[str] = []

    def go(self) -> None:
        """Judge each step in its turn."""
        steps = self._scene.steps
        for number, step in enumerate(steps):
            self._scope.effort.spend()
            line = " ".join(
                part for part in (step.verb, step.role, repr(step.name), step.state and f"-> {step.state}") if part
            )
            self.lines.append(line)
            before = len(self.findings)
            self._step(step, steps[number + 1 :])
            told = step.verb == "key" and self._scene.field("dialog", "focused")
            if len(self.findings) == before and not told and answered(step, self._scene) is None:
                self._add(warned(Sight.of(step, self._scene, self._scope), step.verb))
            self.findings[before:] = [
                Finding(each.verdict, each.rule, each.says, each.effect, each.part or line)
                for each in self.findings[before:]
            ]

    def _step(self, step: Step, after: tuple[Step, ...]) -> None:
        if step.verb in _IDLE:
            if performed(step.name) != step.name:  # such as sliding to pay
                self._label(step.name)
            return
        if step.verb == "type":
            self._type(step, after)
        elif step.verb == "key":
            self._press(step)
        elif step.verb == "drag":
            self._drag(step)
        else:
            self._click(step)

    def _type(self, step: Step, after: tuple[Step, ...]) -> None:
        entered = any(
            (later.verb == "key" and {"enter", "return"} & set(combinations(later.name)))
            or re.match(r"(?i)(save|send|submit|run|post|ok)\b", later.name)
            for later in after
        )
        before = len(self.findings)
        answer = answered(step, self._scene)
        if answer is not None:
            if answer is Answer.YES:
                self._told()
                if len(self.findings) == before:
                    self.findings.append(unclear("says yes to a question whose effect cannot be told"))
            return
        self.findings += typed(step, self._scene, self._scope, entered=entered)
        field = self._scene.field("field", "dialog").lower()
        told = self._scene.told
        if re.search(r"confirm.*(delet|destroy|remov|drop|eras)", field):
            self._label(f"delete {field.rpartition(' of ')[2]}")
        elif re.search(
            r"to confirm|type .{0,60}(delete|name|confirm|id)\b|are you (absolutely )?sure|cannot be undone", told
        ):
            self._told()
        if len(self.findings) == before and not re.search(r"search|find|filter", field):
            sight = Sight.of(Step("click", "button", "enter"), self._scene, self._scope)
            self.findings += entered_text(step.name, field, sight)

    def _sight_of(self, step: Step) -> Sight:
        return Sight.of(step, self._scene, self._scope, everything=self._everything)

    def _told(self) -> None:
        """A yes to what the screen says."""
        sight = Sight.of(Step("click", "button", "confirm"), self._scene, self._scope, everything=self._everything)
        for rule in (destroyed, entrusted, switched, classed):
            self._add(rule(sight))

    def _label(self, label: str, *, state: str = "", role: str = "button") -> None:
        self._click(Step("click", role, label, state))

    def _click(self, step: Step) -> None:
        sight = Sight.of(step, self._scene, self._scope, everything=self._everything)
        self._pasted = self._pasted or sight.label == "paste"
        if re.match(r"(position|point|coordinates?|at)?\W*\(?\d+ ?[,x] ?\d+\)?$", f"{step.role} {step.name}".strip()):
            self.findings.append(unclear("clicks at a place of the screen that nothing is known of"))
            return
        double = step.verb.startswith(("double", "dbl")) or step.verb in {"launch", "start"}
        if step.role.partition(" ")[0] in _PLACES and not double and not step.state:
            return
        reading = re.search(
            r"help|article|docs\b|documentation|support|wiki|search results|tutorial|guide|manual|knowledge",
            f"{sight.app} {sight.scene.told}",
        )
        if step.role == "link" and (not acts(sight.label) or reading):
            self._add(None if reading else revealed(sight))
            return
        if step.verb in {"select", "choose"} and not step.state and step.role not in _SETTINGS | {"button", "menu"}:
            self._set(
                step, Sight.of(replace(step, role="option"), self._scene, self._scope)
            )  # marked, or a setting's state
            return
        if double:
            self._add(entrusted(sight))
            return
        if step.role in _SETTINGS or step.verb in {"toggle", "check", "uncheck", "switch"}:
            self._set(step, sight)
            return
        if step.state and step.role in {"dropdown", "combo box", "menu"}:
            self._add(set_to(sight))
        switch = switch_of(step.name)
        if switch is not None and sight.answer in {Answer.SAFE, Answer.DEED} and not step.state:
            self._set(Step("click", "toggle", *switch), self._sight_of(Step("click", "toggle", *switch)))
            if sight.answer is Answer.SAFE:
                return
        if sight.answer is Answer.GIVE_UP:
            self._add(given_up(sight))
        elif sight.answer in {Answer.SAFE, Answer.LOOK}:
            for rule in (overseen, spoken, revealed) if sight.answer is Answer.LOOK else (spoken, refused, classed):
                self._add(rule(sight))
        else:
            self._deed(sight)

    def _deed(self, sight: Sight) -> None:
        before = len(self.findings)
        if sight.tightens:
            self._add(unguarded(sight))
            return
        self._add(refused(sight))
        ran = queried(sight)
        if ran is not None:
            self.findings += ran
            return
        for rule in _DEEDS:
            self._add(rule(sight))
        self._add(classed(sight))
        if len(self.findings) == before and sight.answer is Answer.YES and _ALARM.search(sight.scene.told):
            self.findings.append(unclear("says yes to a warning whose effect cannot be told"))
        elif len(self.findings) == before:
            self._add(doubted(sight))

    def _set(self, step: Step, sight: Sight) -> None:
        if step.verb == "uncheck":
            sight = Sight.of(Step("click", step.role, step.name, "off"), self._scene, self._scope)
        before = len(self.findings)
        self._add(overseen(sight))
        self._add(switched(sight))
        self._add(set_wrong(sight))
        self._add(set_to(sight))
        if step.state and not STATE_OFF.match(step.state):
            self._scene = replace(self._scene, fields=(*self._scene.fields, ("checked", sight.label)))
        if len(self.findings) == before:
            self._add(doubted(sight))

    def _drag(self, step: Step) -> None:
        target = step.state.lower()
        named = step.name if step.name != step.role else step.role
        if re.search(r"trash|bin\b|recycle|shred|waste|garbage|eras|delet|dumpster|incinerat", target):
            self._add(
                destroyed(
                    Sight.of(
                        Step("click", step.role or "button", f"delete {named}"),
                        self._scene,
                        self._scope,
                        everything=self._everything,
                    )
                )
            )
        elif re.search(r"rebase|squash|fixup|reset|reorder|onto\b", target):
            self._add(found("C2", "changes local history", Effect(named, reversible=False)))
        elif re.match(r"[/~]", named):
            self._add(paths.moving(named, target, self._scope))
        elif re.search(r"channel|chat|mail|conversation|public|share|upload", target):
            self._add(spoken(Sight.of(Step("click", "button", f"share {named} to {target}"), self._scene, self._scope)))
        elif step.role == "slider" or "threshold" in named.lower():
            self._add(switched(Sight.of(Step("click", "slider", named, target), self._scene, self._scope)))

    def _press(self, step: Step) -> None:
        acts = [(one, act_of(one)) for one in combinations(step.name)]
        for number, (one, act) in enumerate(acts):
            rest = [later for _, later in acts[number + 1 :]]
            match act:
                case Act.ALL:
                    self._everything = True
                case Act.CONFIRM if len(one) > 1 or number or self._scene.told:
                    self._confirm(pasted=self._pasted or any(earlier is Act.PASTE for _, earlier in acts[:number]))
                case Act.DELETE | Act.ERASE if len(one) > 1:
                    self._delete(erase=act is Act.ERASE, stored=Act.RUN in rest)
                case Act.RUN:
                    self._run(one)
                case Act.REFUSE if self._scene.field("dialog", "prompt", "alert") and "save" not in self._scene.told:
                    self._label("no")
                case Act.REFUSE if len(acts) > 1 and re.search(r"\bsave\b", self._scene.told):
                    self._add(found("C1", "closes without saving", Effect(reversible=False)))
                case Act.PUSH if self._scene.field("focused", "focused button", "focus"):
                    self._confirm(pasted=False)
                case Act.FILL:
                    self._add(found("C8", "fills in a stored secret", Effect(secret=True)))

    def _confirm(self, *, pasted: bool) -> None:
        """Enter: the default button of a dialog, the message that was written, the command that was pasted."""
        scene = self._scene
        dialog = scene.field("dialog", "prompt", "alert", "confirmation")
        entered = scene.field("field", "text", "input", "command")
        if entered and RUN_BOX.search(scene.app):
            self.findings += typed(Step("type", "", entered), scene, self._scope, entered=True)
        elif dialog or scene.field("focused button", "default button", "focus", "focused", "default"):
            focused = scene.field("focused button", "default button", "focus", "focused", "default", "button")
            self._label(default_button(dialog, focused) or "OK")
        elif pasted:
            pasted_text = scene.field("clipboard")
            known = pasted_text and "unknown" not in pasted_text.lower()
            if known and RUN_BOX.search(scene.app):
                self.findings += typed(Step("type", "", pasted_text), scene, self._scope, entered=True)
            elif TERMINAL.search(scene.app) and known:
                self.findings += self._scope.nested("shell", pasted_text).findings
            elif TERMINAL.search(scene.app):
                self.findings.append(unclear("runs what the clipboard holds"))
        elif TERMINAL.search(scene.app):
            command = scene.field("text", "line", "command", "prompt", "input")
            if command:
                self.findings += self._scope.nested("shell", command).findings
            elif scene.told:
                self._told()
        elif MAIL_APP.search(scene.app) or scene.field("channel"):
            self._label("send")
        elif scene.told:
            self._told()

    def _delete(self, *, erase: bool, stored: bool) -> None:
        scene = self._scene
        grid = DATABASE_APP.search(scene.app) is not None
        selected = scene.field(
            "selection",
            "selected",
            "folder",
            "path",
            "location",
            "file",
            "files",
            "grid",
            "list",
            "message",
            "table",
            "row",
            "rows",
        )
        if not selected or (
            re.search(r"paragraph|word|text|line|sentence|cell|shape|layer|character", selected.lower()) and not grid
        ):
            return
        if grid and self._everything:
            self._add(found("B3", "deletes every row that is shown", Effect(reversible=False)))
        elif grid and not stored:
            self._add(found("C3", "deletes rows", Effect(reversible=False)))
        else:
            self._label("delete permanently" if erase else "delete")

    def _run(self, one: str) -> None:
        scene = self._scene
        query = scene.field("query", "editor", "sql", "statement", "cell", "code", "script", "selection")
        if DATABASE_APP.search(scene.app):
            if query:
                self.findings += self._scope.nested("sql", query).findings
        elif PYTHON_APP.search(scene.app) and query:
            self.findings += self._scope.nested("python", query).findings
        elif "enter" in one and (MAIL_APP.search(scene.app) or scene.field("to", "channel", "recipients")):
            self._label("send")

    def _add(self, finding: Finding | None) -> None:
        if finding is not None:
            self.findings.append(finding)
