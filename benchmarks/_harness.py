"""What every benchmark shares: one JSON line per claim, the machine's name, and fresh processes that report back."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

__all__ = ["emit", "machine", "medians", "run_child"]


def machine() -> str:
    """Processor, number of usable cores and operating system."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        models = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores, {platform.system()} {platform.machine()}"


def emit(
    *,
    benchmark: str,
    claim: str,
    unit: str,
    ours: float | None,
    peer: float | None,
    peer_name: str | None,
    better: Literal["higher", "lower"],
    goal: str,
    least_ratio: float | None,
    samples: int,
    packages: Sequence[str],
    holds: bool | None = None,
    reason: str | None = None,
) -> None:
    """Print one claim as one JSON line on stdout.

    Args:
        ours: What was measured; None where nothing could be, and then ``reason`` says why.
        better: Whether a higher or a lower number of ``unit`` is better; ``ratio`` is above 1 where ours is better.
        goal: The goal in words.
        least_ratio: The ratio from which the goal holds; None leaves ``holds`` null.
        samples: Runs behind each median.
        packages: Distributions whose versions matter.
        holds: Whether the goal holds, where it is not a ratio.
        reason: Why a claim could not be measured on this machine; a field of the line only where there is one.
    """
    above, below = (ours, peer) if better == "higher" else (peer, ours)
    # A share of 0 is infinitely better, which is no number.
    ratio = None if above is None or not below else above / below
    line = {
        "benchmark": benchmark,
        "claim": claim,
        "unit": unit,
        "ours": ours,
        "peer": peer,
        "peer_name": peer_name,
        "ratio": ratio,
        "goal": goal,
        "holds": holds if least_ratio is None or ratio is None else ratio >= least_ratio,
        "samples": samples,
        "machine": machine(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "date": datetime.now(UTC).date().isoformat(),
    }
    if reason is not None:
        line["reason"] = reason
    print(json.dumps(line), flush=True)


def medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of every number over some runs."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def run_child(
    arguments: Sequence[str], *, timeout: float = 1800, env: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run a script in a fresh process and read the JSON object on the last line of its stdout.

    Args:
        env: Its environment; None hands ours down.

    Raises:
        RuntimeError: It failed, or ended without that line.
    """
    done = subprocess.run(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=sys.stderr, text=True, timeout=timeout, env=env
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        raise RuntimeError(f"{' '.join(arguments)} ended with status {done.returncode}")
    value = json.loads(lines[-1])
    assert isinstance(value, dict)
    return value
