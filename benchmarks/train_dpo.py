"""Preference training beside TRL's DPOTrainer: pairs per second and peak memory.

    python benchmarks/train_dpo.py            # about an hour and a half
    python benchmarks/train_dpo.py --quick    # about two minutes, decides nothing

SmolLM2-135M, LoRA r=16 on all linear layers, float32, sigmoid loss, the model's chat template, four pairs a step, one
epoch. Two sets of rows, both of :mod:`_workload`, each prompt behind a system prompt of 60 tokens: ``DPO-1`` has one
chosen and one rejected answer for each of 24 prompts; ``DPO-2`` has two and two, so 96 pairs.
TRL is run as it comes (``default``: bfloat16 autocast, activations recomputed, reference asked in each step) and tuned
(``references first``: float32, nothing recomputed, reference asked for all rows before training). Asking the reference
is timed on both sides, whenever it happens; loading and tokenizing are not. Each run is a fresh process, the sides take
turns, medians are compared.

Not covered: GPUs, other models; quality (loss and gradient equal TRL's by the tests).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from _training import (
    MODEL,
    Stopwatch,
    compare,
    lora_peft,
    quiet_libraries,
    run_sides,
    stopwatch_callback,
    stopwatch_hook,
    trl_options,
)

BATCH, LENGTH, RATE, BETA = 4, 1024, 1e-4, 0.1
PEERS = ("references first", "default")
GOALS = {1: (2.5, 4.0), 2: (4.0, 7.0)}


def rows_of(choices: int, prompts: int) -> list[dict[str, Any]]:
    """The pairs over the first so many prompts."""
    from _workload import preference_pairs

    return preference_pairs(choices=choices)[: prompts * choices**2]


def train_ours(rows: list[dict[str, Any]], work: Path) -> dict[str, float]:
    """One run of our trainer."""
    from _workload import write_jsonl

    from reactor_core.training.config import TrainingConfig
    from reactor_core.training.trainer import Trainer
    from reactor_core.utils.settings import load_settings

    path = work / "pairs.jsonl"
    write_jsonl(rows, path)
    config = TrainingConfig(
        model_name=MODEL, method="dpo", dpo_beta=BETA, batch_size=BATCH, max_length=LENGTH, learning_rate=RATE,
        output_dir=str(work / "ours"), certificate=False, save_seconds=1e6,
    )  # fmt: skip
    watch = Stopwatch()
    trainer = Trainer(config, hooks=[stopwatch_hook(watch)], settings=load_settings())
    result = trainer.train(path, resume=False)
    return {
        **watch.reading(),
        "pairs": result.rows_trained,
        "computed": result.tokens_computed,
        "loss": result.final_loss,
    }


def train_trl(side: str, rows: list[dict[str, Any]], work: Path) -> dict[str, float]:
    """One run of TRL's DPOTrainer."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    from reactor_core.models.load import load_model
    from reactor_core.models.store import resolve_model

    watch = Stopwatch()

    class Timed(DPOTrainer):
        def _precompute_ref_logps(self, *args: Any, **kwargs: Any) -> Any:
            watch.start()
            return super()._precompute_ref_logps(*args, **kwargs)

    loaded = load_model(resolve_model(MODEL))
    loaded.model.set_attn_implementation("sdpa")
    options: dict[str, Any] = {}
    if side != "default":
        options = {"bf16": False, "gradient_checkpointing": False, "precompute_ref_log_probs": True}
    trainer = Timed(
        model=loaded.model,
        processing_class=loaded.tokenizer,
        train_dataset=Dataset.from_list(rows),
        peft_config=lora_peft(),
        args=DPOConfig(
            **trl_options(work),
            per_device_train_batch_size=BATCH,
            max_length=LENGTH,
            learning_rate=RATE,
            beta=BETA,
            **options,
        ),
        callbacks=[stopwatch_callback(watch)],
    )
    outcome = trainer.train()
    return {**watch.reading(), "pairs": len(rows), "loss": outcome.training_loss}


def main() -> int:
    """Measure, or be one measured process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="about two minutes; holds is null")
    parser.add_argument("--prompts", type=int, default=None, help="prompts to train on, 24 at most")
    parser.add_argument("--repeats", type=int, default=None, help="runs of each side")
    parser.add_argument("--only", type=int, choices=(1, 2), help="one of the two sets of rows")
    parser.add_argument(
        "--skip", action="append", default=[], choices=PEERS[1:], help="a row of the peer's to leave out"
    )
    parser.add_argument("--child", choices=("ours", *PEERS), help=argparse.SUPPRESS)
    parser.add_argument("--choices", type=int, default=1, help=argparse.SUPPRESS)
    args = parser.parse_args()
    prompts = args.prompts or (4 if args.quick else 24)
    if args.child is None:
        for choices in (1, 2) if args.only is None else (args.only,):
            repeats = args.repeats or (1 if args.quick or choices == 2 else 3)
            sides = {"ours": repeats, "references first": repeats}
            if not args.quick and "default" not in args.skip:
                sides["default"] = 1
            arguments = ["--prompts", str(prompts), "--choices", str(choices)]
            runs = run_sides(str(Path(__file__)), sides, arguments)
            floor, goal = GOALS[choices]
            compare(
                runs,
                benchmark="train_dpo",
                subject=f"DPO-{choices}, {prompts * choices**2} pairs",
                what="pairs",
                floor=floor,
                goal=goal,
                memory=False,
                quick=args.quick,
            )
        return 0
    quiet_libraries()
    rows = rows_of(args.choices, prompts)
    with tempfile.TemporaryDirectory() as work:
        result = train_ours(rows, Path(work)) if args.child == "ours" else train_trl(args.child, rows, Path(work))
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
