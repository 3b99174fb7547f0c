"""One way for every command line to end: a message, a remedy and a documented exit status."""

from __future__ import annotations

import atexit
import gc
import json
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from cyclopts import App, CycloptsError, Parameter
from rich.console import Console

from reactor_core.errors import Interrupted, ReactorError
from reactor_core.utils.extras import missing_extra

__all__ = ["USAGE_ERROR", "print_json", "run_app"]

USAGE_ERROR = 2
"""Exit status for an unknown command, option or value."""


def print_json(value: Any) -> None:
    """Write one JSON object to stdout, the only thing that a command with ``--json`` writes there."""
    sys.stdout.write(json.dumps(value, indent=2, default=str, allow_nan=False) + "\n")


def run_app(app: App, arguments: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        app: Commands whose functions return None on success or an exit status.
        arguments: Words after the program's name; None takes the process's own.

    Returns:
        0, the status that the command returned, :data:`USAGE_ERROR`, or the ``exit_code`` of the ReactorError that
        ended it. With ``--json`` among the arguments the error is one JSON object on stdout as well as a line on
        stderr; that of wrong usage has the type ``UsageError``.
    """
    if arguments is None:
        # The interpreter would look through all that was imported for garbage before it ends: a seventh of a second of
        # computing, which on a busy machine lets a command hang for seconds after Ctrl-C.
        atexit.register(gc.freeze)
    words = list(sys.argv[1:] if arguments is None else arguments)
    stderr = Console(stderr=True, highlight=False, soft_wrap=True)
    app.default_parameter = Parameter(show_default=_default)
    app.suppress_keyboard_interrupt = False  # it would exit without a word
    try:
        # Its own box would cut off what a narrow terminal does not hold.
        status = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        command = " ".join([app.name[0], *(error.command_chain or ())])
        _say("UsageError", str(error), f"{command} --help lists what there is", words, stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        command = shlex.join([app.name[0], *words])
        return _fail(Interrupted("stopped by the keyboard", remedy=f"to go on: {command}"), words, stderr)
    except ReactorError as error:
        return _fail(error, words, stderr)
    except ModuleNotFoundError as error:
        absent = missing_extra(error, shlex.join([app.name[0], *words[:1]]))
        if absent is None:
            raise
        return _fail(absent, words, stderr)
    return status if isinstance(status, int) else 0


def _default(value: Any) -> Any:
    """How --help shows a default; None, and so nothing, where it says no more than the option's absence."""
    if value is None or value is False or value in ("", ()):
        return None
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _fail(error: ReactorError, words: list[str], stderr: Console) -> int:
    _say(type(error).__name__, error.message, error.remedy, words, stderr)
    return error.exit_code


def _say(kind: str, message: str, remedy: str | None, words: list[str], stderr: Console) -> None:
    stderr.print(f"error: {message}", markup=False, style="red")
    if remedy is not None:
        stderr.print(f"  {remedy}", markup=False)
    if "--json" in words:
        print_json({"error": {"type": kind, "message": message, "remedy": remedy}})
