"""Most of these run without lm-eval; those that let it ask need it, in a virtual environment of its own: it wants an
older python-dateutil than the pinned one."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.errors import ConfigError, MissingExtra
from reactor_core.serving.engine import Engine, load_engine
from reactor_core.serving.harness import HarnessModel, rolling_windows, run_tasks
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]

HERE = importlib.util.find_spec("lm_eval") is not None
needs_harness = pytest.mark.skipif(not HERE, reason="lm-eval is not installed: pip install 'reactor-core[eval]'")


@pytest.fixture
def engine(model_folder: MakeModel, settings: Settings) -> Engine:
    return load_engine(str(model_folder("llama")), chat_template="bare", settings=settings)


@pytest.fixture
def harness(engine: Engine) -> HarnessModel:
    return HarnessModel(engine)


def logprobs_after(engine: Engine, ids: list[int]) -> torch.Tensor:
    """After each token, ``[T, V]``."""
    with torch.no_grad():
        logits: torch.Tensor = engine.model(torch.tensor([ids])).logits[0]
    return logits.log_softmax(-1)


def test_a_continuation_is_scored_after_its_context(harness: HarnessModel, engine: Engine) -> None:
    ((logprob, own),) = harness.likelihoods([("one two", " three")])
    ids = engine.tokenizer("one two three")["input_ids"]
    after = logprobs_after(engine, ids)
    expected = sum(float(after[place - 1, ids[place]]) for place in range(7, 13))
    assert logprob == pytest.approx(expected, abs=1e-4)
    assert own is False


def test_spaces_before_a_word_belong_to_it(harness: HarnessModel) -> None:
    one, other = harness.likelihoods([("one two ", "three"), ("one two", " three")])
    assert one == pytest.approx(other)


def test_an_empty_context_is_the_beginning_of_a_text(harness: HarnessModel, engine: Engine) -> None:
    ((logprob, _),) = harness.likelihoods([("", "ab")])
    ids = [harness.prefix, *engine.tokenizer("ab")["input_ids"]]
    after = logprobs_after(engine, ids)
    assert logprob == pytest.approx(float(after[0, ids[1]] + after[1, ids[2]]), abs=1e-4)
    assert harness.text_likelihoods(["ab"]) == pytest.approx([logprob], abs=1e-4)


def test_what_the_model_writes_by_itself_is_said_to_be_its_own(harness: HarnessModel) -> None:
    contexts = ["one two", "abc", "hello", "x", "1 2 3", "the"]
    answers = harness.continuations([(context, {"max_gen_toks": 2}) for context in contexts])
    # A random model also writes bytes that are no text; what is read back from those is another answer.
    context, written = next(pair for pair in zip(contexts, answers, strict=True) if pair[1].isascii() and pair[1])
    own, other = harness.likelihoods([(context, written), (context, "zzz")])
    assert own[1] is True
    assert other[1] is False
    assert own[0] > other[0]


def test_writing_ends_before_a_stop_text(harness: HarnessModel) -> None:
    (whole,) = harness.continuations([("one two", {"max_gen_toks": 12})])
    stop = whole[3]
    (cut,) = harness.continuations([("one two", {"max_gen_toks": 12, "until": [stop, ""], "do_sample": False})])
    assert cut == whole[: whole.index(stop)]


def test_long_contexts_are_cut_at_their_beginning(harness: HarnessModel, engine: Engine) -> None:
    long = "x" * 400
    assert harness.continuations([(long, {"max_gen_toks": 5})]) == harness.continuations(
        [("x" * 251, {"max_gen_toks": 5})]
    )
    ((logprob, _),) = harness.likelihoods([(long, "yz")])
    ((short, _),) = harness.likelihoods([("x" * 255, "yz")])
    assert logprob == pytest.approx(short, abs=1e-4)


def test_a_text_longer_than_the_window_is_scored_in_pieces(harness: HarnessModel, engine: Engine) -> None:
    text = "abcdefghij" * 30
    ids = engine.tokenizer(text)["input_ids"]
    first = logprobs_after(engine, [harness.prefix, *ids[:255]])
    expected = sum(float(first[place, ids[place]]) for place in range(256))
    rest = logprobs_after(engine, ids[299 - 256 : 299])
    expected += sum(float(rest[place - 44, ids[place]]) for place in range(256, 300))
    assert harness.text_likelihoods([text, "", text]) == pytest.approx([expected, 0.0, expected], rel=1e-4)


@given(st.integers(0, 40), st.integers(1, 12))
def test_windows_predict_every_token_once_with_context_before_it(length: int, window: int) -> None:
    ids = list(range(length))
    pieces = list(rolling_windows(ids, prefix=-1, window=window))
    assert [token for _, targets in pieces for token in targets] == ids
    whole = [-1, *ids]
    for context, targets in pieces:
        start = whole.index(targets[0])
        assert context
        assert len(context) + len(targets) - 1 <= window
        assert context == whole[start - len(context) : start]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"beams": 3}, "beams"), ({"max_gen_toks": 256}, "leaves no room")],
)
def test_options_that_cannot_be_followed_are_refused(
    options: dict[str, Any], message: str, harness: HarnessModel
) -> None:
    with pytest.raises(ConfigError, match=message):
        harness.continuations([("a", options)])


def test_a_continuation_without_tokens_is_refused(harness: HarnessModel) -> None:
    with pytest.raises(ConfigError, match="0 tokens"):
        harness.likelihoods([("a", "")])


def test_conversations_are_written_in_the_engines_template(harness: HarnessModel) -> None:
    turns = [{"role": "user", "content": "hi"}]
    assert harness.chat_text(turns, prompt=True) == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.skipif(HERE, reason="lm-eval is installed")
def test_without_the_harness_the_error_says_what_to_install(engine: Engine) -> None:
    with pytest.raises(MissingExtra, match=r"reactor-core\[eval\]"):
        run_tasks(engine, ["arc_easy"])


@pytest.fixture
def tasks(tmp_path: Path) -> dict[str, Any]:
    """A multiple-choice, a perplexity and a generation task over rows of our own."""
    rows = [{"question": f"{n} plus one is", "choices": [str(n), str(n + 1)], "gold": 1} for n in range(6)]
    data = tmp_path / "rows.json"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    common = {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(data)}}, "test_split": "test"}
    return {
        "choice": {
            **common, "task": "choice", "output_type": "multiple_choice", "doc_to_text": "{{question}}",
            "doc_to_choice": "{{choices}}", "doc_to_target": "{{gold}}",
            "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
        },
        "text": {
            **common, "task": "text", "output_type": "loglikelihood_rolling", "doc_to_text": "",
            "doc_to_target": "{{question}}", "metric_list": [{"metric": "bits_per_byte"}],
        },
        "writing": {
            **common, "task": "writing", "output_type": "generate_until", "doc_to_text": "{{question}}",
            "doc_to_target": "{{choices[gold]}}", "generation_kwargs": {"max_gen_toks": 6, "until": ["\n"]},
            "metric_list": [{"metric": "exact_match"}],
        },
    }  # fmt: skip


@pytest.mark.peer
@needs_harness
@pytest.mark.filterwarnings("ignore")  # of the harness and what it imports
def test_figures_are_those_of_the_harness_with_its_own_adapter(engine: Engine, tasks: dict[str, Any]) -> None:
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM

    ours = run_tasks(engine, list(tasks.values()), bootstrap_iters=0)
    from transformers import AutoModelForCausalLM

    plain = AutoModelForCausalLM.from_pretrained(engine.entry.path, attn_implementation="eager")
    peer = HFLM(pretrained=plain, tokenizer=engine.tokenizer, batch_size=1)
    theirs = simple_evaluate(model=peer, tasks=list(tasks.values()), bootstrap_iters=0)["results"]
    for task, metric in [("choice", "acc,none"), ("choice", "acc_norm,none"), ("text", "bits_per_byte,none")]:
        assert ours[task][metric] == pytest.approx(theirs[task][metric], rel=1e-4), task
    assert ours["writing"]["exact_match,none"] == theirs["writing"]["exact_match,none"]


@pytest.mark.peer
@needs_harness
@pytest.mark.filterwarnings("ignore")
def test_answers_to_single_requests_are_those_of_the_harness_with_its_own_adapter(
    engine: Engine, harness: HarnessModel
) -> None:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM
    from transformers import AutoModelForCausalLM

    plain = AutoModelForCausalLM.from_pretrained(engine.entry.path, attn_implementation="eager")
    peer = HFLM(pretrained=plain, tokenizer=engine.tokenizer, batch_size=1)

    def asked(kind: str, requests: list[Any]) -> list[Any]:
        return [Instance(request_type=kind, doc={}, arguments=request, idx=0) for request in requests]

    pairs = [("one two ", "three"), ("", "abc"), ("x" * 400, "yz"), ("a b", " c d e")]
    theirs = peer.loglikelihood(asked("loglikelihood", pairs))
    for mine, other in zip(harness.likelihoods(pairs), theirs, strict=True):
        assert mine[0] == pytest.approx(other[0], abs=1e-3)
        assert mine[1] == other[1]
    texts = ["short", "abcdefghij" * 60]
    rolled = peer.loglikelihood_rolling(asked("loglikelihood_rolling", [(text,) for text in texts]))
    assert harness.text_likelihoods(texts) == pytest.approx(rolled, rel=1e-4)
    wishes = [("one two", {"max_gen_toks": 8, "until": ["\n"]}), ("x" * 400, {"max_gen_toks": 4, "until": []})]
    assert harness.continuations(wishes) == peer.generate_until(asked("generate_until", wishes))
