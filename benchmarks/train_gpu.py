"""Supervised fine-tuning on a CUDA device beside TRL: tokens per second, peak device memory, share of the device used.

    python benchmarks/train_gpu.py            # about half an hour on one device of 80 GB
    python benchmarks/train_gpu.py --quick    # a small model, about a minute, decides nothing

Random-weight Llamas of the shapes of Llama 3.2 1B and Llama 3.1 8B, LoRA r=16 on all linear layers, the rows of
:mod:`_workload`, 16 rows (or as many tokens) a step. We compute in float32 with TF32 products. TRL's rows: the same;
bfloat16; bfloat16 with flex attention; with flash attention and with Liger's kernels where these are installed; all
with packing and without recomputed activations. Ours is compared with the fastest of them. Each run is a fresh process,
sides take turns, medians are compared; loading, tokenizing and the first step (which compiles and warms up) are not
timed. Memory is what the framework's allocator held at its peak.

The share is the work that the rows need at least, whoever computes it, by the device's own measured bfloat16 rate.

Without a CUDA device every claim is printed with ``holds`` null and the reason. Not covered: several devices,
preference training, real weights (the time does not depend on them).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _training import (
    ALPHA,
    MODEL,
    PACKAGES,
    RANK,
    Stopwatch,
    lora_peft,
    quiet_libraries,
    run_sides,
    stopwatch_callback,
    stopwatch_hook,
    trl_options,
)

BATCH, LENGTH, RATE = 16, 1024, 2e-4
LEAST = 1.3
LLAMA = {"vocab_size": 128_256, "num_key_value_heads": 8, "head_dim": 64, "max_position_embeddings": 8192}
SHAPES: dict[str, dict[str, Any]] = {
    "1B": LLAMA
    | {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32}
    | {"tie_word_embeddings": True},
    "8B": LLAMA
    | {"hidden_size": 4096, "intermediate_size": 14_336, "num_hidden_layers": 32, "num_attention_heads": 32}
    | {"head_dim": 128, "tie_word_embeddings": False},
    "small": {"vocab_size": 49_152, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    | {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "tie_word_embeddings": True},
}
ROWS = {"1B": 512, "8B": 128, "small": 32}
# Options of SFTConfig and of loading, and the distributions that a row needs beside TRL.
PEERS: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "float32": ({"bf16": False}, {"dtype": "float32"}, ()),
    "bfloat16": ({"bf16": True}, {"dtype": "bfloat16"}, ()),
    "bfloat16, flex attention": (
        {"bf16": True},
        {"dtype": "bfloat16", "attn_implementation": "flex_attention"},
        (),
    ),
    "bfloat16, flash attention": (
        {"bf16": True},
        {"dtype": "bfloat16", "attn_implementation": "flash_attention_2"},
        ("flash_attn",),
    ),
    "bfloat16, Liger": ({"bf16": True, "use_liger_kernel": True}, {"dtype": "bfloat16"}, ("liger_kernel",)),
    "bfloat16, flash attention, Liger": (
        {"bf16": True, "use_liger_kernel": True},
        {"dtype": "bfloat16", "attn_implementation": "flash_attention_2"},
        ("flash_attn", "liger_kernel"),
    ),
}


class DeviceStopwatch(Stopwatch):
    """Wall seconds after the first step, each read when the device has done what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def mark(self) -> None:
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.steps += 1
        if self.steps == 1:
            self._begun = time.perf_counter(), time.process_time()
        super().mark()

    def reading(self) -> dict[str, float]:
        """For a child's report; ``share_timed`` is the part of the steps that the seconds are of."""
        import torch

        held = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
        return {**super().reading(), "peak": float(held), "share_timed": (self.steps - 1) / self.steps}


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


