"""Direct preference optimisation (Rafailov et al. 2023, https://arxiv.org/abs/2305.18290) and its relatives.

For a prompt with a chosen answer ``c`` and a rejected one ``r``, with log-probabilities summed over the answer's tokens
under the trained model (``log p``) and the frozen reference (``log q``)::

    margin = (log p(c) - log q(c)) - (log p(r) - log q(r))

======== =======================================================================================================
sigmoid  ``-log s(b m)``; with label smoothing e ``-(1 - e) log s(b m) - e log s(-b m)`` (cDPO, Mitchell 2023)
hinge    ``max(0, 1 - b m)`` (SLiC, https://arxiv.org/abs/2305.10425)
ipo      ``(m' - 1 / 2b)^2`` with m' over means instead of sums (https://arxiv.org/abs/2310.12036)
robust   ``(-(1 - e) log s(b m) + e log s(-b m)) / (1 - 2e)`` (https://arxiv.org/abs/2403.00409)
======== =======================================================================================================

with m the margin, b beta and s the logistic function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch.nn.functional import logsigmoid

from reactor_core.data.packing import Document, pack, split_evenly
from reactor_core.data.pairs import Pair
from reactor_core.training.llama import FastLlama
from reactor_core.training.meter import Meter, Totals, compute_parts
from reactor_core.training.step import batch_log_probs

__all__ = [
    "PairOutcome",
    "PreferenceLoss",
    "accumulate_pairs",
    "pair_batches",
    "pair_losses",
    "pair_metrics",
    "sequence_sums",
]

PreferenceLoss = Literal["sigmoid", "hinge", "ipo", "robust"]
"""Which function of the margin is minimised."""


@dataclass(frozen=True)
class PairOutcome:
    """What one step over pairs came to.

    Attributes:
        loss: Mean over the pairs.
        computed: Tokens that went through the model with gradients.
        metrics: Means over the pairs: ``rewards_chosen`` and ``rewards_rejected`` (beta times the log-ratio to the
            reference), their difference ``margin``, and ``accuracy``, the share of pairs with a positive one.
    """

    loss: float
    computed: int
    metrics: dict[str, float]


def pair_losses(
    chosen: torch.Tensor,
    rejected: torch.Tensor,
    lengths: torch.Tensor,
    *,
    kind: PreferenceLoss,
    beta: float,
    label_smoothing: float,
) -> torch.Tensor:
    """Losses of pairs, ``[P]``.

    Args:
        chosen: ``[P]`` log-ratios to the reference, summed over the better answer's tokens.
        rejected: ``[P]`` the same of the worse answer.
        lengths: ``[P, 2]`` numbers of those tokens.
        kind: The function.
        beta: b.
        label_smoothing: e, the share of pairs that are taken to be labelled the wrong way round.
    """
    if kind == "ipo":
        mean_margin = chosen / lengths[:, 0] - rejected / lengths[:, 1]
        return (mean_margin - 1 / (2 * beta)) ** 2
    scaled = beta * (chosen - rejected)
    if kind == "hinge":
        return torch.relu(1 - scaled)
    right, wrong = -logsigmoid(scaled), -logsigmoid(-scaled)
    if kind == "sigmoid":
        return (1 - label_smoothing) * right + label_smoothing * wrong
    return ((1 - label_smoothing) * right - label_smoothing * wrong) / (1 - 2 * label_smoothing)


def pair_batches(pairs: Sequence[Pair], *, max_tokens: int, share_prefixes: bool, among: int = 1) -> list[list[Pair]]:
    """Split the pairs of one step so that each part packs into at most ``max_tokens`` tokens.

    Pairs that begin alike meet in one part; a pair is never torn apart, so a long one makes a part of its own.
    ``among`` is as for :func:`~reactor_core.data.packing.split_evenly`.
    """
    ordered = sorted(pairs, key=lambda item: (item.chosen.ids, item.row))
    groups = [pair.documents for pair in ordered]
    parts = split_evenly(groups, max_tokens=max_tokens, share_prefixes=share_prefixes, among=among)
    return [[ordered[place] for place in part] for part in parts]


def sequence_sums(
    model: Any, pairs: Sequence[Pair], fast: FastLlama | None, *, share_prefixes: bool, device: torch.device | str
) -> tuple[torch.Tensor, int]:
    """Log-probabilities of the answers, ``[P, 2]``, and the number of tokens that were computed for them.

    Where beginnings are shared, a prompt is computed once for all its answers, and an answer once for all its pairs.
    """
    documents: list[Document] = []
    place: list[int] = []
    known: dict[tuple[tuple[int, ...], tuple[bool, ...]], int] = {}
    for document in (document for pair in pairs for document in pair.documents):
        number = known.setdefault((document.ids, document.trained), len(documents)) if share_prefixes else len(place)
        if number == len(documents):
            documents.append(document)
        place.append(number)
    batch = pack(documents, share_prefixes=share_prefixes).to(device)
    log_probs = batch_log_probs(model, batch, fast)
    sums = log_probs.new_zeros(len(documents)).index_add(0, batch.owner, log_probs)
    return sums[torch.tensor(place, device=sums.device)].view(-1, 2), len(batch.input_ids)


def accumulate_pairs(
    model: Any,
    pairs: Sequence[Pair],
    reference: torch.Tensor,
    *,
    kind: PreferenceLoss,
    beta: float,
    label_smoothing: float,
    max_tokens: int,
    share_prefixes: bool,
    fast: FastLlama | None = None,
    device: torch.device | str = "cpu",
    seed: int = 0,
    meter: Meter | None = None,
    among: int = 1,
) -> PairOutcome:
    """Add the gradient of the mean loss over the pairs of one step to the parameters.

    Args:
        model: In training mode.
        pairs: Of the step.
        reference: ``[P, 2]`` log-probabilities of their answers under the reference, in the order of ``pairs``.
        kind: See :func:`pair_losses`, as for ``beta`` and ``label_smoothing``.
        max_tokens: Packed tokens in one forward pass.
        share_prefixes: See :func:`~reactor_core.data.packing.pack`.
        fast: The model's fast form, if it has one.
        device: Where the model is.
        seed: Of dropout; each part continues from it.
        meter: Goes along with the parts; None computes all of them.
        among: Processes that take the parts in turns.
    """
    place = {id(pair): number for number, pair in enumerate(pairs)}
    parts = pair_batches(pairs, max_tokens=max_tokens, share_prefixes=share_prefixes, among=among)

    def compute(number: int, totals: Totals) -> tuple[torch.Tensor, int]:
        part = parts[number]
        if not share_prefixes:
            torch.manual_seed((seed + number) % 2**63)
        places = torch.tensor([place[id(pair)] for pair in part])
        sums, tokens = sequence_sums(model, part, fast, share_prefixes=share_prefixes, device=device)
        log_ratios = sums - reference[places].to(sums.device)
        lengths = torch.tensor([[document.num_trained for document in pair.documents] for pair in part])
        losses = pair_losses(
            log_ratios[:, 0],
            log_ratios[:, 1],
            lengths.to(sums.device),
            kind=kind,
            beta=beta,
            label_smoothing=label_smoothing,
        )
        totals.kept["log_ratios"][places] = log_ratios.detach().cpu()
        return losses.sum() / len(pairs), tokens

    totals = Totals(kept={"log_ratios": torch.zeros(len(pairs), 2)})
    compute_parts(
        len(parts), compute, rows=lambda: ([pair.row for pair in part] for part in parts), totals=totals, meter=meter
    )
    return PairOutcome(totals.loss, totals.computed, pair_metrics(totals.kept["log_ratios"], beta=beta))


def pair_metrics(ratios: torch.Tensor, *, beta: float) -> dict[str, float]:
    """The metrics of :class:`PairOutcome`.

    Args:
        ratios: ``[P, 2]`` log-ratios to the reference of the better and the worse answers.
        beta: As for :func:`pair_losses`.
    """
    chosen, rejected = beta * ratios[:, 0], beta * ratios[:, 1]
    return {
        "rewards_chosen": float(chosen.mean()),
        "rewards_rejected": float(rejected.mean()),
        "margin": float((chosen - rejected).mean()),
        "accuracy": float((chosen > rejected).float().mean()),
    }
