"""What the training benchmarks share: clocks, runs in turn, and the lines that compare us with the best of the peer."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from _harness import emit, medians, run_child

__all__ = [
    "MODEL",
    "PACKAGES",
    "Stopwatch",
    "compare",
    "gemm_gflops",
    "lora_peft",
    "peak_bytes",
    "quiet_libraries",
    "run_sides",
    "stopwatch_callback",
    "stopwatch_hook",
    "trl_options",
]

PACKAGES = ("torch", "transformers", "trl", "peft")
MODEL = "smollm2-135m"
RANK, ALPHA = 16, 32

Runs = dict[str, list[dict[str, float]]]


def peak_bytes() -> int:
    """Highest resident memory of this process since it started, for both alike."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class Stopwatch:
    """Wall and processor seconds of the training loop alone; only the first start counts."""

    def __init__(self) -> None:
        self._begun: tuple[float, float] | None = None
        self.wall = self.cpu = 0.0

    def start(self) -> None:
        if self._begun is None:
            self._begun = time.perf_counter(), time.process_time()

    def mark(self) -> None:
        assert self._begun is not None
        self.wall, self.cpu = time.perf_counter() - self._begun[0], time.process_time() - self._begun[1]

    def reading(self) -> dict[str, float]:
        """For a child's report."""
        return {"wall": self.wall, "cpu": self.cpu, "peak": float(peak_bytes())}


def stopwatch_hook(watch: Stopwatch) -> Any:
    """For our trainer; what is written after the last step is not training."""
    from reactor_core.training.hooks import RunInfo, StepInfo, TrainingHook

    class Timed(TrainingHook):
        def on_start(self, _: RunInfo) -> None:
            watch.start()

        def on_step(self, _: StepInfo) -> None:
            watch.mark()

    return Timed()


def stopwatch_callback(watch: Stopwatch) -> Any:
    """For a trainer of transformers."""
    from transformers import TrainerCallback

    class Timed(TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            watch.start()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            watch.mark()

    return Timed()


def lora_peft() -> Any:
    """The adapter that both sides train."""
    from peft import LoraConfig

    return LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")


def trl_options(work: Path) -> dict[str, Any]:
    """What every run of the peer has in common: one epoch on the processor, and nothing written or shown."""
    return {
        "output_dir": str(work / "trl"),
        "num_train_epochs": 1,
        "use_cpu": True,
        "save_strategy": "no",
        "report_to": "none",
        "logging_steps": 10_000,
        "disable_tqdm": True,
    }


def gemm_gflops(size: int = 2048, seconds: float = 3.0) -> float:
    """The best rate at which this machine multiplies square fp32 matrices, in GFLOP/s."""
    import torch

    a, b, out = (torch.randn(size, size) for _ in range(3))
    torch.mm(a, b, out=out)
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        begun = time.perf_counter()
        torch.mm(a, b, out=out)
        best = min(best, time.perf_counter() - begun)
    return 2 * size**3 / best / 1e9


def run_sides(script: str, sides: Mapping[str, int], arguments: Sequence[str] = ()) -> Runs:
    """Run each side as often as asked, in turn, each in a fresh process; who goes first changes.

    A side that the machine cannot run (for want of memory, most of all) ends with fewer runs, and says so on stderr.
    """
    runs: Runs = {side: [] for side in sides}
    for turn in range(max(sides.values())):
        names = list(sides) if turn % 2 == 0 else list(sides)[::-1]
        for side in (name for name in names if turn < sides[name]):
            begun = time.perf_counter()
            try:
                run = run_child([script, "--child", side, *arguments], timeout=3600)
            except RuntimeError as error:
                if side == "ours":
                    raise
                print(f"{side}: {error}", file=sys.stderr, flush=True)
                continue
            took = time.perf_counter() - begun
            print(f"{side}: {json.dumps(run)} ({took:.0f} s with loading)", file=sys.stderr, flush=True)
            runs[side].append(run)
    return runs


def compare(
    runs: Runs, *, benchmark: str, subject: str, what: str, floor: float, goal: float, memory: bool, quick: bool
) -> None:
    """One line for wall time, one for processor time and one for memory, against the peer's fastest row.

    Args:
        runs: By side; ``ours``, and rows of the peer of which those named ``default`` are only shown.
        benchmark: The script's name.
        subject: What was trained on.
        what: The counted thing, ``tokens`` or ``pairs``; a key of each run.
        floor: Least times as fast.
        goal: Times as fast to reach for.
        memory: Whether peak memory has a goal of its own here.
        quick: Decides nothing.
    """
    ours = medians(runs["ours"])
    peers = {side: medians(of) for side, of in runs.items() if side != "ours" and of}
    tuned = {side: row for side, row in peers.items() if "default" not in side}
    best = min(tuned, key=lambda side: tuned[side]["wall"])
    common: dict[str, Any] = {"benchmark": benchmark, "packages": PACKAGES}

    def line(peer: str, claim: str, unit: str, better: Any, key: str, goal: str, least: float | None) -> None:
        mine, theirs = ours, peers[peer]
        rate = (lambda run: run[what] / run[key]) if better == "higher" else (lambda run: run[key] / 2**20)
        emit(
            claim=f"{claim}, {subject}",
            unit=unit,
            ours=rate(mine),
            peer=rate(theirs),
            peer_name=f"TRL, {peer}",
            better=better,
            goal=goal,
            least_ratio=None if quick else least,
            samples=min(len(runs["ours"]), len(runs[peer])),
            **common,
        )

    goals = f"{floor:g}x at least, {goal:g}x to reach for"
    line(best, f"{what} per second", f"{what}/s", "higher", "wall", goals, floor)
    line(best, f"{what} per second, the goal", f"{what}/s", "higher", "wall", f"{goal:g}x", goal)
    line(best, f"{what} per second of processor time", f"{what}/cpu s", "higher", "cpu", "shown", None)
    memory_goals = "half of it at least, 0.35 of it to reach for" if memory else "0.35 of it"
    line(best, "peak memory", "MiB", "lower", "peak", memory_goals, 2.0 if memory else 1 / 0.35)
    for side in peers:
        if side != best:
            line(side, f"{what} per second", f"{what}/s", "higher", "wall", "shown, not judged", None)
            line(side, "peak memory", "MiB", "lower", "peak", "shown, not judged", None)


def quiet_libraries() -> None:
    """Before a child imports anything."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