def build(size: str, folder: Path) -> None:
    """Write random weights in bfloat16, and the tokenizer and template of the other benchmarks' model."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from reactor_core.models.load import load_tokenizer
    from reactor_core.models.store import resolve_model

    tokenizer = load_tokenizer(resolve_model(MODEL).path)
    tokenizer.save_pretrained(folder)
    ids = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = LlamaForCausalLM(LlamaConfig(**SHAPES[size], **ids)).to(torch.bfloat16)
    model.save_pretrained(folder)


def train_ours(folder: Path, count: int, work: Path) -> dict[str, float]:
    """One run of our trainer."""
    import torch
    from _workload import write_jsonl

    from reactor_core.training.config import TrainingConfig
    from reactor_core.training.trainer import Trainer
    from reactor_core.utils.settings import load_settings

    torch.set_float32_matmul_precision("high")  # TF32
    path = work / "rows.jsonl"
    write_jsonl(rows_as_messages(count), path)
    config = TrainingConfig(
        model_name=str(folder), batch_size=BATCH, max_length=LENGTH, learning_rate=RATE, lora_rank=RANK,
        lora_alpha=ALPHA, micro_batch_tokens=8192, output_dir=str(work / "ours"), save_seconds=1e6,
    )  # fmt: skip
    watch = DeviceStopwatch()
    result = Trainer(config, hooks=[stopwatch_hook(watch)], settings=load_settings()).train(path, resume=False)
    return {**watch.reading(), "tokens": result.tokens_trained, "loss": result.final_loss}


def train_trl(side: str, folder: Path, count: int, work: Path) -> dict[str, float]:
    """One run of TRL's SFTTrainer; packs are as long as our step is on average."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    torch.set_float32_matmul_precision("high")
    options, loading, _ = PEERS[side]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokens, _, longest = counts(folder, count)
    watch = DeviceStopwatch()
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(folder, **{"attn_implementation": "sdpa", **loading}),
        processing_class=tokenizer,
        train_dataset=Dataset.from_list(rows_as_messages(count)),
        peft_config=lora_peft(),
        args=SFTConfig(
            **trl_options(work) | {"use_cpu": not torch.cuda.is_available()},
            learning_rate=RATE,
            per_device_train_batch_size=1,
            packing=True,
            max_length=max(round(tokens / count * BATCH), longest),
            gradient_checkpointing=False,
            optim="adamw_torch_fused",
            **options,
        ),
        callbacks=[stopwatch_callback(watch)],
    )
    outcome = trainer.train()
    return {**watch.reading(), "tokens": tokens, "loss": outcome.training_loss}


def counts(folder: Path, count: int) -> tuple[int, int, int]:
    """Tokens of all rows, of their answers, and of the longest row."""
    from reactor_core.data.chat import ChatFormat
    from reactor_core.data.records import parse_row
    from reactor_core.models.load import load_tokenizer

    chat = ChatFormat(load_tokenizer(folder))
    documents = [chat.encode(parse_row(row, 1), 0, max_length=LENGTH) for row in rows_as_messages(count)]
    lengths = [len(document.ids) for document in documents]
    return sum(lengths), sum(document.num_trained for document in documents), max(lengths)


