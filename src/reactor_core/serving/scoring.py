"""How likely an engine's model finds the answers of rows: what perplexity and preferences are measured from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from reactor_core.data.packing import Document, micro_batches, pack
from reactor_core.data.records import Row
from reactor_core.errors import ConfigError
from reactor_core.eval.perplexity import RowScorer
from reactor_core.eval.statistics import Floats
from reactor_core.serving.engine import Engine
from reactor_core.training.losses import head_is_plain
from reactor_core.training.step import batch_log_probs, predicting_states
from reactor_core.utils.console import Advance

__all__ = ["document_logprobs", "greedy_documents", "row_logprobs", "row_scorer"]

_MAX_TOKENS = 2048
"""Packed tokens in one forward pass."""

_HEAD_ROWS = 256
"""Positions that go through the head at once."""

_CHUNK = 32
"""Rows scored between two looks at the progress bar."""


def row_logprobs(engine: Engine, rows: Sequence[Row]) -> tuple[Floats, Floats]:
    """Score rows in the engine's chat format, whole: nothing is cut.

    Args:
        engine: The model.
        rows: Of a row with a preference only the chosen answer is scored.

    Returns:
        Log-probability of each row's answer in nats, its stop token included, shape [N], and its number of tokens.

    Raises:
        ConfigError: A row is longer than the model's window.
        NothingToTrain: A row has no answer.
    """
    documents = [engine.chat.encode(row, index) for index, row in enumerate(rows)]
    window = getattr(engine.model.config, "max_position_embeddings", None)
    for row, document in zip(rows, documents, strict=True):
        if window is not None and len(document.ids) > window:
            raise ConfigError(
                f"line {row.line} has {len(document.ids)} tokens, and the model's window {window}",
                remedy="remove the row, or divide it",
            )
    tokens = np.array([float(document.num_trained) for document in documents])
    return document_logprobs(engine, documents), tokens


def row_scorer(engine: Engine, *, total: int = 0, advance: Advance | None = None) -> RowScorer:
    """:func:`row_logprobs` as a scorer that tells how far it is.

    Args:
        engine: The model.
        total: Rows of all calls together, a preference counting two.
        advance: Told after every few rows; None for nobody.
    """
    done = 0

    def score(rows: Sequence[Row]) -> tuple[Floats, Floats]:
        nonlocal done
        parts = []
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            parts.append(row_logprobs(engine, part))
            done += len(part)
            if advance is not None:
                advance(f"{done} of {total} answers", done / max(total, done))
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    return score


def document_logprobs(engine: Engine, documents: Sequence[Document]) -> Floats:
    """Sums of the log-probabilities of the documents' trained tokens, in nats, shape [N].

    They are packed without padding, and what begins alike is computed once.
    """
    result = np.zeros(len(documents))
    place = {id(document): number for number, document in enumerate(documents)}
    with torch.no_grad():
        for part in micro_batches(documents, max_tokens=_MAX_TOKENS):
            batch = pack(part).to(engine.model.device)
            scores = batch_log_probs(engine.model, batch, engine.fast).double().cpu().numpy()
            places = np.array([place[id(document)] for document in part])
            np.add.at(result, places[batch.owner.cpu().numpy()], scores)
    return result


def greedy_documents(engine: Engine, documents: Sequence[Document]) -> NDArray[np.bool_]:
    """Whether each trained token of a document is the model's likeliest one, shape [N].

    Raises:
        ConfigError: The model changes its logits after the head, which is not looked at here.
    """
    if not head_is_plain(engine.model):
        raise ConfigError(
            f"{type(engine.model).__name__} changes its logits after the head", remedy="use a model with a plain head"
        )
    result = np.ones(len(documents), dtype=np.bool_)
    place = {id(document): number for number, document in enumerate(documents)}
    head = engine.model.get_output_embeddings()
    with torch.no_grad():
        for part in micro_batches(documents, max_tokens=_MAX_TOKENS):
            batch = pack(part).to(engine.model.device)
            states = predicting_states(engine.model, batch, engine.fast)
            likeliest = torch.cat([head(chunk).argmax(dim=-1) for chunk in torch.split(states, _HEAD_ROWS)])
            places = np.array([place[id(document)] for document in part])
            wrong = batch.owner[likeliest != batch.targets].cpu().numpy()
            result[places[wrong]] = False
    return result
