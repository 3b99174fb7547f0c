"""Checkpoints: what they cost a run, and how fast a notice is answered, beside the ways that others save.

    python benchmarks/checkpoint.py            # minutes
    python benchmarks/checkpoint.py --quick    # few saves, and all weights of few layers; decides nothing

SmolLM2-135M with AdamW, once with a LoRA of rank 16 on all linear layers (PEFT's), once with all weights trained. All
sides save the same tensors of the same model and optimizer in one process, in turn:

* ours: a checkpoint as a run makes it, on a thread, verified by hashes and synced; the next move of the optimizer waits
  for it, or if it takes long for a copy of the state, from which it is then written;
* ``torch.save`` of trained weights and optimizer to a file;
* transformers: ``Trainer._save_checkpoint``;
* DCP: ``torch.distributed.checkpoint.async_save``, which copies the state and writes on a thread.

*Stall*: a checkpoint begins, matrix products as long as a short step follow, then the optimizer may move; what this
takes longer than the products alone. *Slowed*: the same, with further steps until the checkpoint is written, since what
is written behind them takes time from them. *Notice to durable*: a notice comes within a step. Ours is measured in a
real run by ``reactor drill preempt``. Others save at the end of the step, two thirds of it later here, and are durable
when their files are synced; their step is taken to be as long as ours.

Not covered: networks (the drill takes ``--store``), several processes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from _harness import emit, run_child

MODEL = "smollm2-135m"
PACKAGES = ("torch", "transformers", "peft", "accelerate", "safetensors")
PEERS = ("torch.save", "transformers Trainer", "DCP async_save")
KINDS = {"lora": "LoRA r=16", "full": "all weights"}
FEW_LAYERS = 4
"""Of the model whose weights are all trained, in a quick run."""


class Side(NamedTuple):
    """One way to save.

    Attributes:
        begin: Returns when training may go on.
        settle: Returns when the optimizer may move.
        durable: Returns when the last checkpoint is safe on the disk.
        writing: Whether a thread still writes it.
    """

    begin: Callable[[int], object]
    settle: Callable[[], object]
    durable: Callable[[], object]
    writing: Callable[[], bool] = lambda: False


def nothing() -> None:
    """For sides that have nothing to wait for."""


def sync_tree(folder: Path) -> None:
    """Sync every file below a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())


def make_model(kind: str, layers: int | None) -> tuple[Any, dict[str, Any], Any]:
    """The model with so many layers, its trained tensors by name in the optimizer's order, and an optimizer that has
    moved once."""
    import torch
    from _training import lora_peft
    from peft import get_peft_model

    from reactor_core.models.load import load_model
    from reactor_core.models.store import resolve_model
    from reactor_core.training.optim import build_optimizer
    from reactor_core.training.sketch import keep_top_layers

    model = load_model(resolve_model(MODEL)).model
    if layers is not None:
        keep_top_layers(model, layers)
    if kind == "lora":
        model = get_peft_model(model, lora_peft())
    else:
        model.requires_grad_(True)
    named = {id(value): name for name, value in model.named_parameters() if value.requires_grad}
    trained = [value for value in model.parameters() if value.requires_grad]
    optimizer = build_optimizer(trained, learning_rate=1e-5, weight_decay=0.0, beta2=0.999)
    for value in trained:
        value.grad = torch.randn_like(value)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    ordered = [value for group in optimizer.param_groups for value in group["params"]]
    return model, {named[id(value)]: value for value in ordered}, optimizer


def ours(parameters: dict[str, Any], optimizer: Any, work: Path) -> Side:
    """A run's keeper, told that it is time after each step."""
    from reactor_core.training.checkpoint import Progress
    from reactor_core.training.interval import Interval
    from reactor_core.training.keeper import Keeper
    from reactor_core.training.runs import Run
    from reactor_core.utils.clock import SystemClock

    folder = work / "ours"
    folder.mkdir()
    progress = Progress()
    size = 3 * sum(value.nbytes for value in parameters.values())
    keeper = Keeper(
        Run("train-benchmark", folder, resumed=False), parameters=parameters, optimizer=optimizer, identity={},
        progress=progress, interval=Interval(1e-9, between_failures=3600, size=size), keep=2, clock=SystemClock(),
    )  # fmt: skip

    def settle() -> None:
        with keeper.moving(progress):
            progress.step += 1

    def durable() -> None:
        keeper.finish_writing()

    return Side(lambda _: keeper.tick(progress), settle, durable, lambda: keeper.writing)


def by_torch(parameters: dict[str, Any], optimizer: Any, work: Path) -> Side:
    """One file, overwritten each time."""
    import torch

    file = work / "torch.pt"

    def begin(_: int) -> None:
        torch.save({"model": parameters, "optimizer": optimizer.state_dict()}, file)

    return Side(begin, nothing, lambda: sync_tree(work))


