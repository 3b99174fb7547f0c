from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reactor_core.errors import ArtifactCorrupt, ConfigError, NotFound
from reactor_core.models.quantize import holds_quantized, restore_layers
from reactor_core.serving.engine import Engine, load_engine
from reactor_core.training.lora import merge_adapter
from reactor_core.training.trainer import Trainer, TrainingConfig
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]


@pytest.fixture
def engine(model_folder: MakeModel, settings: Settings) -> Engine:
    return load_engine(str(model_folder("llama")), chat_template="bare", settings=settings)


def reference_logits(engine: Engine, ids: list[int]) -> torch.Tensor:
    """One sequence through transformers' eager attention."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(engine.entry.path, attn_implementation="eager")
    with torch.no_grad():
        logits: torch.Tensor = model(torch.tensor([ids])).logits[0]
    return logits


def test_choices_score_the_sum_of_their_tokens_log_probabilities(engine: Engine, tokenizer: Any) -> None:
    prompts: list[Any] = ["ls", "rm -rf / --no-preserve-root", [{"role": "user", "content": "hi"}]]
    choices = ["allow", "block", "confirm"]
    scores = engine.choice_logprobs(prompts, choices)
    assert scores.shape == (3, 3)
    for n, prompt in enumerate(("ls", "rm -rf / --no-preserve-root", "hi")):
        head = tokenizer(f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n")["input_ids"]
        for c, choice in enumerate(choices):
            tail = tokenizer(choice)["input_ids"]
            log_probs = reference_logits(engine, head + tail).log_softmax(-1)
            expected = sum(float(log_probs[len(head) + i - 1, token]) for i, token in enumerate(tail))
            assert scores[n, c] == pytest.approx(expected, abs=1e-4)


def test_scores_do_not_depend_on_what_else_is_asked(engine: Engine) -> None:
    prompts = [f"action {number} " + "x" * number for number in range(30)]
    together = engine.choice_logprobs(prompts, ["a", "bb"])
    alone = np.concatenate([engine.choice_logprobs([prompt], ["a", "bb"]) for prompt in prompts])
    assert np.allclose(together, alone, atol=1e-4)


def test_no_prompts_give_no_scores(engine: Engine) -> None:
    assert engine.choice_logprobs([], ["a", "b"]).shape == (0, 2)


@pytest.mark.parametrize("choices", [[], ["a", ""]])
def test_choices_that_are_none_are_refused(engine: Engine, choices: list[str]) -> None:
    with pytest.raises(ConfigError, match="choices="):
        engine.choice_logprobs(["x"], choices)


def test_greedy_answers_take_the_likeliest_token_each_time(engine: Engine, tokenizer: Any) -> None:
    ids = tokenizer("<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n")["input_ids"]
    answer: list[int] = []
    for _ in range(12):
        token = int(reference_logits(engine, ids + answer)[-1].argmax())
        if token == tokenizer.eos_token_id:
            break
        answer.append(token)
    assert engine.generate("hello", max_new_tokens=12) == tokenizer.decode(answer, skip_special_tokens=True)


def test_a_stream_says_what_the_whole_answer_says(engine: Engine) -> None:
    options: dict[str, Any] = {"max_new_tokens": 20, "temperature": 0.8, "top_p": 0.9, "seed": 4}
    pieces = list(engine.stream("hello", **options))
    assert "".join(pieces) == engine.generate("hello", **options)


def test_seeds_make_samples_repeatable(engine: Engine) -> None:
    answers = [engine.generate("hello", max_new_tokens=20, temperature=1.5, seed=seed) for seed in (1, 1, 2)]
    assert answers[0] == answers[1] != answers[2]


@pytest.mark.parametrize("options", [{"max_new_tokens": 0}, {"temperature": -1.0}, {"top_p": 0.0}, {"top_p": 1.5}])
def test_options_that_mean_nothing_are_refused(engine: Engine, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        engine.stream("hello", **options)


def test_a_prompt_that_fills_the_window_is_refused(engine: Engine) -> None:
    with pytest.raises(ConfigError, match="window of 256"):
        engine.generate("x" * 250, max_new_tokens=8)


def test_tokens_are_counted_with_the_template(engine: Engine, tokenizer: Any) -> None:
    written = "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n"
    assert engine.count_tokens("hello") == len(tokenizer(written)["input_ids"])


@pytest.fixture
def adapter(model_folder: MakeModel, settings: Settings, rows_file: Path) -> Path:
    config = TrainingConfig(
        model_name=str(model_folder("llama")),
        lora_rank=4,
        num_epochs=6,
        batch_size=3,
        learning_rate=0.02,
        chat_template="bare",
    )
    return Trainer(config, settings=settings).train(rows_file).adapter_dir


def test_an_adapter_answers_as_peft_would_and_in_the_template_of_its_training(
    adapter: Path, model_folder: MakeModel, settings: Settings, tokenizer: Any
) -> None:
    import warnings

    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(model_folder("llama"), attn_implementation="eager")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 uses a name that transformers 5.23 deprecates
        theirs = PeftModel.from_pretrained(base, str(adapter)).eval()
    ids = tokenizer("<|im_start|>user\nJudge: ls<|im_end|>\n<|im_start|>assistant\n")["input_ids"]
    with torch.no_grad():
        log_probs = theirs(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
    letters = ["a", "b", "c"]
    expected = [float(log_probs[tokenizer(letter)["input_ids"][0]]) for letter in letters]
    engine = load_engine(str(model_folder("llama")), adapter, settings=settings)
    assert engine.choice_logprobs(["Judge: ls"], letters)[0] == pytest.approx(expected, abs=1e-4)


def test_an_adapter_for_other_weights_is_refused(adapter: Path, settings: Settings, model_folder: MakeModel) -> None:
    card = json.loads((adapter / "card.json").read_text())
    card["base"]["weights_hash"] = "0" * 64
    (adapter / "card.json").write_text(json.dumps(card))
    with pytest.raises(ArtifactCorrupt, match="other base weights"):
        load_engine(str(model_folder("llama")), adapter, settings=settings)


def test_a_folder_without_an_adapter_is_refused(tmp_path: Path, settings: Settings, model_folder: MakeModel) -> None:
    with pytest.raises(NotFound, match=r"adapter_config\.json"):
        load_engine(str(model_folder("llama")), tmp_path, settings=settings)


@pytest.fixture
def small_adapter(model_folder: MakeModel, settings: Settings, rows_file: Path) -> Path:
    """Trained on a base in four bits."""
    config = TrainingConfig(
        model_name=str(model_folder("llama")), num_epochs=2, batch_size=3, learning_rate=0.02, quantization="nf4"
    )
    return Trainer(config, settings=settings).train(rows_file).adapter_dir


def test_an_adapter_is_served_on_the_four_bits_that_it_was_trained_on(
    small_adapter: Path, model_folder: MakeModel, settings: Settings
) -> None:
    model, letters = str(model_folder("llama")), ["a", "b", "c"]
    served = load_engine(model, small_adapter, settings=settings)
    assert holds_quantized(served.model)
    scores = served.choice_logprobs(["Judge: ls"], letters)
    # Full weights with the numbers of the four bits, and the adapter merged into them, say the same.
    merge_adapter(served.model)
    restore_layers(served.model)
    assert not holds_quantized(served.model)
    assert served.choice_logprobs(["Judge: ls"], letters) == pytest.approx(scores, abs=1e-4)
    assert load_engine(model, settings=settings).choice_logprobs(["Judge: ls"], letters) != pytest.approx(scores)


def test_an_adapter_on_another_kind_of_weights_than_it_was_trained_on_is_warned_about(
    small_adapter: Path, model_folder: MakeModel, settings: Settings
) -> None:
    with pytest.warns(UserWarning, match="trained on weights in four bits .* served on full weights"):
        engine = load_engine(str(model_folder("llama")), small_adapter, quantization=None, settings=settings)
    assert not holds_quantized(engine.model)


def test_a_base_alone_can_be_served_in_four_bits(model_folder: MakeModel, settings: Settings) -> None:
    engine = load_engine(str(model_folder("llama")), quantization="nf4", settings=settings)
    assert holds_quantized(engine.model)
    assert engine.generate("hello", max_new_tokens=3)
