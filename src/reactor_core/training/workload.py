"""How much a run computes: its steps, their parts, and the largest of these."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from reactor_core.data.loader import num_steps, rows_of_step
from reactor_core.data.packing import Document, micro_batches, pack
from reactor_core.data.pairs import Pair, prompt_groups
from reactor_core.data.tokens import TokenTable
from reactor_core.training.config import TrainingConfig
from reactor_core.training.course import Course
from reactor_core.training.preference import pair_batches

__all__ = ["Workload", "survey"]

_SEEN = 48
"""Steps that are cut into parts to see how large these are; more of them than that are taken evenly from the run."""


@dataclass(frozen=True)
class Workload:
    """What a run has to do.

    Attributes:
        rows: In the dataset.
        steps: Optimizer steps.
        tokens: Of all rows over all epochs, shared beginnings counted for every row.
        computed: Tokens that go through the model for them, as the steps that were looked at suggest.
        largest: Documents of the largest part.
        most: Tokens that are computed for it.
        parts: Of a step, on the average.
        several: Whether any step has more than one part.
        seen: Steps that were looked at.
    """

    rows: int
    steps: int
    tokens: int
    computed: int
    largest: tuple[Document, ...]
    most: int
    parts: float
    several: bool
    seen: int


def survey(
    documents: Sequence[Document], pairs: Sequence[Pair] | None, config: TrainingConfig, *, share_prefixes: bool
) -> Workload:
    """Cut some steps of a run into parts, as training would.

    The step with the longest row is among them.

    Args:
        documents: All of them, two a row where there are pairs.
        pairs: Of a preference method.
        config: Of the run.
        share_prefixes: See :func:`~reactor_core.data.packing.pack`.
    """
    lengths = documents.lengths if isinstance(documents, TokenTable) else np.array([len(one.ids) for one in documents])
    rows = len(documents) if pairs is None else len(pairs)
    per_row = lengths.reshape(rows, -1).sum(axis=1)
    steps, in_epoch = Course.of(config, rows).total_steps, num_steps(rows, config.batch_size)
    groups = prompt_groups(pairs) if pairs is not None and config.group_pairs else None
    of_step = {
        step: rows_of_step(
            step, rows, batch_size=config.batch_size, seed=config.seed, shuffle=config.shuffle, groups=groups
        )
        for step in range(min(steps, in_epoch))
    }
    chosen = set(np.linspace(0, len(of_step) - 1, min(_SEEN, len(of_step))).round().astype(int).tolist())
    longest = int(per_row.argmax())
    chosen |= {step for step, members in of_step.items() if longest in members}
    largest: tuple[Document, ...] = ()
    most = computed = looked_at = parts_seen = 0
    several = False
    for step in sorted(chosen):
        members = of_step[step]
        parts = list(_parts(documents, pairs, members, config, share_prefixes))
        parts_seen, several = parts_seen + len(parts), several or len(parts) > 1
        looked_at += int(per_row[list(members)].sum())
        for part in parts:
            count = len(pack(part, share_prefixes=share_prefixes).input_ids)
            computed += count
            if count > most:
                most, largest = count, tuple(part)
    tokens = int(per_row.sum()) * steps / in_epoch
    return Workload(
        rows=rows,
        steps=steps,
        tokens=round(tokens),
        computed=math.ceil(tokens * computed / looked_at),
        largest=largest,
        most=most,
        parts=parts_seen / len(chosen),
        several=several,
        seen=len(chosen),
    )


def _parts(
    documents: Sequence[Document],
    pairs: Sequence[Pair] | None,
    rows: Iterable[int],
    config: TrainingConfig,
    share_prefixes: bool,
) -> Iterable[list[Document]]:
    limit = config.micro_batch_tokens
    if pairs is None:
        yield from micro_batches([documents[row] for row in rows], max_tokens=limit, share_prefixes=share_prefixes)
        return
    for part in pair_batches([pairs[row] for row in rows], max_tokens=limit, share_prefixes=share_prefixes):
        found = [document for pair in part for document in pair.documents]
        yield list({(one.ids, one.trained): one for one in found}.values()) if share_prefixes else found
