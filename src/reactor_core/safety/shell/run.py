"""Runs a script symbolically: each way that it may take, each loop as far as it is known, nothing for real."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.shell import redirects as streams
from reactor_core.safety.shell import simple
from reactor_core.safety.shell.arithmetic import NotKnown
from reactor_core.safety.shell.command import Origin
from reactor_core.safety.shell.conditions import holds, matches
from reactor_core.safety.shell.expand import Expander
from reactor_core.safety.shell.grammar import parse
from reactor_core.safety.shell.nodes import (
    ArithmeticCommand,
    Case,
    Compound,
    CountingFor,
    For,
    Function,
    If,
    Item,
    Literal,
    Node,
    Pipeline,
    ProcessSubstitution,
    Redirection,
    Script,
    Simple,
    Test,
    While,
    WordNode,
)
from reactor_core.safety.shell.running import Call, Outcome
from reactor_core.safety.shell.state import EMPTY, UNKNOWN, Chooser, Shell, Value, World, literal, merged
from reactor_core.safety.verdict import Effect, Finding, Judged, Scale, found

__all__ = ["judge"]

_ROUNDS = 64
"""Of a loop whose end is known."""
_BLIND_ROUNDS = 2
"""Of one whose end is not: what a round sets is seen by the next."""


def judge(text: str, scope: Scope) -> Judged:
    """What a script does.

    Raises:
        TooComplex: It is larger or nested deeper than what is looked at.
    """
    world = World(made=set(scope.made), fetched=set(scope.fetched))
    shell = Shell(scope, world)
    runner = _Runner()
    runner.text(text, shell)
    for trap in list(shell.traps):
        shell.dead = ""
        runner.text(trap, shell)
    return Judged(_once(world.findings), tuple(dict.fromkeys(world.resolved)), tuple(dict.fromkeys(world.touches)))


def _once(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(dict.fromkeys(findings))


class _Runner:
    def text(self, text: str, shell: Shell) -> Outcome:
        script = parse(text)
        outcome = self.script(script, shell)
        if script.broken:
            shell.world.findings.append(
                unclear(f"it cannot be read as a shell script: {script.broken}", part=text[:200])
            )
            return Outcome(UNKNOWN)
        return outcome

    def call(self, call: Call) -> Outcome:
        return simple.call(call)

    def script(self, script: Script, shell: Shell) -> Outcome:
        output = EMPTY
        status: bool | None = True
        before: Shell | None = None
        for item in script.items:
            shell.scope.effort.spend()
            if shell.dead and item.joined != "||":
                break
            if item.joined == "||":
                status, said, before = self._otherwise(item, shell, status, before)
                output = output + said
                continue
            if item.joined == "&&" and status is False:
                continue
            before = shell.copy()
            outcome = self._item(item, shell)
            status = outcome.status
            output = output + outcome.output
        return Outcome(output, status)

    def _otherwise(
        self, item: Item, shell: Shell, status: bool | None, before: Shell | None
    ) -> tuple[bool | None, Value, Shell | None]:
        """What stands behind ``||`` runs where what stands before it has failed, and so done nothing."""
        if status is True and not shell.dead:
            return status, EMPTY, before
        other = (before or shell).copy()
        other.dead = ""
        outcome = self._item(item, other)
        if status is False:
            shell.become(other)
            return outcome.status, outcome.output, before
        first = shell.copy()
        merged([first, other], shell)
        same = status if status == outcome.status else None
        return same, Value((None,), outcome.output.origin) if outcome.output != EMPTY else EMPTY, before

    def _item(self, item: Item, shell: Shell) -> Outcome:
        if not item.background:
            return self._pipeline(item.pipeline, shell)
        inner = shell.copy()
        inner.fork = True
        outcome = self._pipeline(item.pipeline, inner)
        return Outcome(outcome.output, True)

    def _pipeline(self, pipeline: Pipeline, shell: Shell) -> Outcome:
        commands = pipeline.commands
        if len(commands) == 1:
            outcome = self._node(commands[0], shell)
        else:
            flowing = shell.stdin
            outcome = Outcome()
            for number, node in enumerate(commands):
                inner = shell.copy()
                inner.stdin = flowing
                inner.fork = True
                inner.piped = shell.piped or number + 1 < len(commands)
                outcome = self._node(node, inner)
                flowing = outcome.output
        if pipeline.negated:
            return replace(outcome, status=None if outcome.status is None else not outcome.status)
        return outcome

    def _node(self, node: Node, shell: Shell) -> Outcome:
        match node:
            case Simple():
                return self._simple(node, shell)
            case Function():
                shell.functions[node.name] = node.body
                return Outcome(status=True)
            case _:
                return self._redirected(node, shell)

    def _simple(self, node: Simple, shell: Shell) -> Outcome:
        chooser = Chooser()
        ways: list[Shell] = []
        outcomes: list[Outcome] = []
        for _ in chooser.rounds():
            way = shell.copy()
            expander = self._expander(way, chooser)
            outcomes.append(simple.run_simple(node, way, expander, self, chooser))
            ways.append(way)
        if len(ways) == 1:
            shell.become(ways[0])
            shell.stdin = ways[0].stdin
            return outcomes[0]
        merged(ways, shell)
        outputs = {outcome.output for outcome in outcomes}
        origin = Origin()
        for outcome in outcomes:
            origin |= outcome.output.origin
        output = outcomes[0].output if len(outputs) == 1 else Value((None,), origin)
        statuses = {outcome.status for outcome in outcomes}
        return Outcome(output, outcomes[0].status if len(statuses) == 1 else None)

    def _expander(self, shell: Shell, chooser: Chooser) -> Expander:
        return Expander(shell, chooser, self._captured, self._descriptor)

    def _captured(self, script: Script, shell: Shell) -> Value:
        inner = shell.copy()
        inner.piped = True
        redirected = _read_file(script)
        if redirected is not None:
            inner_script = Script((Item(Pipeline((replace(redirected, words=((_CAT,),)),))),))
            value = self.script(inner_script, inner).output
        else:
            value = self.script(script, inner).output
        parts = list(value.parts)
        if parts[-1] is not None:
            parts[-1] = parts[-1].rstrip("\n")
        return replace(value, parts=tuple(parts))

    def _descriptor(self, part: ProcessSubstitution, shell: Shell) -> str:
        world = shell.world
        world.descriptors += 1
        path = f"/dev/fd/{62 + world.descriptors}"
        inner = shell.copy()
        inner.fork = True
        if part.out:
            inner.stdin = shell.stdin if shell.stdin is not None else UNKNOWN
            self.script(part.body, inner)
        else:
            inner.piped = True
            world.contents[path] = self.script(part.body, inner).output
            if world.contents[path].origin.fetched:
                world.fetched.add(path)
        return path

    def _redirected(self, node: Node, shell: Shell) -> Outcome:
        """A compound command: its redirections hold for all that is in it."""
        redirections: tuple[Redirection, ...] = getattr(node, "redirections", ())
        held = shell.stdin
        expander = self._expander(shell, Chooser())
        cwd = shell.folders()[0]
        scope = replace(shell.scope, cwd=cwd)
        stdin, redirects, out = streams.opened(redirections, shell, expander, scope, self)
        if stdin is not None:
            shell.stdin = stdin
        outcome = self._compound(node, shell)
        shell.stdin = held
        if redirects:
            streams.judge_redirects(
                Call((_GROUP,), shell, scope, self, expander.chooser, redirects=redirects), redirects, outcome.output
            )
        return replace(outcome, output=EMPTY) if out else outcome

    def _compound(self, node: Node, shell: Shell) -> Outcome:
        match node:
            case Compound(body, subshell):
                if not subshell:
                    return self.script(body, shell)
                inner = shell.copy()
                outcome = self.script(body, inner)
                for trap in inner.traps[len(shell.traps) :]:
                    inner.dead = ""
                    self.text(trap, inner)
                return outcome
            case If():
                return self._if(node, shell)
            case For():
                return self._for(node, shell)
            case CountingFor():
                return self._counting(node, shell)
            case While():
                return self._while(node, shell)
            case Case():
                return self._case(node, shell)
            case Test(words):
                return Outcome(status=self._holds(words, shell))
            case ArithmeticCommand(expression):
                return Outcome(status=self._truth(expression, shell))
            case _:
                raise AssertionError(node)

    def _holds(self, nodes: tuple[WordNode, ...], shell: Shell) -> bool | None:
        expander = self._expander(shell, Chooser())
        words = [expander.value(node).word() for node in nodes]
        return holds(words, patterns=[expander.pieces(node) for node in nodes])

    def _truth(self, expression: WordNode, shell: Shell) -> bool | None:
        try:
            return self._expander(shell, Chooser()).number(expression) != 0
        except NotKnown:
            return None

    def _if(self, node: If, shell: Shell) -> Outcome:
        ways: list[Shell] = []
        outputs: list[Value] = []
        open_end = True
        for condition, body in node.branches:
            status = self.script(condition, shell).status
            if status is False:
                continue
            way = shell.copy()
            outputs.append(self.script(body, way).output)
            ways.append(way)
            if status is True:
                open_end = False
                break
        if open_end:
            way = shell.copy()
            outputs.append(self.script(node.otherwise, way).output if node.otherwise else EMPTY)
            ways.append(way)
        merged(ways, shell)
        return Outcome(_any(outputs), None)

    def _case(self, node: Case, shell: Shell) -> Outcome:
        expander = self._expander(shell, Chooser())
        text = expander.value(node.word).text
        ways: list[Shell] = []
        outputs: list[Value] = []
        certain = False
        for patterns, body in node.items:
            fits = [matches(text, expander.pieces(pattern)) for pattern in patterns]
            if True not in fits and None not in fits:
                continue
            way = shell.copy()
            outputs.append(self.script(body, way).output)
            ways.append(way)
            if True in fits:
                certain = True
                break
        if not certain:
            ways.append(shell.copy())
        merged(ways, shell)
        return Outcome(_any(outputs), None)

    def _for(self, node: For, shell: Shell) -> Outcome:
        if node.words is None:
            values = shell.positional if shell.positional is not None else (UNKNOWN,)
        else:
            collected: list[Value] = []
            chooser = Chooser()
            for _ in chooser.rounds():
                words = self._expander(shell, chooser).words(node.words)
                collected.extend(Value(word.parts, word.origin, word.globbed) for word in words)
            values = tuple(dict.fromkeys(collected))
        output = EMPTY
        for value in values[:_ROUNDS]:
            shell.set(node.name, value)
            output = output + self.script(node.body, shell).output
            if _left_loop(shell):
                break
        if any(value.text is None or value.globbed for value in values):
            output = Value((None,), output.origin, output.globbed) if output.text else output
        return Outcome(output, None)

    def _counting(self, node: CountingFor, shell: Shell) -> Outcome:
        self._truth(node.start, shell)
        output = EMPTY
        for number in range(_ROUNDS):
            status = True if not node.condition else self._truth(node.condition, shell)
            if status is False or (status is None and number >= _BLIND_ROUNDS):
                break
            output = output + self.script(node.body, shell).output
            if _left_loop(shell):
                break
            self._truth(node.step, shell)
        self._endless(node.body, shell, endless=not node.condition)
        return Outcome(output, None)

    def _while(self, node: While, shell: Shell) -> Outcome:
        output = EMPTY
        blind = 0
        status: bool | None = None
        for _ in range(_ROUNDS):
            status = self.script(node.condition, shell).status
            if node.until and status is not None:
                status = not status
            if status is False:
                break
            blind += status is None
            output = output + self.script(node.body, shell).output
            if _left_loop(shell) or blind >= _BLIND_ROUNDS:
                break
        self._endless(node.body, shell, endless=status is True and not shell.dead)
        return Outcome(output if status is False else Value((None,), output.origin, output.globbed), None)

    @staticmethod
    def _endless(body: Script, shell: Shell, *, endless: bool) -> None:
        """A loop without an end that starts something in the background in each round fills the machine."""
        if endless and any(item.background for item in body.items):
            shell.world.findings.append(
                found("B6", "starts processes without an end", Effect(scale=Scale.ALL, reversible=False))
            )


def _left_loop(shell: Shell) -> bool:
    if shell.dead == "loop":
        shell.dead = ""
    return bool(shell.dead)


def _any(outputs: Sequence[Value]) -> Value:
    """What is printed by one of several ways."""
    different = list(dict.fromkeys(outputs))
    if len(different) == 1:
        return different[0]
    origin = Origin()
    for output in different:
        origin |= output.origin
    return Value((None,), origin) if different else EMPTY


def _read_file(script: Script) -> Simple | None:
    """``$(< file)``."""
    if len(script.items) != 1 or len(script.items[0].pipeline.commands) != 1:
        return None
    node = script.items[0].pipeline.commands[0]
    if isinstance(node, Simple) and not node.words and not node.assignments and node.redirections:
        return node if node.redirections[0].op == "<" else None
    return None


_GROUP = literal("{ }").word()
_CAT = Literal("cat")
