"""``reactor runs``: the training runs of a workspace, and asking one that is going on to pause, go on or stop."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

from cyclopts import App, Parameter

from reactor_core.utils.command import print_json

__all__ = ["runs"]

runs = App(name="runs", help="Training runs of the workspace.")

Json = Annotated[bool, Parameter(name="--json", negative=())]


@runs.command(name="list")
def list_(*, json: Json = False) -> None:
    """List the runs, newest last.

    Parameters
    ----------
    json
        Print one JSON object.
    """
    from reactor_core.training.history import list_runs
    from reactor_core.utils.settings import load_settings

    found = list_runs(load_settings().workspace)
    if json:
        print_json({"runs": [run.as_dict() for run in found]})
        return
    for run in found:
        print(f"{run.run_id}\t{run.state}\tstep {run.step}\t{run.model}\t{run.dataset}")
    if not found:
        print("no run yet; start one: reactor train FILE", file=sys.stderr)


@runs.command
def pause(run: str, *, wait: float = 60.0, json: Json = False) -> None:
    """Let a run stand still after the step that is going on and a checkpoint.

    Parameters
    ----------
    run
        Name of the run, a beginning of it, or its folder.
    wait
        Seconds to wait until it does.
    json
        Print how it stands as one JSON object.
    """
    _ask(run, "pause", wait, json)


@runs.command
def resume(run: str, *, wait: float = 60.0, json: Json = False) -> None:
    """Let a paused run go on.

    Parameters
    ----------
    run
        Name of the run, a beginning of it, or its folder.
    wait
        Seconds to wait until it does.
    json
        Print how it stands as one JSON object.
    """
    _ask(run, "run", wait, json)


@runs.command
def stop(run: str, *, wait: float = 60.0, json: Json = False) -> None:
    """End a run after the step that is going on and a checkpoint; the command that started it goes on from there.

    Parameters
    ----------
    run
        Name of the run, a beginning of it, or its folder.
    wait
        Seconds to wait until it does.
    json
        Print how it stands as one JSON object.
    """
    _ask(run, "stop", wait, json)


def _ask(name: str, wish: str, seconds: float, json: bool) -> None:
    from reactor_core.training.control import State, Wish, ask_run
    from reactor_core.training.history import find_run
    from reactor_core.utils.settings import load_settings

    folder = find_run(load_settings().workspace, name)
    status = ask_run(folder, Wish(wish), by=getpass.getuser(), seconds=seconds)
    state = "ended" if status.state is State.IDLE else str(status.state)
    if json:
        print_json({"run": folder.name, "state": state, "step": status.step})
    else:
        print(f"{folder.name}: {state} after step {status.step}")
