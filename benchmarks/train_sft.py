"""Supervised fine-tuning beside TRL's SFTTrainer: tokens per second, peak memory, and the share of the machine used.

    python benchmarks/train_sft.py            # about half an hour
    python benchmarks/train_sft.py --quick    # about a minute, decides nothing

SmolLM2-135M, LoRA r=16 on all linear layers, float32, answers trained and questions not, one epoch over the first 64
rows of :mod:`_workload`, eight rows (or as many tokens) a step, at most 1,024 tokens a row, the model's chat template.
TRL is run as it comes (``default``: bfloat16 autocast, activations recomputed, padding) and tuned for this machine
(float32, nothing recomputed), once with packing and once with rows grouped by length; the faster one is compared with.
Each run is a fresh process, the sides take turns, medians are compared. Loading and tokenizing are not timed. Tokens
are counted alike for all: those of the rows.

Not covered: GPUs (``train_gpu.py``), other models; quality (the losses equal TRL's by the tests).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _training import (
    MODEL,
    PACKAGES,
    Stopwatch,
    compare,
    gemm_gflops,
    lora_peft,
    quiet_libraries,
    run_sides,
    stopwatch_callback,
    stopwatch_hook,
    trl_options,
)

BATCH, LENGTH, RATE = 8, 1024, 2e-4
PEERS = ("packing", "grouped by length", "default")


def rows_as_messages(count: int) -> list[dict[str, Any]]:
    """The first rows, as TRL and we read them."""
    from _workload import documentation_rows

    return [
        {
            "prompt": [{"role": "user", "content": question}],
            "completion": [{"role": "assistant", "content": answer}],
        }
        for question, answer in documentation_rows()[:count]
    ]


def train_ours(count: int, work: Path) -> dict[str, float]:
    """One run of our trainer."""
    from _workload import write_jsonl

    from reactor_core.training.config import TrainingConfig
    from reactor_core.training.trainer import Trainer
    from reactor_core.utils.settings import load_settings

    path = work / "rows.jsonl"
    write_jsonl(rows_as_messages(count), path)
    config = TrainingConfig(
        model_name=MODEL, batch_size=BATCH, max_length=LENGTH, learning_rate=RATE, output_dir=str(work / "ours"),
        certificate=False, save_seconds=1e6,  # the peer saves nothing either
    )  # fmt: skip
    watch = Stopwatch()
    trainer = Trainer(config, hooks=[stopwatch_hook(watch)], settings=load_settings())
    result = trainer.train(path, resume=False)
    return {
        **watch.reading(),
        "tokens": result.tokens_trained,
        "computed": result.tokens_computed,
        "loss": result.final_loss,
    }


def train_trl(side: str, count: int, work: Path) -> dict[str, float]:
    """One run of TRL's SFTTrainer."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from reactor_core.data.chat import ChatFormat
    from reactor_core.data.records import parse_row
    from reactor_core.models.load import load_model
    from reactor_core.models.store import resolve_model

    loaded = load_model(resolve_model(MODEL))
    loaded.model.set_attn_implementation("sdpa")
    rows = rows_as_messages(count)
    chat = ChatFormat(loaded.tokenizer)
    lengths = [len(chat.encode(parse_row(row, 1), 0, max_length=LENGTH).ids) for row in rows]
    options: dict[str, Any] = {"per_device_train_batch_size": BATCH, "max_length": LENGTH}
    if side != "default":
        options |= {"bf16": False, "gradient_checkpointing": False}
    if side == "packing":  # one pack a step, as long as eight rows are on average
        pack = max(round(sum(lengths) / count * BATCH), *lengths)
        options |= {"packing": True, "per_device_train_batch_size": 1, "max_length": pack}
    if side == "grouped by length":
        options |= {"train_sampling_strategy": "group_by_length"}
    watch = Stopwatch()
    trainer = SFTTrainer(
        model=loaded.model,
        processing_class=loaded.tokenizer,
        train_dataset=Dataset.from_list(rows),
        peft_config=lora_peft(),
        args=SFTConfig(
            **trl_options(work),
            learning_rate=RATE,
            **options,
        ),
        callbacks=[stopwatch_callback(watch)],
    )
    outcome = trainer.train()
    return {**watch.reading(), "tokens": sum(lengths), "loss": outcome.training_loss}


