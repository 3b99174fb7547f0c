"""Checkpoints: what they cost a run, and how fast a notice is answered, beside the ways that others save.

    python benchmarks/checkpoint.py            # much longer than --quick
    python benchmarks/checkpoint.py --quick    # more than three minutes, decides nothing

SmolLM2-135M with AdamW, once with a LoRA of rank 16 on all linear layers (PEFT's), once with all weights trained. All
sides save the same tensors of the same model and optimizer in one process, in turn:

* ours: a checkpoint as a run makes it, on a thread, verified by hashes and synced; the next move of the optimizer waits
  for it;
* ``torch.save`` of trained weights and optimizer to a file;
* transformers: ``Trainer._save_checkpoint``;
* DCP: ``torch.distributed.checkpoint.async_save``, which copies the state and writes on a thread.

*Stall*: a checkpoint begins, matrix products as long as a short step follow, then the optimizer may move; what this
takes longer than the products alone. *Notice to durable*: a notice comes within a step. Ours is measured in a real run
by ``reactor drill preempt``. Others save at the end of the step, two thirds of it later here, and are durable when
their files are synced; their step is taken to be as long as ours.

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
from typing import Any

from _harness import emit, run_child

MODEL = "smollm2-135m"
PACKAGES = ("torch", "transformers", "peft", "accelerate", "safetensors")
PEERS = ("torch.save", "transformers Trainer", "DCP async_save")
KINDS = {"lora": "LoRA r=16", "full": "all weights"}


class Side:
    """One way to save: ``begin`` returns when training may go on, ``settle`` when the optimizer may move, and
    ``durable`` when the last checkpoint is safe on the disk."""

    def __init__(
        self, begin: Callable[[int], object], settle: Callable[[], object], durable: Callable[[], object]
    ) -> None:
        self.begin, self.settle, self.durable = begin, settle, durable


def nothing() -> None:
    """For sides that have nothing to wait for."""


def sync_tree(folder: Path) -> None:
    """Sync every file below a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())


def make_model(kind: str) -> tuple[Any, dict[str, Any], Any]:
    """The model, its trained tensors by name in the optimizer's order, and an optimizer that has moved once."""
    import torch
    from _training import lora_peft
    from peft import get_peft_model

    from reactor_core.models.load import load_model
    from reactor_core.models.store import resolve_model
    from reactor_core.training.optim import build_optimizer

    model = load_model(resolve_model(MODEL)).model
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
    keeper = Keeper(
        Run("train-benchmark", folder, resumed=False), parameters=parameters, optimizer=optimizer, identity={},
        progress=progress, interval=Interval(1e-9, between_failures=3600, size=1), keep=2, clock=SystemClock(),
    )  # fmt: skip

    def settle() -> None:
        with keeper.moving(progress):
            progress.step += 1

    return Side(lambda _: keeper.tick(progress), settle, settle)


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

    return Side(begin, nothing, wait)


def compute(times: int) -> float:
    """Matrix products of a layer's size; how long they took."""
    import torch

    x, weight = torch.ones(640, 576), torch.ones(1536, 576)
    begun = time.perf_counter()
    for _ in range(times):
        torch.mm(x, weight.t())
    return time.perf_counter() - begun


def measure(kind: str, repeats: int, seconds: float) -> dict[str, Any]:
    """Stall and time to durable of each side, as medians over turns."""
    model, parameters, optimizer = make_model(kind)
    size = sum(value.nbytes for value in parameters.values()) * 3
    times = max(1, round(seconds / (compute(200) / 200)))
    stalls: dict[str, list[float]] = {}
    durable: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        sides: dict[str, Side] = {}
        for side in ("ours", *PEERS):
            work = Path(name) / side.replace(" ", "-")
            work.mkdir()
            sides[side] = {
                "ours": lambda work=work: ours(parameters, optimizer, work),
                "torch.save": lambda work=work: by_torch(parameters, optimizer, work),
                "transformers Trainer": lambda work=work: by_transformers(model, optimizer, work),
                "DCP async_save": lambda work=work: by_dcp(parameters, optimizer, work),
            }[side]()
        for turn in range(repeats + 1):
            for side in list(sides) if turn % 2 == 0 else list(sides)[::-1]:
                one = sides[side]
                alone = compute(times)
                begun = time.perf_counter()
                one.begin(2 * turn + 1)
                compute(times)
                one.settle()
                stall = time.perf_counter() - begun - alone
                one.durable()
                begun = time.perf_counter()
                one.begin(2 * turn + 2)
                one.durable()
                took = time.perf_counter() - begun
                if turn:  # the first one makes folders, threads and imports
                    stalls.setdefault(side, []).append(stall)
                    durable.setdefault(side, []).append(took)
                print(f"{kind}, {side}: stall {stall:.3f} s, durable after {took:.3f} s", file=sys.stderr, flush=True)
    return {
        "bytes": size,
        "stall": {side: statistics.median(of) for side, of in stalls.items()},
        "durable": {side: statistics.median(of) for side, of in durable.items()},
    }


