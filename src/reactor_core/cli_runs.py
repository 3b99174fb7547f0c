"""``reactor runs``: the training runs of a workspace, and asking one that is going on to pause, go on or stop."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated, Literal

from cyclopts import App, Parameter

from reactor_core.utils.command import print_json

__all__ = ["drill", "runs"]

runs = App(name="runs", help="Training runs of the workspace.")
drill = App(name="drill", help="Rehearsals of what should never be seen for the first time.")

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
def lineage(
    run: str,
    *,
    event: str | None = None,
    row: int | None = None,
    step: int | None = None,
    json: Json = False,
) -> None:
    """Trace what a run learned from: which steps saw a row or the rows of an event, and which rows a step saw.

    Parameters
    ----------
    run
        Name of the run, a beginning of it, or its folder.
    event
        Id of an event: the rows that come from it, the steps that saw them, the last checkpoint before.
    row
        Line of the data file: the steps that saw its row.
    step
        Optimizer step, from 1: the rows that it saw.
    json
        Print one JSON object.
    """
    from reactor_core.errors import ConfigError
    from reactor_core.training.history import find_run
    from reactor_core.training.lineage import read_lineage
    from reactor_core.utils.settings import load_settings

    if sum(value is not None for value in (event, row, step)) > 1:
        raise ConfigError("--event, --row and --step ask different things", remedy="give one of them")
    found = read_lineage(find_run(load_settings().workspace, run))
    if event is not None:
        answer = found.about_event(event)
    elif row is not None:
        answer = found.about_line(row)
    else:
        answer = found.summary() if step is None else found.about_step(step)
    if json:
        print_json(answer)
    else:
        for name, value in answer.items():
            _show(name, value)


def _show(name: str, value: object) -> None:
    """A line for a value, and a line for each object of a list."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        for item in value:
            print(f"{name}\t" + "\t".join(f"{key}={_short(part)}" for key, part in item.items()))
    elif isinstance(value, dict):
        print(f"{name}\t" + "\t".join(f"{key}={_short(part)}" for key, part in value.items()))
    else:
        print(f"{name}\t{_short(value)}")


def _short(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else "-" if value is None else str(value)


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


@runs.command
def report(
    run: str,
    *,
    to: Annotated[tuple[Literal["tensorboard", "wandb", "mlflow", "trackio"], ...], Parameter(negative=())],
    json: Json = False,
) -> int:
    """Tell TensorBoard, W&B, MLflow or trackio of a finished run: what they missed, or all of it.

    Ends with 1 if one of them could not be told everything.

    Parameters
    ----------
    run
        Name of the run, a beginning of it, or its folder.
    to
        Where to show it; once for each.
    json
        Print how each stands as one JSON object.
    """
    from reactor_core.training.history import find_run
    from reactor_core.training.report.later import report_run
    from reactor_core.utils.settings import load_settings

    settings = load_settings()
    told = report_run(find_run(settings.workspace, run), to, settings)
    if json:
        print_json(told)
    else:
        for name, sink in told.items():
            print(f"{name}: step {sink['step']} in {sink['where']}" if sink["where"] else f"{name}: {sink['error']}")
    return int(any(sink["missing"] for sink in told.values()))


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


@drill.command
def preempt(*, model: str = "smollm2-135m", store: str | None = None, json: Json = False) -> int:
    """Rehearse the end of a spot machine: a notice in the middle of a step, and a second machine that goes on.

    Ends with 1 if a step was lost, or saving took longer than the thirty seconds that a spot machine has.

    Parameters
    ----------
    model
        An alias (smollm2-135m), a hub id (organisation/name) or a folder.
    store
        Where the checkpoints go: gs://bucket/prefix, a folder, or an address that fsspec opens; by default a temporary
        folder, which says nothing about the network.
    json
        Print what was measured as one JSON object.
    """
    from reactor_core.gcp.drill import drill_preempt
    from reactor_core.utils.settings import load_settings

    found = drill_preempt(model=model, store=store, settings=load_settings())
    if json:
        print_json(found.as_dict())
    else:
        late = "not in time" if found.seconds_to_store is None else f"{found.seconds_to_store:.2f} s"
        print(f"notice {found.into_step_seconds:.2f} s into a step that takes {found.step_seconds:.2f} s")
        also = f" and {found.parts} parts of the next" if found.parts else ""
        print(f"step {found.step}{also} on disk after {found.seconds_to_disk:.2f} s, in {found.store} after {late}")
        print(f"the second machine went on from step {found.resumed_from}: {'passed' if found.passed else 'FAILED'}")
    return 0 if found.passed else 1