def by_transformers(model: Any, optimizer: Any, work: Path) -> Side:
    """``Trainer._save_checkpoint``; two are kept, as of ours."""
    import torch
    from transformers import Trainer, TrainingArguments

    options = TrainingArguments(
        output_dir=str(work / "transformers"), save_total_limit=2, report_to="none", use_cpu=True, disable_tqdm=True
    )
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    trainer = Trainer(model=model, args=options, optimizers=(optimizer, scheduler))

    def begin(number: int) -> None:
        trainer.state.global_step = number
        trainer._save_checkpoint(model, trial=None)  # noqa: SLF001  what its loop calls

    return Side(begin, nothing, lambda: sync_tree(work / "transformers"))


def by_dcp(parameters: dict[str, Any], optimizer: Any, work: Path) -> Side:
    """``async_save``, one at a time, as it asks for."""
    import torch
    import torch.distributed as dist
    from torch.distributed.checkpoint import async_save

    if not dist.is_initialized():
        store = dist.FileStore(str(work / "store"), 1)
        dist.init_process_group("gloo", store=store, rank=0, world_size=1)
    open_: list[Any] = []

    def wait() -> None:
        while open_:
            open_.pop().result()

    def begin(number: int) -> None:
        wait()
        moments = {
            f"{name}.{key}": value
            for name, parameter in parameters.items()
            for key, value in optimizer.state[parameter].items()
        }
        state = {**{name: value.detach() for name, value in parameters.items()}, **moments}
        assert all(isinstance(value, torch.Tensor) for value in state.values())
        shutil.rmtree(work / "dcp" / str(number % 2), ignore_errors=True)  # two are kept, as of ours
        open_.append(async_save(state, checkpoint_id=str(work / "dcp" / str(number % 2))))

    return Side(begin, nothing, wait, lambda: any(not future.done() for future in open_))


def compute(times: int) -> float:
    """Matrix products of a layer's size; how long they took."""
    import torch

    x, weight = torch.ones(640, 576), torch.ones(1536, 576)
    begun = time.perf_counter()
    for _ in range(times):
        torch.mm(x, weight.t())
    return time.perf_counter() - begun


def held_up(side: Side, number: int, times: int) -> tuple[float, float]:
    """One checkpoint beside steps of so many products: what the first step took longer than alone, and all steps
    together until it was written."""
    alone = compute(times)
    begun = time.perf_counter()
    side.begin(number)
    compute(times)
    side.settle()
    stall = time.perf_counter() - begun - alone
    steps = 1
    while side.writing():
        compute(times)
        steps += 1
    slowed = time.perf_counter() - begun - steps * alone
    side.durable()
    return stall, slowed


def time_to_durable(side: Side, number: int) -> float:
    """Of a checkpoint with nothing beside it."""
    begun = time.perf_counter()
    side.begin(number)
    side.settle()
    side.durable()
    return time.perf_counter() - begun


def measure(kind: str, *, repeats: int, seconds: float, layers: int | None) -> dict[str, Any]:
    """Stall, slowing and, of an adapter, time to durable of each side, as medians over turns. A single turn is the
    first one, and has its costs in it."""
    model, parameters, optimizer = make_model(kind, layers)
    times = max(1, round(seconds / (compute(100) / 100)))
    found: dict[str, dict[str, list[float]]] = {name: {} for name in ("stall", "slowed", "durable")}
    with tempfile.TemporaryDirectory() as name:
        makers = {
            "ours": lambda work: ours(parameters, optimizer, work),
            "torch.save": lambda work: by_torch(parameters, optimizer, work),
            "transformers Trainer": lambda work: by_transformers(model, optimizer, work),
            "DCP async_save": lambda work: by_dcp(parameters, optimizer, work),
        }
        sides: dict[str, Side] = {}
        for side, make in makers.items():
            work = Path(name) / side.replace(" ", "-")
            work.mkdir()
            sides[side] = make(work)
        for turn in range(0 if repeats > 1 else 1, repeats + 1):
            for side in list(sides) if turn % 2 == 0 else list(sides)[::-1]:
                stall, slowed = held_up(sides[side], 2 * turn + 1, times)
                took = time_to_durable(sides[side], 2 * turn + 2) if kind == "lora" else None
                seen = {"stall": stall, "slowed": slowed} | ({} if took is None else {"durable": took})
                if turn:  # the one before makes folders, threads and imports, and takes the memory
                    for what, value in seen.items():
                        found[what].setdefault(side, []).append(value)
                text = ", ".join(f"{what} {value:.3f} s" for what, value in seen.items())
                print(f"{kind}, {side}: {text}", file=sys.stderr, flush=True)
    medians = {what: {side: statistics.median(of) for side, of in by.items()} for what, by in found.items()}
    return {"bytes": sum(value.nbytes for value in parameters.values()) * 3, **medians}


