"""What a step minimises: one class per method, with the same face towards the loop."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from reactor_core.data.chat import ChatFormat
from reactor_core.data.fit import require_fit
from reactor_core.data.loader import num_steps, rows_of_step
from reactor_core.data.packing import Document, micro_batches, pack
from reactor_core.data.pairs import Pair, encode_pair, prompt_groups
from reactor_core.data.records import Dataset
from reactor_core.data.tokens import PairTable, TokenTable, stored_tokens
from reactor_core.errors import DatasetError
from reactor_core.training.config import TrainingConfig
from reactor_core.training.distributed.turns import turns_of
from reactor_core.training.distributed.world import World
from reactor_core.training.llama import FastLlama
from reactor_core.training.lora import adapter_off
from reactor_core.training.meter import Meter
from reactor_core.training.preference import (
    accumulate_pairs,
    pair_batches,
    pair_losses,
    pair_metrics,
    sequence_sums,
)
from reactor_core.training.step import accumulate, batch_loss
from reactor_core.utils.canonical import content_hash

__all__ = ["Objective", "Outcome", "Preference", "Supervised", "encode_rows", "evaluating", "make_objective"]


@dataclass(frozen=True)
class Outcome:
    """One step.

    Attributes:
        loss: What was minimised.
        tokens: Of the step's rows, shared beginnings counted for every row.
        computed: That went through the model for the gradient.
        metrics: Further means over the step.
    """

    loss: float
    tokens: int
    computed: int
    metrics: dict[str, float] = field(default_factory=dict)


class Objective(Protocol):
    """Adds the gradient of a step to the parameters."""

    fast: FastLlama | None
    documents: Sequence[Document]
    groups: tuple[int, ...] | None
    """For :func:`~reactor_core.data.loader.row_order`."""

    def accumulate(self, rows: Sequence[int], *, seed: int, meter: Meter | None = None) -> Outcome:
        """Run the step over these rows of the dataset, with a meter that goes along with its parts, or without."""
        ...

    def measure(self) -> Outcome:
        """The loss over all rows as the model stands: no gradient, nothing dropped."""
        ...

    def beside(self) -> dict[str, torch.Tensor]:
        """What a run that goes on would have to compute again, for its checkpoints; on the CPU."""
        ...


def encode_rows(
    dataset: Dataset, chat: ChatFormat, config: TrainingConfig, *, model: Any, folder: Path, tokenizer: str
) -> tuple[TokenTable, PairTable | None]:
    """The dataset as tokens: documents, and for a preference method also which two belong together.

    Args:
        dataset: The rows.
        chat: How they are written for the model.
        config: ``method``, ``max_length`` and ``max_truncated`` of it; the dataset is already without the rows that
            ``near_duplicates`` leaves out.
        model: Whose vocabulary and positions they must fit.
        folder: Where tokens are kept for the next run that wants the same.
        tokenizer: Hash of the tokenizer (:func:`~reactor_core.training.card.tokenizer_hash`).

    Raises:
        DatasetError: A row does not fit the method or the model, or more answers lose their end than
            ``config.max_truncated``.
        NothingToTrain: A row carries no loss.
    """
    made_from = {
        "dataset": dataset.sha256,
        "tokenizer": tokenizer,
        "template": content_hash(chat.as_file()),
        "method": config.method,
        "max_length": config.max_length,
        "rows": len(dataset.rows),  # fewer than the file has where near-duplicates were left out
        "versions": {name: version(name) for name in ("tokenizers", "transformers")},
    }
    table = stored_tokens(
        folder, made_from, lambda: _encode(dataset, chat, config), per_row=1 if config.method == "sft" else 2
    )
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    require_fit(table, dataset, vocabulary=len(model.get_input_embeddings().weight), positions=positions)
    _check_truncation(table, dataset, config)
    return table, None if config.method == "sft" else PairTable(table)


def _encode(dataset: Dataset, chat: ChatFormat, config: TrainingConfig) -> Iterator[Document]:
    for index, row in enumerate(dataset.rows):
        if (row.rejected is None) == (config.method == "dpo"):
            what = "holds a preference" if row.rejected is not None else "holds no chosen and rejected answer"
            raise DatasetError(
                f"{what}, and method={config.method!r}",
                path=dataset.path,
                line=row.line,
                remedy="train preferences with method='dpo', and everything else with method='sft'",
            )
        if row.rejected is None:
            yield chat.encode(row, index, max_length=config.max_length)
        else:
            yield from encode_pair(chat, row, index, max_length=config.max_length).documents


def _check_truncation(table: TokenTable, dataset: Dataset, config: TrainingConfig) -> None:
    """An answer without its end has no stop token either: a model that learns many of those, learns not to stop."""
    cut = int(np.count_nonzero(table.cut))
    if cut <= config.max_truncated * len(table):
        return
    longest = table[int(np.argmax(table.cut))]
    raise DatasetError(
        f"{cut} of {len(table)} answers lose their end to max_length={config.max_length}, "
        f"this one {longest.cut} tokens; max_truncated={config.max_truncated:g} allows "
        f"{math.floor(config.max_truncated * len(table))}",
        path=dataset.path,
        line=dataset.rows[longest.row].line,
        remedy=f"set max_length={config.max_length + longest.cut} or more, shorten the rows, or raise max_truncated",
    )


def make_objective(
    model: Any,
    documents: Sequence[Document],
    pairs: Sequence[Pair] | None,
    config: TrainingConfig,
    *,
    share_prefixes: bool,
    device: torch.device,
    reference: torch.Tensor | None = None,
    world: World | None = None,
) -> Objective:
    """The method's objective. Call it while the model has its base's weights.

    Args:
        model: With its additions.
        documents: The rows.
        pairs: Which two belong together; None for supervised training.
        config: Of the run.
        share_prefixes: Whether equal beginnings are computed once.
        device: Where the model is.
        reference: What :meth:`Objective.beside` gave under this name when the run was saved; None asks again.
        world: The processes that measure, and ask the reference, together; each of them does a part. None is alone.
    """
    if pairs is None:
        return Supervised(model, documents, config, share_prefixes=share_prefixes, device=device, world=world)
    return Preference(
        model, documents, pairs, config, share_prefixes=share_prefixes, device=device, reference=reference, world=world
    )


class Supervised:
    """Mean cross-entropy over the completion tokens of a step."""

    def __init__(
        self,
        model: Any,
        documents: Sequence[Document],
        config: TrainingConfig,
        *,
        share_prefixes: bool,
        device: torch.device,
        world: World | None = None,
    ) -> None:
        self.fast: FastLlama | None = None
        self.documents = documents
        self.groups: tuple[int, ...] | None = None
        self._model, self._config, self._share, self._device = model, config, share_prefixes, device
        self._world = world or World()

    def accumulate(self, rows: Sequence[int], *, seed: int, meter: Meter | None = None) -> Outcome:
        """See :func:`~reactor_core.training.step.accumulate`."""
        documents = [self.documents[row] for row in rows]
        loss, _, computed = accumulate(
            self._model,
            documents,
            max_tokens=self._config.micro_batch_tokens,
            share_prefixes=self._share,
            fast=self.fast,
            device=self._device,
            seed=seed,
            meter=meter,
            among=self._world.size,
        )
        return Outcome(loss, sum(len(document.ids) for document in documents), computed)

    def measure(self) -> Outcome:
        """See :meth:`Objective.measure`; the mean is over the completion tokens."""
        world, limit = self._world, self._config.micro_batch_tokens
        parts = micro_batches(self.documents, max_tokens=limit, share_prefixes=True, among=world.size)
        total, computed = 0.0, 0
        with torch.no_grad(), evaluating(self._model):
            for turn in turns_of(len(parts), rank=world.rank, size=world.size):
                batch = pack(parts[turn.number]).to(self._device)
                loss = batch_loss(self._model, batch, self.fast)
                if turn.counts:
                    total += float(loss)
                    computed += len(batch.input_ids)
        total, all_computed, *_ = world.sums((total, computed))
        tokens = sum(len(document.ids) for document in self.documents)
        return Outcome(total / sum(document.num_trained for document in self.documents), tokens, int(all_computed))

    def beside(self) -> dict[str, torch.Tensor]:
        """See :meth:`Objective.beside`: nothing."""
        return {}


class Preference:
    """Direct preference optimisation; the reference is the model as it was before training.

    With an adapter that is the model with the adapter switched off, asked once for each row when the row first comes.
    Without one, or where training goes on from an adapter, it is asked for all rows at the start, as the model then is.
    """

    def __init__(
        self,
        model: Any,
        documents: Sequence[Document],
        pairs: Sequence[Pair],
        config: TrainingConfig,
        *,
        share_prefixes: bool,
        device: torch.device,
        reference: torch.Tensor | None = None,
        world: World | None = None,
    ) -> None:
        self.fast: FastLlama | None = None
        self.documents = documents
        self.groups = prompt_groups(pairs) if config.group_pairs else None
        self._pairs = pairs
        self._model, self._config, self._share, self._device = model, config, share_prefixes, device
        self._world = world or World()
        self._reference = torch.full((len(pairs), 2), float("nan"))
        self._first_steps: dict[int, int] = {}
        if reference is not None and reference.shape == self._reference.shape:
            self._reference = reference
        if not config.use_lora or config.adapter is not None:
            self._ask_reference(row for row in range(len(pairs)) if self._reference[row].isnan().any())

    def accumulate(self, rows: Sequence[int], *, seed: int, meter: Meter | None = None) -> Outcome:
        """See :func:`~reactor_core.training.preference.accumulate_pairs`."""
        config = self._config
        self._ask_with_company(rows)
        pairs = [self._pairs[row] for row in rows]
        outcome = accumulate_pairs(
            self._model,
            pairs,
            self._reference[list(rows)],
            kind=config.dpo_loss,
            beta=config.dpo_beta,
            label_smoothing=config.dpo_label_smoothing,
            max_tokens=config.micro_batch_tokens,
            share_prefixes=self._share,
            fast=self.fast,
            device=self._device,
            seed=seed,
            meter=meter,
            among=self._world.size,
        )
        tokens = sum(len(document.ids) for pair in pairs for document in pair.documents)
        return Outcome(outcome.loss, tokens, outcome.computed, outcome.metrics)

    def measure(self) -> Outcome:
        """See :meth:`Objective.measure`; the mean is over the pairs."""
        config = self._config
        self._ask_reference(row for row in range(len(self._pairs)) if self._reference[row].isnan().any())
        with torch.no_grad(), evaluating(self._model):
            sums, computed = self._sums(list(self._pairs))
        ratios = sums - self._reference
        lengths = torch.tensor([[document.num_trained for document in pair.documents] for pair in self._pairs])
        losses = pair_losses(
            ratios[:, 0],
            ratios[:, 1],
            lengths,
            kind=config.dpo_loss,
            beta=config.dpo_beta,
            label_smoothing=config.dpo_label_smoothing,
        )
        tokens = sum(len(document.ids) for document in self.documents)
        return Outcome(float(losses.mean()), tokens, computed, pair_metrics(ratios, beta=config.dpo_beta))

    def beside(self) -> dict[str, torch.Tensor]:
        """See :meth:`Objective.beside`: the reference's answers that are known, NaN where it was not asked."""
        return {"reference": self._reference}

    def _ask_with_company(self, rows: Sequence[int]) -> None:
        """Ask for the rows that were not asked yet, each with those of its step in the first epoch.

        Sums are rounded differently in other company. A run that goes on in a later epoch has to ask again, and gets
        the same bits only if nobody's company depends on what was asked before.
        """
        config, asked = self._config, set()
        order: dict[str, Any] = {
            "batch_size": config.batch_size,
            "seed": config.seed,
            "shuffle": config.shuffle,
            "groups": self.groups,
        }
        if not self._first_steps:
            for step in range(num_steps(len(self._pairs), config.batch_size)):
                self._first_steps |= dict.fromkeys(rows_of_step(step, len(self._pairs), **order), step)
        for row in rows:
            if self._reference[row].isnan().any() and (step := self._first_steps[row]) not in asked:
                asked.add(step)
                self._ask_reference(rows_of_step(step, len(self._pairs), **order))

    def _ask_reference(self, rows: Iterable[int]) -> None:
        pairs = [self._pairs[row] for row in rows]
        with torch.no_grad(), evaluating(self._model), self._as_before():
            self._reference[[pair.row for pair in pairs]], _ = self._sums(pairs)

    def _as_before(self) -> AbstractContextManager[None]:
        return adapter_off(self._model) if self._config.adapter is None else nullcontext()

    def _sums(self, pairs: Sequence[Pair]) -> tuple[torch.Tensor, int]:
        """Log-probabilities of answers, ``[P, 2]`` in the order of ``pairs``, and the tokens computed for them.

        Nothing is dropped in evaluation, so equal beginnings may be shared whatever the training does.
        """
        place = {id(pair): number for number, pair in enumerate(pairs)}
        world, limit = self._world, self._config.micro_batch_tokens
        parts = pair_batches(pairs, max_tokens=limit, share_prefixes=True, among=world.size)
        found, computed = torch.zeros(len(pairs), 2), 0
        for turn in turns_of(len(parts), rank=world.rank, size=world.size):
            part = parts[turn.number]
            sums, tokens = sequence_sums(self._model, part, self.fast, share_prefixes=True, device=self._device)
            if turn.counts:
                found[[place[id(pair)] for pair in part]] = sums.cpu()
                computed += tokens
        world.add_up([found])
        all_computed, *_ = world.sums((computed,))
        return found, int(all_computed)


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Inside the block nothing is dropped at random."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
