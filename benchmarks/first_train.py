"""The demo's training beside TRL's SFTTrainer: tokens per second and peak memory.

    python benchmarks/first_train.py            # a few minutes
    python benchmarks/first_train.py --quick    # under a minute, decides nothing

Same rows, base weights, chat template, LoRA, rows per step, learning rate and number of threads; fp32; no gradient
checkpointing; TRL with packing (best fit decreasing). Each run is a fresh process, ours and theirs take turns, medians
are compared. Tokens are counted the same way for both: all prompt and completion tokens of the rows. TRL fills packs of
a fixed length instead of counting rows, so its pack is as long as our step is on average.

Not covered: GPUs, other model sizes, long rows; quality (our loss equals transformers' own by the tests; TRL also
trains the newline behind the stop token).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from _training import PACKAGES, Stopwatch, quiet_libraries, run_sides, stopwatch_callback, stopwatch_hook, trl_options

ROOT = Path(__file__).resolve().parents[1]
POOL = ROOT / "examples" / "experience" / "pool.jsonl"


def write_rows(path: Path, count: int) -> None:
    """The first rows of the experience log as prompt and completion, in the words of the demo."""
    from reactor_core.data.experience import read_experience
    from reactor_core.eval.verdicts import verdict_messages

    rows = read_experience(POOL)[:count]
    lines = [
        json.dumps(
            {
                "prompt": verdict_messages(row.action, row.kind),
                "completion": [{"role": "assistant", "content": row.label}],
            }
        )
        for row in rows
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def settings_for(rows: int) -> Any:
    """The demo's configuration, bounded by rows instead of seconds."""
    from reactor_core.demo.recipe import demo_config

    config = demo_config()
    return config.model_copy(
        update={"max_seconds": None, "num_epochs": 1, "max_steps": max(1, rows // config.batch_size)}
    )


def train_ours(path: Path, rows: int, work: Path) -> dict[str, float]:
    """One run of our trainer."""
    from reactor_core.training.trainer import Trainer
    from reactor_core.utils.settings import load_settings

    # Saves during the run are pushed past its end: the peer saves nothing either.
    config = settings_for(rows).model_copy(
        update={"output_dir": str(work / "ours"), "save_seconds": 1e6, "certificate": False}
    )
    watch = Stopwatch()
    result = Trainer(config, hooks=[stopwatch_hook(watch)], settings=load_settings()).train(path, resume=False)
    return {
        **watch.reading(),
        "tokens": result.tokens_trained,
        "loss": result.final_loss,
    }


def train_trl(path: Path, rows: int, work: Path) -> dict[str, float]:
    """One run of TRL's SFTTrainer on the same rows."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    from reactor_core.data.chat import ChatFormat
    from reactor_core.data.records import read_dataset
    from reactor_core.models.load import load_model
    from reactor_core.models.store import resolve_model

    config = settings_for(rows)
    loaded = load_model(resolve_model(config.model_name))
    chat = ChatFormat(loaded.tokenizer, config.chat_template)
    used = read_dataset(path).rows[: config.max_steps * config.batch_size]
    tokens = sum(len(chat.encode(row, index).ids) for index, row in enumerate(used))
    loaded.tokenizer.chat_template = chat.as_file()
    data = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()][: len(used)]

    depth = loaded.model.config.num_hidden_layers
    layers = None if config.layers is None else list(range(depth - config.layers, depth))
    if config.target_modules == "all-linear":  # PEFT takes a choice of layers only beside names
        head = loaded.model.get_output_embeddings()
        linears = [n for n, m in loaded.model.named_modules() if isinstance(m, torch.nn.Linear) and m is not head]
        targets = sorted({name.split(".")[-1] for name in linears})
    else:
        targets = list(config.target_modules)
    watch = Stopwatch()
    trainer = SFTTrainer(
        model=loaded.model,
        processing_class=loaded.tokenizer,
        train_dataset=Dataset.from_list(data),
        peft_config=LoraConfig(
            r=config.lora_rank,
            lora_alpha=config.lora_alpha,
            lora_dropout=config.lora_dropout,
            target_modules=targets,
            layers_to_transform=layers,
            task_type="CAUSAL_LM",
        ),
        args=SFTConfig(
            **trl_options(work),
            per_device_train_batch_size=1,
            max_length=round(tokens / len(used) * config.batch_size),
            packing=True,
            completion_only_loss=True,
            learning_rate=config.learning_rate,
            lr_scheduler_type=config.lr_schedule,
            warmup_steps=config.warmup_ratio,  # below 1 it is a share of the run
            weight_decay=config.weight_decay,
            adam_beta2=config.adam_beta2,
            max_grad_norm=config.max_grad_norm or 0.0,
            bf16=False,
            gradient_checkpointing=False,
        ),
        callbacks=[stopwatch_callback(watch)],
    )
    outcome = trainer.train()
    return {
        **watch.reading(),
        "tokens": tokens,
        "loss": outcome.training_loss,
    }


def report(runs: dict[str, list[dict[str, float]]], *, quick: bool, rows: int) -> None:
    """One line for speed, one for processor time, one for memory."""
    from _harness import emit, medians

    ours, trl = medians(runs["ours"]), medians(runs["trl"])
    common: dict[str, Any] = {
        "benchmark": "first_train",
        "peer_name": "TRL SFTTrainer, packing",
        "goal": "at least equal",
        "least_ratio": None if quick else 1.0,
        "samples": len(runs["ours"]),
        "packages": PACKAGES,
    }
    emit(
        claim=f"training tokens per second on the demo's first {rows} rows",
        unit="tokens/s",
        ours=ours["tokens"] / ours["wall"],
        peer=trl["tokens"] / trl["wall"],
        better="higher",
        **common,
    )
    emit(
        claim=f"training tokens per second of processor time on the demo's first {rows} rows",
        unit="tokens/cpu s",
        ours=ours["tokens"] / ours["cpu"],
        peer=trl["tokens"] / trl["cpu"],
        better="higher",
        **common,
    )
    emit(
        claim=f"peak resident memory of the process that trains on the demo's first {rows} rows",
        unit="MiB",
        ours=ours["peak"] / 2**20,
        peer=trl["peak"] / 2**20,
        better="lower",
        **common,
    )


def main() -> int:
    """Measure, or be one measured process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute; holds is null")
    parser.add_argument("--rows", type=int, default=None, help="rows to train on")
    parser.add_argument("--repeats", type=int, default=None, help="runs of each side")
    parser.add_argument("--child", choices=("ours", "trl"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    rows = args.rows or (32 if args.quick else 240)
    if args.child is None:
        repeats = args.repeats or (1 if args.quick else 3)
        runs = run_sides(str(Path(__file__)), {"ours": repeats, "trl": repeats}, ["--rows", str(rows)])
        report(runs, quick=args.quick, rows=rows)
        return 0
    quiet_libraries()
    train = {"ours": train_ours, "trl": train_trl}[args.child]
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "rows.jsonl"
        write_rows(path, rows)
        result = train(path, rows, Path(work))
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
