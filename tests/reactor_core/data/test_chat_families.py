"""Masks under the templates of several model families: what is trained is what the assistant says, and its stop token.

The templates are written after those that the models are published with, without their branches for tools.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reactor_core.data.chat import ChatFormat
from reactor_core.data.records import Message, Row
from reactor_core.errors import ConfigError


@dataclass(frozen=True)
class Family:
    template: str
    marks: tuple[str, ...]
    bos: str | None
    eos: str
    stop: str
    system: bool = True
    trims: bool = False


HEADER = "'<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
FAMILIES = {
    "llama-3": Family(
        "{{ bos_token }}{% for message in messages %}{{ "
        + HEADER
        + " + message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
        ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", trims=True,
    ),
    "qwen-2.5": Family(
        "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are Qwen.<|im_end|>\n' }}{% endif %}"
        "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
        ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        None, "<|im_end|>", "<|im_end|>",
    ),
    "gemma": Family(
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
        "{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Conversation roles must alternate user/assistant') }}{% endif %}"
        "{{ '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\n' "
        "+ message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}",
        ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"),
        "<bos>", "<eos>", "<end_of_turn>", system=False, trims=True,
    ),
    "phi-3": Family(  # closes every conversation with EOS, which goes away when another turn follows
        "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + '<|end|>\n' }}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}",
        ("<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
        "<|endoftext|>", "<|endoftext|>", "<|end|>",
    ),
    "mistral": Family(
        "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Conversation roles must alternate user/assistant') }}{% endif %}"
        "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
        "{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}",
        ("<s>", "</s>"),
        "<s>", "</s>", "</s>", system=False,
    ),
}  # fmt: skip
THINKING = (  # as Qwen 3: what was thought in earlier turns is taken out again
    "{% for message in messages %}{% if message.role == 'assistant' and not loop.last %}"
    "{{ '<|im_start|>assistant\n' + message.content.split('</think>')[-1] + '<|im_end|>\n' }}{% else %}"
    "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@cache
def tokenizer_of(name: str) -> Any:
    """Byte-level BPE whose merges reach over the seams of the template, and the family's control tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    family = FAMILIES[name]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=list(family.marks),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["assistant\n\n\nuser\n model the answer, a b c [INST] x [/INST]\n\n"] * 9, trainer)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=family.bos, eos_token=family.eos)
    wrapped.chat_template = family.template
    return wrapped


TEXT = st.text(st.sampled_from("ab the\n [I<|é\N{GRINNING FACE}"), min_size=1, max_size=8).filter(str.strip)


@st.composite
def conversations(draw: st.DrawFn, name: str) -> tuple[Message, ...]:
    turns = [Message(role, draw(TEXT)) for _ in range(draw(st.integers(1, 3))) for role in ("user", "assistant")]
    if FAMILIES[name].system and draw(st.booleans()):
        turns.insert(0, Message("system", draw(TEXT)))
    assume(not any(mark in turn.content for turn in turns for mark in FAMILIES[name].marks))
    return tuple(turns)


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=25)
@given(data=st.data())
def test_what_is_trained_is_what_the_assistant_says_and_its_stop_token(name: str, data: st.DataObject) -> None:
    family, tokenizer = FAMILIES[name], tokenizer_of(name)
    messages = data.draw(conversations(name))
    prompt_turns = data.draw(st.integers(0, len(messages) - 1))
    chat = ChatFormat(tokenizer)
    document = chat.encode(Row(1, messages=messages, prompt_turns=prompt_turns), 0)
    trained = tokenizer.decode([token for token, flag in zip(document.ids, document.trained, strict=True) if flag])
    said = [m.content for m in messages[prompt_turns:] if m.role == "assistant"]
    lead = " " if name == "mistral" else ""
    assert trained == "".join(lead + (text.strip() if family.trims else text) + family.stop for text in said)
    whole = tokenizer.apply_chat_template([vars(m) for m in messages], tokenize=False)
    assert whole.startswith(tokenizer.decode(document.ids))


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=25)
@given(data=st.data())
def test_a_trained_prompt_has_the_tokens_of_a_served_one(name: str, data: st.DataObject) -> None:
    chat = ChatFormat(tokenizer_of(name))
    messages = data.draw(conversations(name))
    document = chat.encode(Row(1, messages=messages), 0)
    only_last = chat.encode(Row(1, messages=messages, prompt_turns=len(messages) - 1), 0)
    served = chat.prompt_ids(messages[:-1])
    assert list(document.ids[: len(served)]) == served
    assert document.ids == only_last.ids
    assert sum(only_last.trained) == len(only_last.ids) - len(served)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_model_stops_at_what_ends_its_answers(name: str) -> None:
    family, tokenizer = FAMILIES[name], tokenizer_of(name)
    stops = {tokenizer.convert_ids_to_tokens(token) for token in ChatFormat(tokenizer).stop_ids}
    assert stops == {family.stop, family.eos}


@pytest.mark.parametrize("name", ["gemma", "mistral"])
def test_a_conversation_that_the_template_refuses_is_refused(name: str) -> None:
    chat = ChatFormat(tokenizer_of(name))
    row = Row(7, messages=(Message("system", "s"), Message("user", "u"), Message("assistant", "a")))
    with pytest.raises(ConfigError, match="line 7: the chat template refuses a conversation of system"):
        chat.encode(row, 0)


def test_thinking_that_later_turns_take_out_is_trained_one_turn_a_row() -> None:
    chat = ChatFormat(tokenizer_of("qwen-2.5"), THINKING)
    turns = tuple(
        Message(role, text)
        for role, text in [("user", "a"), ("assistant", "<think>b</think>c"), ("user", "d"), ("assistant", "e")]
    )
    with pytest.raises(ConfigError, match=r"line 3: the chat template rewrites earlier turns.*one turn a row"):
        chat.encode(Row(3, messages=turns), 0)
    document = chat.encode(Row(3, messages=turns, prompt_turns=3), 0)
    served = chat.prompt_ids(turns[:3])
    assert list(document.ids[: len(served)]) == served
    assert "b" not in chat.tokenizer.decode(served)
    assert chat.tokenizer.decode(document.ids[len(served) :]) == "e<|im_end|>"
