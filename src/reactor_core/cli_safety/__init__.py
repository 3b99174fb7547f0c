"""The commands of ``reactor`` that are about the safety gate: ``safety``, ``guard`` and ``kill``.

They are named and described here, and imported when one of them is used.
"""

from __future__ import annotations

from typing import Annotated as _Annotated

from cyclopts import App as _App
from cyclopts import Parameter as _Parameter

__all__ = ["kill", "register_guard", "safety"]

_HERE = "reactor_core.cli_safety"
_Flag = _Annotated[bool, _Parameter(name="--json", negative=())]

safety = _App(name="safety", help="What the gate decides and why; questions to people, and their answers.")
safety.command(
    f"{_HERE}.explaining:explain",
    help="""Say what the gate makes of an action, and why: its parts, its effects, the rules. Nothing is run.

    Ends with 0 whatever the verdict is.
    """,
)
safety.command(
    f"{_HERE}.scoring:score",
    help="""Judge each row of a file by its action and kind alone, in the rubric's setting, without the disk.

    With labels it also prints how often the gate differs from them.
    """,
)
safety.command(
    f"{_HERE}.replaying:replay",
    help="Judge again what was decided before, under a changed policy, and show the differences. Changes nothing.",
)
safety.command(f"{_HERE}.trail:log", help="Show decisions with their evidence, answers and outcomes, or export them.")
safety.command(
    f"{_HERE}.enrolling:enrol",
    help="""Set up a factor that answers can be given with: an authenticator, or the key of another machine.

    The secret of an authenticator is shown once, at the terminal. All but the first factor need one that is there.
    """,
)
safety.command(
    f"{_HERE}.enrolling:sign",
    help="Print a signed answer, for a question of another machine. It counts for an hour, and once.",
)
safety.command(f"{_HERE}.answering:confirmations", help="List the questions that wait for an answer.")
safety.command(
    f"{_HERE}.answering:approve", help="Answer a question with yes: the action may run once. Takes a second factor."
)
safety.command(f"{_HERE}.answering:deny", help="Answer a question with no.")
safety.command(
    f"{_HERE}.learning:habits",
    help="Say how often people are asked, by which rule, and what they answer. Proposes rules to narrow.",
)
safety.command(
    f"{_HERE}.learning:preferences",
    help="Write what people preferred as pairs to train on: answers, corrections, choices, kept and rejected.",
)

kill = _App(name="kill", help="Halt everything that joined this workspace, and see or end the halt.")


@kill.default
def _kill(*, reason: str = "stopped from the command line", json: _Flag = False) -> None:
    """Halt everything that joined this workspace: actions, training steps, generation jobs, on every host.

    Parameters
    ----------
    reason
        Why; everybody who is halted reads it.
    json
        Print one JSON object.
    """
    from reactor_core.cli_safety.killing import kill as halt

    halt(reason=reason, json=json)


kill.command(f"{_HERE}.killing:status", help="Say whether everything is halted, since when and why.")
kill.command(f"{_HERE}.killing:reset", help="End the halt. Needs a second factor, and starts nothing that was stopped.")


def register_guard(app: _App) -> None:
    """Put ``guard`` into ``reactor``."""
    app.command(
        f"{_HERE}.guarding:guard",
        help="""Run a command if the gate lets it, asking a person where that is needed.

        Ends with the command's own status, or with 6 if it was not run.
        """,
    )
