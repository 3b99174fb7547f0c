"""How fast this machine would train: as a finished run of the same kind did, or as it multiplies matrices."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from reactor_core.models.entry import ModelEntry
from reactor_core.training.card import CARD, describe_environment
from reactor_core.training.config import TrainingConfig

__all__ = ["EFFICIENCY", "Pace", "gemm_rate", "pace_of_last_run", "probed_pace"]

EFFICIENCY = {"fast": 0.62, "generic": 0.45}
"""Share of the rate of plain matrix products that training reaches. That of the fast path is the upper end of the 0.50
to 0.63 in docs/benchmarks.md (SmolLM2-135M, two processors); that of the generic path is assumed."""
_LAYER_SECONDS = {"fast": 0.8e-3, "generic": 2.0e-3}
"""What a layer of a part costs however few tokens it has: the launches of its operations, both passes; assumed."""

_SAME_OPTIONS = ("method", "use_lora", "lora_rank", "quantization", "gradient_checkpointing", "layers", "lora_dropout")
_SAME_MACHINE = ("machine", "cpus", "threads", "device")


@dataclass(frozen=True)
class Pace:
    """How fast, and how that is known.

    Attributes:
        source: Where the figures come from, in a sentence.
        seconds_per_token: Of a token that goes through the model, both passes; None where operations are counted.
        flops_per_second: Of the passes, where no run is known.
        part_seconds: That every part takes beside its operations.
    """

    source: str
    seconds_per_token: float | None = None
    flops_per_second: float | None = None
    part_seconds: float = 0.0

    def seconds(self, *, tokens: float, flops: float, parts: float) -> float:
        """Of so much work.

        Args:
            tokens: That go through the model.
            flops: Operations that they take.
            parts: Parts that they are cut into.
        """
        if self.seconds_per_token is not None:
            return tokens * self.seconds_per_token
        assert self.flops_per_second is not None
        return flops / self.flops_per_second + parts * self.part_seconds


def pace_of_last_run(
    workspace: Path, entry: ModelEntry, config: TrainingConfig, *, device: torch.device
) -> Pace | None:
    """As the newest finished run of the same model and kind on a machine like this one, or None if there is none."""
    here = describe_environment(device)
    for folder in sorted((workspace / "runs").glob("train-*"), reverse=True):
        try:
            card: Mapping[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        then, options, metrics = card["environment"], card["config"], card["metrics"]
        like = (
            card["base"]["weights_hash"] == entry.weights_hash
            and all(then.get(name) == here[name] for name in _SAME_MACHINE)
            and all(options.get(name) == getattr(config, name) for name in _SAME_OPTIONS)
        )
        if like and metrics.get("tokens_computed"):
            rate = metrics["tokens_computed"] / metrics["seconds"]
            return Pace(
                f"run {card['run_id']} computed {rate:,.0f} tokens/s of this model on this machine",
                seconds_per_token=1 / rate,
            )
    return None


def gemm_rate(tokens: int, width: int, *, seconds: float = 0.4) -> float:
    """The best rate at which this machine multiplies ``[tokens, width]`` by ``[width, 4 width]``, float32, in FLOP/s.

    Args:
        tokens: Rows, as in a part of a step.
        width: Hidden width of the model.
        seconds: How long to try.
    """
    x, weight = torch.randn(tokens, width), torch.randn(4 * width, width)
    out = x @ weight.t()
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        begun = time.perf_counter()
        torch.mm(x, weight.t(), out=out)
        best = min(best, time.perf_counter() - begun)
    return 2 * tokens * width * 4 * width / best


def probed_pace(path: str, rate: float, *, layers: int) -> Pace:
    """From the rate of plain matrix products.

    Args:
        path: ``fast`` or ``generic``: how the model is computed.
        rate: From :func:`gemm_rate`.
        layers: Of the model.
    """
    return Pace(
        f"a probe of this machine: {rate / 1e9:.0f} GFLOP/s in float32 products, of which training on the {path} "
        f"path reaches about {EFFICIENCY[path]:.0%}",
        flops_per_second=rate * EFFICIENCY[path],
        part_seconds=layers * _LAYER_SECONDS[path],
    )
