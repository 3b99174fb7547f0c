"""What a run would take, before it begins: memory by part, time, cost, steps, checkpoints, and whether it fits.

No weight is loaded. The data is read and tokenized (and kept for the run), the model is built from its ``config.json``
without content, and its largest part of a step is rehearsed (:mod:`reactor_core.training.rehearsal`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reactor_core.cost.prices import MachinePrice, to_usd
from reactor_core.data.packing import Document
from reactor_core.data.pairs import Pair
from reactor_core.training.config import TrainingConfig
from reactor_core.training.interval import Interval
from reactor_core.training.llama import why_not_fast
from reactor_core.training.pace import Pace
from reactor_core.training.prepare import adapt
from reactor_core.training.rehearsal import Footprint, rehearse_deep
from reactor_core.training.sketch import weight_bytes
from reactor_core.training.spending import NO_PRICE
from reactor_core.training.step import drops_at_random
from reactor_core.training.workload import Workload, survey
from reactor_core.utils.environment_memory import MemoryRoom

__all__ = ["MIB", "Memory", "Plan", "Subject", "plan_run", "remedies"]

MIB = 2**20
_SLACK_BYTES = {"fast": 64 * MIB, "generic": 128 * MIB}
"""Buffers of matrix products, and what the first step imports, by path."""
_SLACK_SHARE = {"fast": 0.15, "generic": 0.4}
"""Of activations and head, by path: holes in the heap. Measured with SmolLM2-135M and tiny models of three families on
Linux with glibc, whose allocator keeps tensors of up to 32 MiB in one heap. The generic path makes many short-lived
tensors between those that stay; with every tensor mapped apart (``MALLOC_MMAP_THRESHOLD_=65536``) the share is 0.1."""


@dataclass(frozen=True)
class Memory:
    """Estimated bytes at the highest point, by part.

    Attributes:
        process: Taken before the model is loaded: libraries, tokenizer, rows.
        weights: Of the base model that are not trained.
        trained: The adapter, or all weights.
        gradients: Of a step; twice where it has several parts, since those of finished parts are kept apart.
        moments: AdamW's two for each trained value.
        activations: Of the largest part of a step.
        head: The loss over the vocabulary.
        slack: What the allocator and the matrix library hold beside these.
    """

    process: int
    weights: int
    trained: int
    gradients: int
    moments: int
    activations: int
    head: int
    slack: int

    @property
    def peak(self) -> int:
        """All together."""
        return sum(asdict(self).values())

    @property
    def to_come(self) -> int:
        """What is not taken yet."""
        return self.peak - self.process


@dataclass(frozen=True)
class Subject:
    """What is planned.

    Attributes:
        config: Of the run, with what follows from the adapter that it starts from.
        sketch: Gives a new sketch of the model under other options, not adapted yet.
        documents: The rows as tokens.
        pairs: Of a preference method.
        held: Tokens of held-out rows that are computed at each measurement.
        process: Bytes that this process has taken.
    """

    config: TrainingConfig
    sketch: Callable[[TrainingConfig], Any]
    documents: Sequence[Document]
    pairs: Sequence[Pair] | None
    held: int
    process: int


@dataclass(frozen=True)
class Plan:
    """What a run would take.

    Attributes:
        path: ``fast`` or ``generic``: how the model would be computed.
        why: What keeps it off the fast path, or None.
        memory: Estimated.
        room: What there is.
        work: Steps, tokens, the largest part.
        flops: Operations of the whole run: steps, references, held-out rows.
        seconds: Estimated, or None without a pace.
        pace: How fast this machine is and how that is known.
        price: Of the machine, or None.
        checkpoint_bytes: Of one checkpoint.
        checkpoint_seconds: Between two of them, at first.
    """

    path: str
    why: str | None
    memory: Memory
    room: MemoryRoom
    work: Workload
    flops: int
    seconds: float | None
    pace: Pace | None
    price: MachinePrice | None
    checkpoint_bytes: int
    checkpoint_seconds: float

    @property
    def fits(self) -> bool:
        """Whether what is to come is free."""
        return self.memory.to_come <= self.room.available

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        cost = None if self.price is None or self.seconds is None else self.price.cost(self.seconds)
        return {
            "fits": self.fits,
            "path": self.path,
            "why_not_fast": self.why,
            "memory": {**asdict(self.memory), "peak": self.memory.peak},
            "room": asdict(self.room),
            "work": {
                "rows": self.work.rows,
                "steps": self.work.steps,
                "tokens": self.work.tokens,
                "tokens_computed": self.work.computed,
                "parts_per_step": self.work.parts,
                "largest_part_tokens": self.work.most,
                "steps_looked_at": self.work.seen,
                "flops": self.flops,
            },
            "time": {"seconds": self.seconds, "source": None if self.pace is None else self.pace.source},
            "cost": {
                "usd": None if cost is None else to_usd(cost),
                "price": None if self.price is None else self.price.as_dict(),
                "reason": NO_PRICE if self.price is None else None,
            },
            "checkpoint": {"bytes": self.checkpoint_bytes, "seconds_between": self.checkpoint_seconds},
        }


def plan_run(
    subject: Subject,
    room: MemoryRoom,
    *,
    pace: Callable[[str, Workload], Pace] | None = None,
    price: MachinePrice | None = None,
) -> Plan:
    """Estimate a run.

    Args:
        subject: What is planned.
        room: What memory there is.
        pace: How fast the machine is on a path, for such work; None leaves the time out.
        price: Of the machine.

    Raises:
        ConfigError: A target names no layer.
        RuntimeError: The model's family asks for values while it computes, so it cannot be rehearsed.
    """
    config = subject.config

    def adapted() -> Any:
        model = subject.sketch(config)
        adapt(model, config)
        return model

    model = adapted()
    why = "activations are recomputed" if config.gradient_checkpointing else why_not_fast(model)
    path = "fast" if why is None else "generic"
    share = not drops_at_random(model)
    work = survey(subject.documents, subject.pairs, config, share_prefixes=share)
    largest = rehearse_deep(adapted, work.largest, config, share_prefixes=share)
    frozen, trained = weight_bytes(model)
    flops, tokens = _whole_run(largest, work, subject)
    speed = None if pace is None else pace(path, work)
    seconds = None
    if speed is not None:
        seconds = speed.seconds(tokens=tokens, flops=flops, parts=work.parts * work.steps)
        seconds = seconds if config.max_seconds is None else min(seconds, config.max_seconds)
    size = 3 * trained
    every = None if config.save_seconds == "auto" else config.save_seconds
    return Plan(
        path=path,
        why=why,
        memory=_memory(largest, work, config, path, process=subject.process, frozen=frozen, trained=trained),
        room=room,
        work=work,
        flops=flops,
        seconds=seconds,
        pace=speed,
        price=price,
        checkpoint_bytes=size,
        checkpoint_seconds=Interval(every, between_failures=3600 * config.hours_between_failures, size=size).seconds,
    )


def _memory(
    largest: Footprint, work: Workload, config: TrainingConfig, path: str, *, process: int, frozen: int, trained: int
) -> Memory:
    # While the held-out rows are measured nothing waits for a backward pass, but a copy of the best weights is made.
    copy = trained if config.eval_dataset is not None and config.keep_best else 0
    activations = max(largest.activations, copy)
    return Memory(
        process=process,
        weights=frozen,
        trained=trained,
        gradients=largest.gradients * (2 if work.several else 1),
        moments=2 * trained,
        activations=activations,
        head=largest.head,
        slack=_SLACK_BYTES[path] + round(_SLACK_SHARE[path] * (activations + largest.head)),
    )


def _whole_run(largest: Footprint, work: Workload, subject: Subject) -> tuple[int, float]:
    """Operations of a run, and tokens at the price of a trained one."""
    config = subject.config
    per_token, forward = largest.flops / largest.tokens, largest.forward_flops / largest.tokens
    in_forward = 0.0
    if config.method == "dpo":  # the reference is asked for every row once
        in_forward += work.computed / max(1.0, work.steps * config.batch_size / work.rows)
    if subject.held:
        in_epoch = max(1.0, work.rows / config.batch_size)
        in_forward += subject.held * max(1.0, work.steps / (config.eval_steps or in_epoch))
    flops = work.computed * per_token + in_forward * forward
    return round(flops), flops / per_token


def remedies(subject: Subject, plan: Plan) -> list[tuple[str, TrainingConfig, Plan]]:
    """What would let a run that does not fit go on: options, estimated as well, that do fit.

    Returns:
        What to change, the configuration and its plan; what costs least first, and empty if nothing here helps.
    """
    config = subject.config
    longest = max(len(document.ids) for document in plan.work.largest)
    single: list[dict[str, Any]] = []
    halved = config.micro_batch_tokens // 2
    while halved >= max(128, longest):
        single.append({"micro_batch_tokens": halved})
        halved //= 2
    if not config.gradient_checkpointing:
        single.append({"gradient_checkpointing": True})
    if not config.use_lora:
        single.append({"use_lora": True})
    elif config.quantization is None:
        single.append({"quantization": "nf4"})
    smallest = {"micro_batch_tokens": max(128, min(longest, config.micro_batch_tokens))}
    together: dict[str, Any] = {"gradient_checkpointing": True, **smallest}
    tried = [*single, together, {**together, "use_lora": True, "quantization": "nf4"}]
    found: list[tuple[str, TrainingConfig, Plan]] = []
    for changes in tried:
        try:
            changed = config.model_copy(update=changes)
            other = plan_run(Subject(**{**vars(subject), "config": changed}), plan.room)
        except RuntimeError:
            continue
        if other.fits:
            found.append((", ".join(f"{name}={value}" for name, value in changes.items()), changed, other))
            if len(found) == 3:
                break
    return found