def operations(count: int) -> float:
    """Floating-point operations that an epoch needs at least, whoever computes it.

    Twice the weights of each linear layer for a token's way forward and twice for its gradient's way back (frozen
    weights have no gradient of their own); three times the adapter's, which has one; the head at the trained positions
    only. Attention scores are left out.
    """
    from reactor_core.data.chat import ChatFormat
    from reactor_core.data.records import parse_row
    from reactor_core.models.load import load_model
    from reactor_core.models.store import resolve_model
    from reactor_core.training.lora import inject_lora

    loaded = load_model(resolve_model(MODEL))
    chat = ChatFormat(loaded.tokenizer)
    documents = [chat.encode(parse_row(row, 1), 0, max_length=LENGTH) for row in rows_as_messages(count)]
    inject_lora(loaded.model, rank=16, alpha=32)
    head = loaded.model.get_output_embeddings().weight.numel()
    adapter = sum(p.numel() for p in loaded.model.parameters() if p.requires_grad)
    layers = loaded.model.base_model.layers
    body = sum(p.numel() for p in layers.parameters() if p.ndim == 2 and not p.requires_grad)
    tokens = sum(len(document.ids) for document in documents)
    trained = sum(document.num_trained for document in documents)
    return tokens * (4 * body + 6 * adapter) + trained * 4 * head


def report(count: int, repeats: int, *, skipped: Sequence[str], quick: bool) -> None:
    """Measure all sides and print the lines."""
    from _harness import emit, medians, run_child

    script = str(Path(__file__))
    sides = {"ours": repeats, "packing": repeats, "grouped by length": repeats}
    if not quick:
        sides["default"] = 1
    sides = {side: runs for side, runs in sides.items() if side not in skipped}
    runs = run_sides(script, sides, ["--rows", str(count)])
    rate = max(run_child([script, "--child", "gemm"])["gflops"] for _ in range(1 if quick else 3))
    needed = run_child([script, "--child", "operations", "--rows", str(count)])["operations"]
    subject = f"{count} rows of documentation"
    compare(runs, benchmark="train_sft", subject=subject, what="tokens", floor=1.7, goal=2.5, memory=True, quick=quick)
    used = needed / medians(runs["ours"])["wall"] / 1e9 / rate
    emit(
        benchmark="train_sft",
        claim=f"share of the machine's {rate:.0f} GFLOP/s (fp32, 2,048 square) that does needed work, {subject}",
        unit="share",
        ours=used,
        peer=max(needed / medians(of)["wall"] / 1e9 / rate for side, of in runs.items() if side != "ours" and of),
        peer_name="TRL, its fastest row",
        better="higher",
        goal="0.6",
        least_ratio=None,
        holds=None if quick else used >= 0.6,
        samples=len(runs["ours"]),
        packages=PACKAGES,
    )


def main() -> int:
    """Measure, or be one measured process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="about a minute; holds is null")
    parser.add_argument("--rows", type=int, default=None, help="rows to train on")
    parser.add_argument("--repeats", type=int, default=None, help="runs of each side")
    parser.add_argument(
        "--skip", action="append", default=[], choices=PEERS[1:], help="a row of the peer's to leave out"
    )
    parser.add_argument("--child", choices=("ours", *PEERS, "gemm", "operations"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    count = args.rows or (8 if args.quick else 64)
    if args.child is None:
        report(count, args.repeats or (1 if args.quick else 3), skipped=args.skip, quick=args.quick)
        return 0
    quiet_libraries()
    with tempfile.TemporaryDirectory() as work:
        if args.child == "ours":
            result = train_ours(count, Path(work))
        elif args.child == "gemm":
            result = {"gflops": gemm_gflops()}
        elif args.child == "operations":
            result = {"operations": operations(count)}
        else:
            result = train_trl(args.child, count, Path(work))
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
