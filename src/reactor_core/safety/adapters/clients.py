"""``instrument(client)``: a model client whose tool calls go through the gate before the caller sees them."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from reactor_core.errors import ConfigError
from reactor_core.safety.adapters.passing import Passing
from reactor_core.safety.adapters.tool_calls import Describe
from reactor_core.safety.gate import SafetyGate

__all__ = ["instrument"]

C = TypeVar("C")


def instrument(
    client: C,
    gate: SafetyGate,
    *,
    refused: Literal["replace", "raise"] = "replace",
    describe: Describe | None = None,
    passing: Passing | None = None,
) -> C:
    """Put the gate in front of a client of Anthropic's or OpenAI's. Changes the client and returns it.

    Every call of a tool that the caller would carry out (bash, computer, text editor, his own functions) is judged,
    written down, and asked about where that is needed, before ``create`` returns. The call then waits for people. What
    the caller does with a call that came through is his own: run commands with ``gate.guard`` to have that enforced.
    Tools that the vendor runs on his side are not looked at.

    Args:
        client: ``anthropic.Anthropic``, ``anthropic.AsyncAnthropic``, ``openai.OpenAI`` or ``openai.AsyncOpenAI``.
        gate: The gate.
        refused: For Anthropic's: ``replace`` a refused call by a text that says so, or ``raise`` why. OpenAI's always
            raises, as the vendor's side waits for the output of every call.
        describe: Says what a click hits; without it every click is asked about.
        passing: Where calls that came through wait for who does them; None: for their results only.

    Raises:
        ConfigError: It is another client, or was instrumented before.
    """
    vendor = type(client).__module__.partition(".")[0]
    if getattr(client, "_reactor_gate", None) is not None:
        raise ConfigError("the client is instrumented already")
    passing = Passing(gate) if passing is None else passing
    target: Any = client
    if vendor == "anthropic":
        from reactor_core.safety.adapters import anthropic_messages

        anthropic_messages.install(target, passing, refused=refused, describe=describe)
    elif vendor == "openai":
        from reactor_core.safety.adapters import openai_responses

        openai_responses.install(target, passing, describe=describe)
    else:
        raise ConfigError(
            f"client={type(client).__module__}.{type(client).__qualname__} is not known",
            remedy="use anthropic.Anthropic or openai.OpenAI, or guard your tools with gate.guard",
        )
    target._reactor_gate = gate  # noqa: SLF001  a mark of ours on their object
    return client
