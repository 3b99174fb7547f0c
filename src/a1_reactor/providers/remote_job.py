"""Waiting for a job that another machine does, and calling it off when nobody waits any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from reactor_core.errors import ProviderError

__all__ = ["NotYet", "pause", "watch"]

T = TypeVar("T")

_SLICE_S = 0.25
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class NotYet:
    """The job goes on."""

    wait_s: float | None = None
    """When to ask again, if the server says."""


def pause(seconds: float, pulse: Callable[[], None]) -> None:
    """Sleep, calling ``pulse`` four times a second; what it raises ends the sleep."""
    end = time.monotonic() + seconds
    pulse()
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _SLICE_S))
        pulse()


def watch(
    ask: Callable[[], T | NotYet],
    *,
    cancel: Callable[[], None],
    pulse: Callable[[], None],
    timeout_s: float,
    what: str,
    first_wait_s: float = _FIRST_WAIT_S,
) -> T:
    """Ask until there is a result; pauses double up to five seconds, unless the server names one.

    However this ends without a result (time, an error, an interruption, the kill switch through ``pulse``), the job is
    called off. If that fails as well, the first error is raised with a note, because the job may go on and cost money.

    Args:
        ask: The result, or :class:`NotYet`.
        cancel: Calls the job off.
        timeout_s: Longest that the whole job may take.
        what: The job, for messages.

    Raises:
        ProviderError: The job took too long.
    """
    deadline, wait = time.monotonic() + timeout_s, first_wait_s
    try:
        while isinstance(found := ask(), NotYet):
            planned = wait if found.wait_s is None else found.wait_s
            if time.monotonic() + planned > deadline:
                raise ProviderError(
                    f"{what} was not done within {timeout_s:g} s",
                    retryable=True,
                    remedy="raise the provider's job_timeout_s or ask for fewer frames",
                )
            pause(planned, pulse)
            wait = min(2 * wait, _LONGEST_WAIT_S)
    except BaseException as error:
        try:
            cancel()
        except ProviderError as second:
            error.add_note(f"{what} could not be called off and may go on: {second}")
        raise
    return found