def share_of_a_run(steps: int, rows: int) -> dict[str, Any]:
    """A real run that chooses its interval: the share of its time for which saving held it up."""
    from _workload import write_jsonl
    from train_sft import rows_as_messages

    from reactor_core.training.config import TrainingConfig
    from reactor_core.training.trainer import Trainer
    from reactor_core.utils.settings import load_settings

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "rows.jsonl"
        write_jsonl(rows_as_messages(rows), path)
        config = TrainingConfig(
            model_name=MODEL, num_epochs=100, max_steps=steps, output_dir=str(Path(name) / "run"), max_truncated=1.0
        )
        result = Trainer(config, settings=load_settings()).train(path, resume=False)
        facts: dict[str, Any] = json.loads(result.card_path.read_text(encoding="utf-8"))["checkpoints"]
        return {**facts, "step_seconds": result.seconds / result.steps}


def drill(rows: int) -> dict[str, Any]:
    """``reactor drill preempt``."""
    from reactor_core.gcp.drill import drill_preempt
    from reactor_core.utils.settings import load_settings

    return drill_preempt(model=MODEL, store=None, settings=load_settings(), batch_size=rows).as_dict()


def report(*, repeats: int, seconds: float, steps: int, rows: int, drills: int, quick: bool) -> None:
    """Measure everything and print the lines."""
    script = str(Path(__file__))
    common: dict[str, Any] = {"benchmark": "checkpoint", "packages": PACKAGES, "better": "lower", "unit": "s"}
    few = ["--layers", str(FEW_LAYERS)] if quick else []
    saves = run_child([script, "--child", "saves", "--repeats", str(repeats), "--seconds", str(seconds), *few])
    kinds = {**KINDS, "full": f"{KINDS['full']} of {FEW_LAYERS} layers"} if quick else KINDS
    for kind, of in saves.items():
        for what, said in (("stall", "held up by"), ("slowed", "slowed down until the end of")):
            for peer in PEERS:
                judged = what == "stall" and peer == (PEERS[1] if kind == "lora" else PEERS[2])
                emit(
                    claim=f"training {said} a checkpoint of {of['bytes'] / 2**20:,.0f} MiB, {kinds[kind]}",
                    ours=max(0.0, of[what]["ours"]),
                    peer=max(0.0, of[what][peer]),
                    peer_name=peer,
                    goal=f"no more than {peer}" if judged else "shown, not judged",
                    least_ratio=1.0 if judged and not quick else None,
                    samples=repeats,
                    **common,
                )
    counts = ["--steps", str(steps), "--rows", str(rows), "--drills", str(drills)]
    runs = run_child([script, "--child", "runs", *counts])
    to_disk = statistics.median(notice["seconds_to_disk"] for notice in runs["drills"])
    facts = runs["share"]
    step = facts["step_seconds"]
    for peer in PEERS:
        emit(
            claim=f"notice to durable, {KINDS['lora']}, within a step of {step:.1f} s",
            ours=to_disk,
            peer=step * 2 / 3 + saves["lora"]["durable"][peer],
            peer_name=f"{peer}, at the end of the step",
            goal="1 s at most",
            least_ratio=None,
            holds=None if quick else to_disk <= 1.0,
            samples=drills,
            **common,
        )
    emit(
        **{**common, "unit": "share"},
        claim=f"share of a run that saving held it up, {KINDS['lora']}, saved every {facts['interval_seconds']:.0f} s",
        ours=facts["stall_share"],
        peer=None,
        peer_name=None,
        goal="0.02 at most",
        least_ratio=None,
        holds=None if quick else facts["stall_share"] <= 0.02,
        samples=1,
    )


def main() -> int:
    """Measure, or be one measured process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few saves of few layers; holds is null")
    parser.add_argument("--repeats", type=int, default=None, help="checkpoints of each side")
    parser.add_argument("--seconds", type=float, default=None, help="length of the products beside a checkpoint")
    parser.add_argument("--steps", type=int, default=None, help="of the run whose stall is measured")
    parser.add_argument("--rows", type=int, default=None, help="of a step of that run, and of a rehearsal's")
    parser.add_argument("--drills", type=int, default=None, help="rehearsed notices")
    parser.add_argument("--layers", type=int, default=None, help="of the model whose weights are all trained")
    parser.add_argument("--child", choices=("saves", "runs"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    repeats = args.repeats or (1 if args.quick else 5)
    seconds = args.seconds or (0.3 if args.quick else 1.5)
    steps = args.steps or (2 if args.quick else 20)
    rows = args.rows or (2 if args.quick else 8)
    drills = args.drills or (1 if args.quick else 3)
    if args.child is None:
        report(repeats=repeats, seconds=seconds, steps=steps, rows=rows, drills=drills, quick=args.quick)
        return 0
    if args.child == "saves":
        layers = {"lora": None, "full": args.layers}
        result = {kind: measure(kind, repeats=repeats, seconds=seconds, layers=layers[kind]) for kind in KINDS}
    else:
        result = {"share": share_of_a_run(steps, rows), "drills": [drill(rows) for _ in range(drills)]}
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