def share_of_a_run(steps: int) -> dict[str, Any]:
    """A real run that chooses its interval: the share of its time for which saving held it up."""
    from _workload import write_jsonl
    from train_sft import rows_as_messages

    from reactor_core.training.config import TrainingConfig
    from reactor_core.training.trainer import Trainer
    from reactor_core.utils.settings import load_settings

    with tempfile.TemporaryDirectory() as name:
        rows = Path(name) / "rows.jsonl"
        write_jsonl(rows_as_messages(16), rows)
        config = TrainingConfig(
            model_name=MODEL, num_epochs=100, max_steps=steps, output_dir=str(Path(name) / "run"), max_truncated=1.0
        )
        result = Trainer(config, settings=load_settings()).train(rows, resume=False)
        facts: dict[str, Any] = json.loads(result.card_path.read_text(encoding="utf-8"))["checkpoints"]
        return {**facts, "step_seconds": result.seconds / result.steps}


def drill() -> dict[str, Any]:
    """``reactor drill preempt``."""
    from reactor_core.gcp.drill import drill_preempt
    from reactor_core.utils.settings import load_settings

    return drill_preempt(model=MODEL, store=None, settings=load_settings()).as_dict()


def report(*, repeats: int, seconds: float, steps: int, drills: int, quick: bool) -> None:
    """Measure everything and print the lines."""
    script = str(Path(__file__))
    common: dict[str, Any] = {"benchmark": "checkpoint", "packages": PACKAGES, "better": "lower", "unit": "s"}
    found = {
        kind: run_child([script, "--child", kind, "--repeats", str(repeats), "--seconds", str(seconds)])
        for kind in KINDS
    }
    for kind, of in found.items():
        for peer in PEERS:
            emit(
                claim=f"training held up by a checkpoint of {of['bytes'] / 2**20:,.0f} MiB, {KINDS[kind]}",
                ours=max(0.0, of["stall"]["ours"]),
                peer=of["stall"][peer],
                peer_name=peer,
                goal="no more than transformers" if peer == PEERS[1] else "shown, not judged",
                least_ratio=1.0 if peer == PEERS[1] and not quick else None,
                samples=repeats,
                **common,
            )
    notices = [run_child([script, "--child", "drill"]) for _ in range(drills)]
    to_disk = statistics.median(notice["seconds_to_disk"] for notice in notices)
    facts = run_child([script, "--child", "share", "--steps", str(steps)])
    step = facts["step_seconds"]
    for peer in PEERS:
        emit(
            claim=f"notice to durable, {KINDS['lora']}, within a step of {step:.1f} s",
            ours=to_disk,
            peer=step * 2 / 3 + found["lora"]["durable"][peer],
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
    parser.add_argument("--quick", action="store_true", help="a few minutes; holds is null")
    parser.add_argument("--repeats", type=int, default=None, help="checkpoints of each side")
    parser.add_argument("--seconds", type=float, default=None, help="length of the products between checkpoints")
    parser.add_argument("--steps", type=int, default=None, help="of the run whose stall is measured")
    parser.add_argument("--child", choices=(*KINDS, "drill", "share"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    repeats = args.repeats or (1 if args.quick else 7)
    seconds = args.seconds or (0.3 if args.quick else 3.0)
    steps = args.steps or (2 if args.quick else 30)
    if args.child is None:
        report(repeats=repeats, seconds=seconds, steps=steps, drills=1 if args.quick else 3, quick=args.quick)
        return 0
    if args.child == "drill":
        result = drill()
    elif args.child == "share":
        result = share_of_a_run(steps)
    else:
        result = measure(args.child, repeats, seconds)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
