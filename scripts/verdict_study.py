"""Train the verdict model with several seeds in both modes, and write down what came out.

    python scripts/verdict_study.py --out docs/studies/verdicts
    python scripts/verdict_study.py --modes demo --seeds 0 --also other.jsonl
    python scripts/verdict_study.py --quick --out /somewhere/else    # a few steps, a few rows: does it run?

Each run is a fresh process, as a user's is. Results that are already in the JSON file for the same options, dataset and
held-out rows are kept, so a study that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reactor_core.data.experience import Decision, ExperienceRow, read_experience, stratified
from reactor_core.eval.verdicts import verdict_messages
from reactor_core.utils.canonical import canonical_json, content_hash
from reactor_core.utils.files import atomic_write, sha256_file
from reactor_core.utils.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
LOG = ROOT / "examples" / "experience"
_QUICK_ROWS = 24
_QUICK_STEPS = 4


def dataset_lines(rows: list[ExperienceRow]) -> bytes:
    """The pool as the demo trains it: the same order, with the row's hash where the demo has an event id."""
    decisions = [Decision(row, content_hash([row.kind, row.action]), None) for row in rows]
    return b"".join(
        canonical_json(
            {"prompt": verdict_messages(d.row.action, d.row.kind), "completion": d.row.label, "id": d.event_id}
        )
        + b"\n"
        for d in stratified(decisions)
    )


def one_run(mode: str, seed: int, also: Path | None, *, quick: bool) -> dict[str, Any]:
    """Train, judge before and after, decide; the record of one run as plain data.

    Args:
        mode: "demo" or "full".
        seed: Seed of the training.
        also: A second labelled file, or None.
        quick: Train a few steps and judge a few rows.
    """
    from reactor_core.demo.judge import judge
    from reactor_core.demo.recipe import MODEL, demo_config, full_config
    from reactor_core.errors import PromotionRefused
    from reactor_core.eval.promotion import decide
    from reactor_core.training.trainer import Trainer

    few = _QUICK_ROWS if quick else None
    heldout = read_experience(LOG / "heldout.jsonl")[:few]
    others = None if also is None else read_experience(also)[:few]
    with tempfile.TemporaryDirectory() as work:
        settings = load_settings().model_copy(update={"workspace": Path(work)})
        path = Path(work) / "pool.jsonl"
        atomic_write(path, dataset_lines(read_experience(LOG / "pool.jsonl")))
        config = demo_config(seed=seed) if mode == "demo" else full_config(seed=seed)
        if quick:
            config = config.model_copy(update={"max_seconds": None, "max_steps": _QUICK_STEPS})
        before = judge(MODEL, None, heldout, others, settings=settings, chat_template=config.chat_template)
        result = Trainer(config, settings=settings).train(path, resume=False)
        after = judge(MODEL, result.adapter_dir, heldout, others, settings=settings)
    try:
        tests: dict[str, Any] = {c.baseline: c.test.p_value for c in decide(after.report, before.report).comparisons}
    except PromotionRefused as refusal:
        tests = {"refused": str(refusal)}
    report = after.report
    return {
        "mode": mode,
        "seed": seed,
        "before": before.report.accuracy,
        "after": report.accuracy,
        "heldout_rows": report.rows,
        "interval": [report.interval.low, report.interval.high],
        "majority": report.majority_accuracy,
        "p_values": tests,
        "confusion": report.confusion,
        "per_kind": {kind: right / rows for kind, (right, rows) in report.per_kind.items()},
        "also_before": None if before.also is None else before.also.accuracy,
        "also_after": None if after.also is None else after.also.accuracy,
        "rows_trained": result.rows_trained,
        "steps": result.steps,
        "seconds": result.seconds,
        "tokens_per_second": result.tokens_per_second,
        "peak_memory_bytes": result.peak_memory_bytes,
        "load": os.getloadavg()[0],
    }


def render(study: dict[str, Any]) -> str:
    """The study as a Markdown table."""
    lines = [
        "# The verdict recipe, seed by seed",
        "",
        "Written by `scripts/verdict_study.py`: each run is a fresh process: `demo` trains for at most 150 s, `full`",
        "on every row of the pool once; both judge the held-out rows before and after. What was tried to get here: see",
        "[the notes](../notes/2026-11-21-verdict-recipe.md).",
        "",
        f"Machine: {study['machine']}. Held-out rows: {study['heldout_rows']}. Date: {study['date']}.",
        "",
        "| mode | seed | untuned | tuned | 95 % interval | majority | other file | rows trained | tokens/s | minutes |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for run in study["runs"]:
        low, high = run["interval"]
        other = "" if run["also_after"] is None else f"{run['also_before']:.3f} to {run['also_after']:.3f}"
        lines.append(
            f"| {run['mode']} | {run['seed']} | {run['before']:.3f} | {run['after']:.3f} | {low:.3f} to {high:.3f} "
            f"| {run['majority']:.3f} | {other} | {run['rows_trained']} | {run['tokens_per_second']:.0f} "
            f"| {run['seconds'] / 60:.1f} |"
        )
    for mode in sorted({run["mode"] for run in study["runs"]}):
        scores = [run["after"] for run in study["runs"] if run["mode"] == mode]
        lines += ["", f"Mode {mode}: mean {statistics.mean(scores):.3f} over {len(scores)} seeds."]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run what is missing and write both files after every run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modes", nargs="+", choices=("demo", "full"), default=["demo", "full"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--also", type=Path, default=None, help="a second labelled file, reported apart")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "studies" / "verdicts", help="without suffix")
    parser.add_argument("--quick", action="store_true", help="few steps and rows; the figures mean nothing")
    parser.add_argument("--child", nargs=2, metavar=("MODE", "SEED"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child is not None:
        print(json.dumps(one_run(args.child[0], int(args.child[1]), args.also, quick=args.quick)))
        return 0
    from reactor_core.demo.recipe import demo_config, full_config

    inputs = content_hash(
        {
            "pool": sha256_file(LOG / "pool.jsonl"),
            "heldout": sha256_file(LOG / "heldout.jsonl"),
            "prompt": verdict_messages("action", "kind"),
            "configs": [demo_config().hash, full_config().hash],
            "also": None if args.also is None else sha256_file(args.also),
            "quick": args.quick,
        }
    )
    store = args.out.with_suffix(".json")
    study: dict[str, Any] = json.loads(store.read_text()) if store.is_file() else {}
    runs = study.get("runs", []) if study.get("inputs") == inputs else []
    for seed in args.seeds:
        for mode in args.modes:
            if any((run["mode"], run["seed"]) == (mode, seed) for run in runs):
                continue
            passed = [] if args.also is None else ["--also", str(args.also)]
            passed += ["--quick"] if args.quick else []
            command = [sys.executable, str(Path(__file__)), "--child", mode, str(seed), *passed]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            runs.append(json.loads(done.stdout.strip().splitlines()[-1]))
            print(f"{mode} seed {seed}: {runs[-1]['before']:.3f} -> {runs[-1]['after']:.3f}", file=sys.stderr)
            study = {
                "inputs": inputs,
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
                "heldout_rows": runs[-1]["heldout_rows"],
                "date": datetime.now(UTC).date().isoformat(),
                "runs": sorted(runs, key=lambda run: (run["mode"], run["seed"])),
            }
            atomic_write(store, json.dumps(study, indent=1) + "\n")
            atomic_write(args.out.with_suffix(".md"), render(study))
    return 0


if __name__ == "__main__":
    sys.exit(main())
