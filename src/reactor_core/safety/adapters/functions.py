"""A function that goes through the gate whenever it is called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from reactor_core.safety.adapters.tool_calls import as_call
from reactor_core.safety.gate import SafetyGate

__all__ = ["guarded"]

F = TypeVar("F", bound=Callable[..., Any])


def guarded(gate: SafetyGate, *, kind: str, action: str | Callable[..., str] | None = None) -> Callable[[F], F]:
    """A decorator: the function runs only if the gate lets what it does through.

    Args:
        gate: The gate.
        kind: Kind of the action.
        action: What it does: a template with the function's arguments (``"DELETE FROM {table}"``), a function of the
            same arguments, or None for the call itself, ``name(argument=value, ...)``.

    The arguments are bound once, before the judgement; values that the function could change afterwards are its own.
    Calling it raises what :meth:`SafetyGate.guard` raises.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)

        def words(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            if callable(action):
                return action(*args, **kwargs)
            if action is not None:
                return action.format(**bound.arguments)
            return as_call(function.__name__, bound.arguments)

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapped_async(*args: Any, **kwargs: Any) -> Any:
                async with gate.guard(words(args, kwargs), kind, by_caller=True) as permit:
                    return await permit.perform(function, *args, **kwargs)

            return cast("F", wrapped_async)

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with gate.guard(words(args, kwargs), kind, by_caller=True) as permit:
                return permit.perform_sync(function, *args, **kwargs)

        return cast("F", wrapped)

    return decorate
