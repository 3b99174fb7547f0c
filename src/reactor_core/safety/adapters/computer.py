"""A model that uses a computer: each of its steps goes through the gate, and risky clicks are shown first.

::

    computer = Computer(gate, X11Driver(":0"))
    client = computer.instrument(Anthropic())
    reply = client.messages.create(model=..., tools=[...], messages=messages)
    messages.append({"role": "user", "content": await computer.results(reply)})
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal, TypeVar

from reactor_core.errors import ActionDenied, ApprovalInvalid, ConfigError, Halted, SafetyError
from reactor_core.safety.adapters.clients import instrument
from reactor_core.safety.adapters.computer_replies import Done, anthropic_result, calls_of, openai_output
from reactor_core.safety.adapters.computer_sight import Place, Remembered, Sight
from reactor_core.safety.adapters.computer_steps import ComputerStep, read_step
from reactor_core.safety.adapters.passing import Passing
from reactor_core.safety.adapters.tool_calls import Describe, ToolAction, computer_action
from reactor_core.safety.gate import SafetyGate
from reactor_core.safety.permit import Permit
from reactor_core.safety.preview import Preview, Screen, Target
from reactor_core.safety.running import on_thread
from reactor_core.safety.verdict import Verdict

__all__ = ["Computer"]

C = TypeVar("C")
_LOOK_SECONDS = 0.1
"""How often the kill switch is looked at while a step waits."""


class Computer:
    """Does what a model asks of a computer: clicks, keys, scrolling, pictures.

    Each step is put in words with what it hits (role, name, application, dialog), judged, written down, and asked about
    where that is needed. A risky click is then shown for a while, so that a person can call it off. It is made only if
    everything is still as it was when it was judged. One step is done at a time. The kill switch ends it.

    Not covered: a program that gives a button another name than its effect deserves, and what happens after the click.

    Args:
        gate: The gate.
        screen: What is looked at and clicked on.
        shows: Which clicks and drags are shown first: those that people had to agree to (``risky``), ``all``, ``none``.
        duration_ms: How long; None takes SAFETY_PREVIEW_DURATION_MS.
        describe: Names what lies under a point better than the screen does, which on X knows windows only.
    """

    def __init__(
        self,
        gate: SafetyGate,
        screen: Screen,
        *,
        shows: Literal["risky", "all", "none"] = "risky",
        duration_ms: float | None = None,
        describe: Describe | None = None,
    ) -> None:
        if shows not in ("risky", "all", "none"):
            raise ConfigError(f"shows={shows!r} is unknown", remedy="use risky, all or none")
        self._gate, self._screen, self._shows = gate, screen, shows
        self.preview = Preview(screen, gate.bridge, duration_ms=duration_ms, clean=gate.recorder.clean)
        self.describe = Sight(screen, names=describe)
        self._passing = Passing(gate)
        self._one_at_a_time = asyncio.Lock()

    def instrument(self, client: C, *, refused: Literal["replace", "raise"] = "replace") -> C:
        """Put the gate in front of a client, too: what people agreed to there is not asked again when it is done.

        Arguments and errors are those of :func:`~reactor_core.safety.adapters.instrument`.
        """
        return instrument(client, self._gate, refused=refused, describe=self.describe, passing=self._passing)

    def veto(self, reason: str) -> None:
        """Call off the click that is shown now. From any thread."""
        self.preview.veto(reason)

    async def results(self, reply: Any) -> list[dict[str, Any]]:
        """Do the computer calls of a reply; what goes back to the model.

        A step of Anthropic's that is not done is answered by an error that the model reads, and so are the steps after
        it. OpenAI's side knows no such answer, so there the error is raised.

        Args:
            reply: A message of Anthropic's or a response of OpenAI's.

        Raises:
            ConfigError: It is neither.
            Halted: The kill switch is tripped.
            JournalError: Something could not be written down; it was not done.
            SafetyError: A step of OpenAI's was refused, vetoed, or is not what was judged any more.
        """
        vendor, calls = calls_of(reply)
        answers: list[dict[str, Any]] = []
        error = ""
        for call_id, steps in calls:
            done = Done("not done: an earlier step failed", failed=True)
            if not error:
                try:
                    for step in steps:
                        done = await self.do(step, call_id=call_id)
                except Halted:
                    raise
                except (SafetyError, ConfigError) as problem:
                    if vendor == "openai":
                        raise
                    error = f"not done: {problem}"
                    done = Done(error, failed=True)
            if vendor == "openai":
                answers.append(openai_output(call_id, await self._screen.picture()))
            else:
                answers.append(anthropic_result(call_id, done))
        return answers

    async def do(self, given: Mapping[str, Any], *, call_id: str = "") -> Done:
        """Do one step.

        Args:
            given: As the model gives it.
            call_id: Its call, if the reply came through :meth:`instrument`.

        Raises:
            ActionBlocked: The rules refuse it.
            ActionDenied: A person refused it or called it off.
            ApprovalInvalid: What it would hit is not what was judged any more.
            ConfigError: It is not known or lacks something.
            Halted: The kill switch is tripped.
            JournalError: It could not be written down.
        """
        step = read_step(given)
        async with self._one_at_a_time:
            await on_thread(self._gate.station.check)
            if step.verb in ("look", "pointer", "wait", "move"):
                return await self._freely(step)
            if step.verb in ("click", "scroll") and not step.path:
                at = await self._screen.pointer()
                step, given = replace(step, path=(at,)), {**given, "coordinate": list(at)}
            seen = await self._seen(step)
            (action,) = await on_thread(computer_action, given, describe=Remembered(seen, self.describe))
            async with self._permitted(action, call_id) as (permit, judged_before):
                await self._act(step, self.describe.judged(seen) if judged_before else seen, permit)
        return Done("done")

    @asynccontextmanager
    async def _permitted(self, action: ToolAction, call_id: str) -> AsyncIterator[tuple[Permit, bool]]:
        """A permit, and whether it came with the reply. One that is not used is given up."""
        permit = await on_thread(self._passing.claim, call_id, action.action)
        if permit is not None:
            try:
                yield permit, True
            finally:
                await on_thread(permit.abandon)
            return
        doubts = [action.doubt] if action.doubt else []
        context = {"tool": "computer"} | ({"call": call_id} if call_id else {})
        async with self._gate.guard(
            action.action, action.kind, by_caller=True, doubts=doubts, context=context
        ) as permit:
            try:
                yield permit, False
            finally:
                await on_thread(permit.abandon)

    async def _act(self, step: ComputerStep, expected: Mapping[Place, Target], permit: Permit) -> None:
        screen = self._screen
        if step.verb == "type":
            await permit.perform(_done, screen.type, step.text, expected[None])
        elif step.verb == "press":
            await permit.perform(_done, screen.press, step.keys, expected[None])
        elif step.verb == "scroll":
            await permit.perform(screen.scroll, *step.path[0], *step.wheel)
        else:
            await self._click(step, expected, permit)

    async def _click(self, step: ComputerStep, expected: Mapping[Place, Target], permit: Permit) -> None:
        """A click or a drag: shown if it is risky, looked at once more, made."""
        start, end = step.path[0], step.path[-1]

        async def act(target: Target) -> str:
            try:
                if step.verb == "drag":
                    await permit.perform(_done, self._screen.drag, step.path, target, expected[end])
                else:
                    click = functools.partial(self._screen.click, times=step.times)
                    await permit.perform(_done, click, *start, step.button, target)
            except ApprovalInvalid as error:
                return str(error)
            return ""

        risky = permit.decision.verdict is not Verdict.ALLOW
        clicked = await self.preview.click(
            *start,
            step.button,
            expected=expected[start],
            shown=self._shows == "all" or (risky and self._shows == "risky"),
            act=act,
            metadata={"decision_id": permit.decision_id, "action": self._gate.recorder.text(permit.action)},
        )
        if clicked.by_person:
            raise ActionDenied(f"the click was called off: {clicked.reason}")
        if not clicked.made:
            raise ApprovalInvalid(f"the click was called off: {clicked.reason}", remedy="look again")

    async def _seen(self, step: ComputerStep) -> dict[Place, Target]:
        """What the step would hit: what lies under its ends, or what has the keyboard."""
        if step.verb in ("type", "press"):
            return {None: await self._screen.focus()}
        return {point: await self._screen.look(*point) for point in (step.path[0], step.path[-1])}

    async def _freely(self, step: ComputerStep) -> Done:
        """What changes nothing."""
        if step.verb == "look":
            return Done("the screen", picture=await self._screen.picture())
        if step.verb == "pointer":
            x, y = await self._screen.pointer()
            return Done(f"X={x},Y={y}")
        if step.verb == "move":
            await self._screen.move(*step.path[0])
            return Done("done")
        left = step.seconds
        while left > 0:
            await asyncio.sleep(min(left, _LOOK_SECONDS))
            await on_thread(self._gate.station.check)
            left -= _LOOK_SECONDS
        return Done("done")


async def _done(do: Callable[..., Awaitable[str]], *args: Any) -> None:
    """Do it, as one step of a permit; that it was not done is an error, so that it is written down as such."""
    reason = await do(*args)
    if reason:
        raise ApprovalInvalid(reason)