def linear_shapes(shape: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """Outputs and inputs of the linear layers of one decoder layer."""
    width, inner = shape["hidden_size"], shape["intermediate_size"]
    heads = shape["num_attention_heads"] * shape["head_dim"]
    keys = shape["num_key_value_heads"] * shape["head_dim"]
    yield from ((heads, width), (keys, width), (keys, width), (width, heads))
    yield from ((inner, width), (inner, width), (width, inner))


def operations(shape: dict[str, Any], tokens: int, trained: int) -> float:
    """Floating-point operations that an epoch needs at least, counted as in ``train_sft.py``."""
    layers = shape["num_hidden_layers"]
    body = layers * sum(out * into for out, into in linear_shapes(shape))
    adapter = layers * sum(RANK * (out + into) for out, into in linear_shapes(shape))
    return tokens * (4 * body + 6 * adapter) + trained * 4 * shape["vocab_size"] * shape["hidden_size"]


def gemm_rate() -> float:
    """The best rate at which the device multiplies bfloat16 matrices of 8,192 squared, in operations a second."""
    import torch

    size = 8192
    a, b = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    best = float("inf")
    for _ in range(30):
        begun, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begun.record()
        torch.mm(a, b)
        ended.record()
        torch.cuda.synchronize()
        best = min(best, begun.elapsed_time(ended) / 1000)
    return 2 * size**3 / best


def missing(side: str) -> list[str]:
    """Distributions that a row of TRL needs and this environment lacks."""
    return [name for name in PEERS[side][2] if importlib.util.find_spec(name) is None]


def report(size: str, repeats: int, *, quick: bool) -> None:
    """Measure all sides on one model and print the lines; without a device, say so in them."""
    import torch
    from _harness import emit, medians, run_child

    here = torch.cuda.is_available()
    common: dict[str, Any] = {"benchmark": "train_gpu", "packages": PACKAGES, "samples": repeats if here else 0}
    subject = f"Llama {size}, {ROWS[size]} rows of documentation"
    names = (("tokens per second", "tokens/s"), ("peak device memory", "MiB"), ("share of the device's rate", "share"))
    if not here:
        for claim, unit in names:
            emit(
                claim=f"{claim}, {subject}", unit=unit, ours=None, peer=None, peer_name=None, better="higher",
                goal=f"{LEAST:g}x" if unit == "tokens/s" else "shown", least_ratio=None,
                reason="no CUDA device is visible", **common,
            )  # fmt: skip
        return
    for side in PEERS:
        if lacks := missing(side):
            print(f"{side}: not run, {' and '.join(lacks)} not installed", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as place:
        script, arguments = str(Path(__file__)), ["--size", size, "--model", place]
        needed = run_child([script, "--child", "build", *arguments])["operations"]
        sides = {"ours": repeats} | {side: repeats for side in PEERS if not missing(side)}
        runs = run_sides(script, sides, arguments)
    rate = run_child([script, "--child", "gemm", *arguments])["rate"]
    ours = medians(runs["ours"])
    peers = {side: medians(of) for side, of in runs.items() if side != "ours" and of}

    def speed(run: dict[str, float]) -> float:
        return run["tokens"] * run["share_timed"] / run["wall"]

    best = max(peers, key=lambda side: speed(peers[side]))
    for side in sorted(peers, key=lambda side: side != best):
        theirs = peers[side]
        judged = side == best
        values = (
            (speed(ours), speed(theirs)),
            (ours["peak"] / 2**20, theirs["peak"] / 2**20),
            tuple(needed / run["tokens"] * speed(run) / rate for run in (ours, theirs)),
        )
        for (claim, unit), (mine, other) in zip(names, values, strict=True):
            decides = judged and unit == "tokens/s" and not quick
            emit(
                claim=f"{claim}, {subject}", unit=unit, ours=mine, peer=other, peer_name=f"TRL, {side}",
                better="lower" if unit == "MiB" else "higher", goal=f"{LEAST:g}x" if decides else "shown, not judged",
                least_ratio=LEAST if decides else None, **common,
            )  # fmt: skip


def main() -> int:
    """Measure, or be one measured process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small model; holds is null")
    parser.add_argument("--size", choices=tuple(SHAPES), default=None, help="measure this model only")
    parser.add_argument("--repeats", type=int, default=None, help="runs of each side")
    parser.add_argument("--child", choices=("ours", *PEERS, "build", "gemm"), help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child is None:
        for size in [args.size] if args.size else ["small"] if args.quick else ["1B", "8B"]:
            report(size, args.repeats or (1 if args.quick else 3), quick=args.quick)
        return 0
    quiet_libraries()
    count = ROWS[args.size]
    with tempfile.TemporaryDirectory() as work:
        if args.child == "build":
            build(args.size, args.model)
            tokens, trained, _ = counts(args.model, count)
            result = {"operations": operations(SHAPES[args.size], tokens, trained)}
        elif args.child == "gemm":
            result = {"rate": gemm_rate()}
        elif args.child == "ours":
            result = train_ours(args.model, count, Path(work))
        else:
            result = train_trl(args.child, args.model, count, Path(work))
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
