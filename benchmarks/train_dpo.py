"""Preference training beside TRL's DPOTrainer: pairs per second, processor time and peak memory.

    python benchmarks/train_dpo.py            # about a quarter of an hour
    python benchmarks/train_dpo.py --quick    # about a minute, decides nothing

SmolLM2-135M, LoRA r=16 on all linear layers, fp32, no gradient checkpointing, four pairs a step, same rows, base
weights, chat template, learning rate, beta and number of threads; sigmoid loss; the reference is the model without its
adapter on both sides, asked during training (one pass over the data, so asking first would cost the same). Each run is
a fresh process, ours and theirs take turns, medians are compared. The pairs are actions of the experience log with the
right verdict and its reason against a wrong verdict with the reason of another row.

Not covered: GPUs, other models, long answers; quality (loss and gradient equal TRL's by the tests).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from first_train import POOL, Stopwatch, peak_bytes

PACKAGES = ("torch", "transformers", "trl", "peft")
BATCH = 4


def write_pairs(path: Path, count: int) -> None:
    """Rows of the experience log, each with the answer of another row as the worse one."""
    from reactor_core.data.experience import DECISIONS, read_experience
    from reactor_core.eval.verdicts import verdict_messages

    rows = [row for row in read_experience(POOL) if row.why][: count + 1]
    lines = []
    for row, other in itertools.pairwise(rows):
        wrong = next(label for label in DECISIONS if label != row.label)
        prompt = verdict_messages(row.action, row.kind)
        lines.append(
            json.dumps(
                {
                    "prompt": prompt,
                    "chosen": [{"role": "assistant", "content": f"{row.label}: {row.why}"}],
                    "rejected": [{"role": "assistant", "content": f"{wrong}: {other.why}"}],
                }
            )
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def train_ours(path: Path, work: Path) -> dict[str, float]:
    """One run of our trainer."""
    from reactor_core.training.config import TrainingConfig
    from reactor_core.training.hooks import RunInfo, StepInfo, TrainingHook
    from reactor_core.training.trainer import Trainer
    from reactor_core.utils.settings import load_settings

    class Timed(TrainingHook):
        watch = Stopwatch()

        def on_start(self, _: RunInfo) -> None:
            self.watch.start()

        def on_step(self, _: StepInfo) -> None:
            self.watch.mark()

    config = TrainingConfig(
        model_name="smollm2-135m", method="dpo", batch_size=BATCH, learning_rate=1e-4, chat_template="bare",
        output_dir=str(work / "ours"), save_seconds=1e6,
    )  # fmt: skip
    result = Trainer(config, hooks=[Timed()], settings=load_settings()).train(path, resume=False)
    return {
        "wall": Timed.watch.wall,
        "cpu": Timed.watch.cpu,
        "peak": peak_bytes(),
        "pairs": result.rows_trained,
        "loss": result.final_loss,
    }


def train_trl(path: Path, work: Path) -> dict[str, float]:
    """One run of TRL's DPOTrainer on the same rows."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import TrainerCallback
    from trl import DPOConfig, DPOTrainer

    from reactor_core.data.chat import ChatFormat
    from reactor_core.models.load import load_model
    from reactor_core.models.store import resolve_model

    loaded = load_model(resolve_model("smollm2-135m"))
    loaded.tokenizer.chat_template = ChatFormat(loaded.tokenizer, "bare").as_file()
    data = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    class Timed(TrainerCallback):
        watch = Stopwatch()

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            self.watch.start()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            self.watch.mark()

    loaded.model.set_attn_implementation("sdpa")
    trainer = DPOTrainer(
        model=loaded.model,
        processing_class=loaded.tokenizer,
        train_dataset=Dataset.from_list(data),
        peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
        args=DPOConfig(
            output_dir=str(work / "trl"),
            per_device_train_batch_size=BATCH,
            num_train_epochs=1,
            learning_rate=1e-4,
            beta=0.1,
            bf16=False,
            gradient_checkpointing=False,
            use_cpu=True,
            save_strategy="no",
            report_to="none",
            logging_steps=10_000,
            disable_tqdm=True,
        ),
        callbacks=[Timed()],
    )
    outcome = trainer.train()
    return {
        "wall": Timed.watch.wall,
        "cpu": Timed.watch.cpu,
        "peak": peak_bytes(),
        "pairs": len(data),
        "loss": outcome.training_loss,
    }


def measure(pairs: int, repeats: int) -> dict[str, list[dict[str, float]]]:
    """Runs of both, in turn, each in a process of its own."""
    from _harness import run_child

    runs: dict[str, list[dict[str, float]]] = {"ours": [], "trl": []}
    for turn in range(repeats):
        for side in ("ours", "trl") if turn % 2 == 0 else ("trl", "ours"):
            run = run_child([str(Path(__file__)), "--child", side, "--pairs", str(pairs)])
            print(f"{side}: {run['pairs'] / run['wall']:.3f} pairs/s, {run}", file=sys.stderr, flush=True)
            runs[side].append(run)
    return runs


def report(runs: dict[str, list[dict[str, float]]], *, quick: bool, pairs: int) -> None:
    """One line for speed, one for processor time, one for memory."""
    from _harness import emit, medians

    ours, trl = medians(runs["ours"]), medians(runs["trl"])
    common: dict[str, Any] = {
        "benchmark": "train_dpo",
        "peer_name": "TRL DPOTrainer",
        "samples": len(runs["ours"]),
        "packages": PACKAGES,
    }
    least = None if quick else 1.0
    emit(
        claim=f"preference pairs per second on {pairs} pairs of the experience log",
        unit="pairs/s",
        ours=ours["pairs"] / ours["wall"],
        peer=trl["pairs"] / trl["wall"],
        better="higher",
        goal="at least equal",
        least_ratio=least,
        **common,
    )
    emit(
        claim=f"preference pairs per second of processor time on {pairs} pairs",
        unit="pairs/cpu s",
        ours=ours["pairs"] / ours["cpu"],
        peer=trl["pairs"] / trl["cpu"],
        better="higher",
        goal="at least equal",
        least_ratio=least,
        **common,
    )
    emit(
        claim="peak resident memory of the process that trains on them",
        unit="MiB",
        ours=ours["peak"] / 2**20,
        peer=trl["peak"] / 2**20,
        better="lower",
        goal="at least equal",
        least_ratio=least,
        **common,
    )


def main() -> int:
    """Measure, or be one measured process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="about a minute; holds is null")
    parser.add_argument("--pairs", type=int, default=None, help="pairs to train on")
    parser.add_argument("--repeats", type=int, default=None, help="runs of each side")
    parser.add_argument("--child", choices=("ours", "trl"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    pairs = args.pairs or (8 if args.quick else 48)
    if args.child is None:
        report(measure(pairs, args.repeats or (1 if args.quick else 3)), quick=args.quick, pairs=pairs)
        return 0
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    train = {"ours": train_ours, "trl": train_trl}[args.child]
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "pairs.jsonl"
        write_pairs(path, pairs)
        result = train(path, Path(work))
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
