"""``reactor train``: one file of rows, one run."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from reactor_core.utils.command import print_json

if TYPE_CHECKING:
    from reactor_core.jobs.train_request import TrainRequest
    from reactor_core.training.config import TrainingConfig
    from reactor_core.utils.settings import Settings

__all__ = ["register_train", "train"]

Json = Annotated[bool, Parameter(name="--json", negative=())]
Sink = Literal["tensorboard", "wandb", "mlflow", "trackio"]


def register_train(app: App) -> None:
    """Add the command to a program."""
    app.command(train)


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
    nproc: int = 1,
    nnodes: str = "1",
    rdzv_endpoint: str | None = None,
    rdzv_id: str = "reactor",
    max_restarts: int = 10,
    shard: bool = True,
    resume: bool = True,
    store: str | None = None,
    background: Annotated[bool, Parameter(negative=())] = False,
    queue: Annotated[bool, Parameter(negative=())] = False,
    plan: Annotated[bool, Parameter(negative=())] = False,
    anyway: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> int:
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
    nproc
        Processes on this machine that train together; started again from the newest checkpoint when one dies.
    nnodes
        Machines that start this command together: a number, or MIN:MAX.
    rdzv_endpoint
        host:port of one of them, where they meet.
    rdzv_id
        Keeps runs apart that meet at the same endpoint.
    max_restarts
        How often the processes are started again.
    shard
        Share the weights out among the processes; --no-shard keeps all of them in each: faster, and more memory.
    resume
        Go on from the newest valid checkpoint of the same configuration and data.
    store
        Where checkpoints go beside the run's folder, and where another machine finds them: gs://bucket/prefix, a
        folder, or an address that fsspec opens. On Compute Engine by default GCS_CHECKPOINT_BUCKET.
    background
        Train as a job in a process of its own, one such job after the other: `reactor jobs` shows, pauses and ends it.
    queue
        The same, but leave the job to a `reactor jobs work` that runs already, or will.
    plan
        Train nothing: print what the run would take in memory, time and money. Ends with 1 if it does not fit.
    anyway
        Begin also where the estimated memory is not free, or this machine is for inference only.
    json
        Print what was measured, or planned, or the job, as one JSON object.
    """
    from reactor_core.data.source import check_file
    from reactor_core.training.config import TrainingConfig
    from reactor_core.utils.settings import load_settings

    settings = load_settings()
    check_file(dataset)  # before seconds of imports
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
        anyway=anyway,
        shard=shard,
    )
    if background or queue:
        from reactor_core.jobs.train_request import TrainRequest

        _refuse_together(plan=plan, several=nproc != 1 or nnodes != "1")
        request = TrainRequest.of(config, dataset, resume=resume, store=store)
        return _submit(request, settings, background=background, json=json)

    from reactor_core.training.command import train_file
    from reactor_core.training.distributed.launch import Launch, launch
    from reactor_core.utils.console import Terminal

    how = Launch(processes=nproc, machines=nnodes, endpoint=rdzv_endpoint, name=rdzv_id, max_restarts=max_restarts)
    if plan:
        return _plan(config, dataset, settings, json=json)
    if how.alone:
        narrator = Terminal(no_color=settings.no_color is not None)
        result = train_file(config, dataset, settings=settings, narrator=narrator, resume=resume, store=store)
    else:
        result = launch(config, dataset, how, resume=resume, store=store)
    if json:
        print_json(result.summary())
    else:
        print(f"{result.adapter_dir}\n{result.tokens_per_second:,.0f} tokens/s, loss {result.final_loss:.4f}")
    return 0


def _refuse_together(*, plan: bool, several: bool) -> None:
    from reactor_core.errors import ConfigError

    if plan:
        raise ConfigError("--plan trains nothing, so there is no job", remedy="leave one of the two out")
    if several:
        raise ConfigError("a job trains in one process", remedy="leave --background, or --nproc and --nnodes, out")


def _submit(request: TrainRequest, settings: Settings, *, background: bool, json: bool) -> int:
    """Add the job; what is wrong with its data is said here, and not in a log."""
    from reactor_core.data.records import read_dataset
    from reactor_core.jobs.asking import submit_job
    from reactor_core.jobs.background import begin
    from reactor_core.jobs.table import JobTable
    from reactor_core.jobs.train_request import KIND

    for file in (str(request.dataset), request.config.eval_dataset):
        if file is not None:
            read_dataset(file)
    with JobTable(settings.workspace) as table:
        job = submit_job(table, KIND, request.to_json(), asked_by=getpass.getuser())
        if background:
            begin(table.workspace, [KIND])
    if json:
        print_json(job.as_dict())
    else:
        print(job.job_id)
        print(f"it trains as a job; see it: reactor jobs show {job.job_id[-8:]}", file=sys.stderr)
    return 0


def _plan(config: TrainingConfig, dataset: Path, settings: Settings, *, json: bool) -> int:
    from reactor_core.training.command import plan_file
    from reactor_core.training.plan_view import plan_lines

    found, helpful = plan_file(config, dataset, settings=settings)
    if json:
        print_json({**found.as_dict(), "would_fit": helpful})
    else:
        print("\n".join(plan_lines(found, helpful)))
    return 0 if found.fits else 1
