"""A plan as lines of text."""

from __future__ import annotations

from collections.abc import Sequence

from reactor_core.cost.prices import to_usd
from reactor_core.training.plan import MIB, Plan
from reactor_core.training.spending import NO_PRICE
from reactor_core.utils.environment_memory import GIB

__all__ = ["duration", "plan_lines"]

_PARTS = {
    "process": "libraries, tokenizer, rows",
    "weights": "frozen weights",
    "trained": "trained weights",
    "gradients": "gradients",
    "moments": "moments of the optimizer",
    "activations": "activations of the largest part",
    "head": "loss over the vocabulary",
    "slack": "allocator and matrix buffers",
}


def duration(seconds: float) -> str:
    """Rounded to what an estimate can say: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def plan_lines(plan: Plan, helpful: Sequence[str]) -> list[str]:
    """What a person reads.

    Args:
        plan: What was estimated.
        helpful: Options that would fit, where it does not.
    """
    memory, work = plan.memory, plan.work
    share = f"{memory.peak / GIB:.2f} GiB"
    lines = [f"memory   about {share} at the highest; {plan.room.reason}"]
    lines += [f"{getattr(memory, name) / MIB:>10,.0f} MiB  {text}" for name, text in _PARTS.items()]
    why = "" if plan.why is None else f", because {plan.why}"
    parts = f"{work.parts:.1f} parts of at most {work.most:,} tokens"
    lines += [
        f"path     {plan.path}{why}",
        f"work     {work.rows:,} rows, {work.steps:,} steps of {parts}; {work.tokens:,} tokens, of which "
        f"{work.computed:,} are computed",
    ]
    if plan.seconds is not None and plan.pace is not None:
        lines.append(f"time     about {duration(plan.seconds)}, by {plan.pace.source}")
    if plan.price is None or plan.seconds is None:
        lines.append(f"cost     unknown: {NO_PRICE}")
    else:
        lines.append(f"cost     about ${to_usd(plan.price.cost(plan.seconds)):.2f}, at {plan.price.describe()}")
    every = duration(plan.checkpoint_seconds)
    lines.append(f"saves    {plan.checkpoint_bytes / MIB:,.0f} MiB, at first every {every}")
    lines.append("it fits" if plan.fits else "it does not fit")
    lines += [f"         would fit: {text}" for text in helpful]
    return lines
