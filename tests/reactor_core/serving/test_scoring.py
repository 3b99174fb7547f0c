from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reactor_core.data.packing import Document
from reactor_core.data.records import Row, parse_row
from reactor_core.errors import ConfigError
from reactor_core.serving.engine import Engine, load_engine
from reactor_core.serving.scoring import document_logprobs, greedy_documents, row_logprobs, row_scorer
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]

ROWS = [
    parse_row({"prompt": [{"role": "user", "content": "ls"}], "completion": "allow"}, 1),
    parse_row({"prompt": [{"role": "user", "content": "ls"}], "completion": "block it"}, 2),
    parse_row({"prompt": "one two", "completion": " three"}, 3),
    parse_row({"text": "four five six"}, 4),
]


@pytest.fixture(params=["llama", "qwen2", "gpt2"])
def engine(request: pytest.FixtureRequest, model_folder: MakeModel, settings: Settings) -> Engine:
    return load_engine(str(model_folder(request.param)), chat_template="bare", settings=settings)


@cache
def reference(folder: Path) -> Any:
    """The same weights with transformers' eager attention."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")


def alone(engine: Engine, document: Document) -> torch.Tensor:
    """Log-probabilities at the positions before the trained tokens ``[K, V]``, one row by itself."""
    model = reference(engine.entry.path)
    with torch.no_grad():
        logits = model(torch.tensor([document.ids])).logits[0].log_softmax(-1)
    places = [place - 1 for place, flag in enumerate(document.trained) if flag and place]
    return logits[places]


def targets(document: Document) -> list[int]:
    return [token for token, flag in list(zip(document.ids, document.trained, strict=True))[1:] if flag]


def test_answers_are_scored_with_their_stop_token_as_one_row_at_a_time_would_be(engine: Engine) -> None:
    logprobs, tokens = row_logprobs(engine, ROWS)
    for number, row in enumerate(ROWS):
        document = engine.chat.encode(row, number)
        wanted = targets(document)
        assert tokens[number] == len(wanted)
        expected = float(alone(engine, document)[range(len(wanted)), wanted].sum())
        assert logprobs[number] == pytest.approx(expected, abs=1e-4)
    assert tokens[0] == len("allow") + 1


def test_scores_do_not_depend_on_what_else_is_scored(engine: Engine) -> None:
    rows = [parse_row({"prompt": "x" * n, "completion": "y" * (n % 7 + 1)}, n) for n in range(1, 70)]
    together = row_scorer(engine)(rows)
    apart = [row_logprobs(engine, [row]) for row in rows]
    assert np.allclose(together[0], np.concatenate([one[0] for one in apart]), atol=1e-4)


def test_greedy_documents_are_those_that_the_model_would_write(engine: Engine) -> None:
    head: list[int] = engine.tokenizer("hello")["input_ids"]
    written = list(head)
    for _ in range(4):
        document = Document((*written, 0), (False,) * len(written) + (True,), 0)
        written.append(int(alone(engine, document)[0].argmax()))
    flags = (False,) * len(head) + (True,) * 4
    wrong = [*written[:-1], (written[-1] + 1) % 256]
    documents = [Document(tuple(ids), flags, 0) for ids in (written, wrong)]
    assert greedy_documents(engine, documents).tolist() == [True, False]
    assert document_logprobs(engine, documents)[0] > document_logprobs(engine, documents)[1]


def test_progress_is_told(model_folder: MakeModel, settings: Settings) -> None:
    told: list[Any] = []
    engine = load_engine(str(model_folder("llama")), settings=settings)
    rows: list[Row] = [ROWS[0]] * 40
    row_scorer(engine, total=40, advance=lambda text, share: told.append((text, share)))(rows)
    assert told == [("32 of 40 answers", 0.8), ("40 of 40 answers", 1.0)]


def test_a_row_beyond_the_window_is_refused_and_not_cut(model_folder: MakeModel, settings: Settings) -> None:
    engine = load_engine(str(model_folder("llama")), settings=settings)
    with pytest.raises(ConfigError, match=r"line 7 has 3\d\d tokens, and the model's window 256"):
        row_logprobs(engine, [parse_row({"text": "x" * 300}, 7)])
