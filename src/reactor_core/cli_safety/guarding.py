"""``reactor guard``."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated

from cyclopts import Parameter

from reactor_core.errors import ConfigError
from reactor_core.events.vocabulary import EventSource
from reactor_core.integration.event_bridge import EventBridge
from reactor_core.safety.confirm import Approvals, TerminalApprover
from reactor_core.safety.confirm.terminal import terminal_there
from reactor_core.safety.gate import SafetyGate

__all__ = ["guard"]

Flag = Annotated[bool, Parameter(negative=())]

SIGNAL_BASE = 128
"""A shell's way to say that a signal ended a program."""


def guard(
    *command: Annotated[str, Parameter(allow_leading_hyphen=True)],
    line: Flag = False,
    release: Flag = False,
    no_ask: Flag = False,
    mcp: Flag = False,
    url: str | None = None,
) -> int:
    """Run a command if the gate lets it.

    Parameters
    ----------
    command
        The program and its words; put -- before it.
    line
        The one word is a line for a shell, with pipes and variables.
    release
        If it is blocked, ask two people to release it, for the next try.
    no_ask
        Do not ask at this terminal; people answer with `reactor safety approve` or through the API.
    mcp
        The command is a server of the Model Context Protocol: serve its tools on standard input and output, each call
        through the gate.
    url
        With --mcp: the server is there, instead of a command.
    """
    if url is None and not command:
        raise ConfigError("there is no command", remedy="reactor guard -- COMMAND WORDS")
    if line and len(command) != 1:
        raise ConfigError("--line takes one word", remedy=f"reactor guard --line -- {shlex.quote(shlex.join(command))}")
    ask = not no_ask and not mcp and terminal_there()
    with EventBridge(EventSource.JARVIS_AGENT) as bridge:
        with Approvals(bridge, approver=TerminalApprover() if ask else None) as approvals:
            with SafetyGate(bridge, approver=approvals) as gate:
                if mcp:
                    from reactor_core.safety.adapters.mcp_proxy import serve_stdio

                    serve_stdio(gate, command=command or None, url=url)
                    return 0
                with gate.guard(command[0] if line else command, release=release) as permit:
                    sys.stdout.flush()
                    status = permit.run_on_terminal()
    return status if status >= 0 else SIGNAL_BASE - status
