from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from reactor_core.data.chat import ChatFormat
from reactor_core.data.records import Message, Row
from reactor_core.errors import ConfigError, NothingToTrain

HI, YES, MORE, NO = (
    Message("user", "hi"),
    Message("assistant", "yes"),
    Message("user", "more"),
    Message("assistant", "no"),
)


def trained_text(tokenizer: Any, chat: ChatFormat, row: Row, **options: Any) -> str:
    document = chat.encode(row, 0, **options)
    return str(tokenizer.decode([token for token, flag in zip(document.ids, document.trained, strict=True) if flag]))


def test_the_answer_and_its_stop_token_are_trained_and_nothing_else(tokenizer: Any) -> None:
    chat = ChatFormat(tokenizer)
    row = Row(1, messages=(HI, YES))
    assert trained_text(tokenizer, chat, row) == "yes<|im_end|>"
    whole = (
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>"
    )
    assert tokenizer.decode(chat.encode(row, 0).ids) == whole


def test_every_turn_of_the_assistant_is_trained(tokenizer: Any) -> None:
    row = Row(1, messages=(HI, YES, MORE, NO))
    assert trained_text(tokenizer, ChatFormat(tokenizer), row) == "yes<|im_end|>no<|im_end|>"


def test_turns_of_the_prompt_are_not_trained(tokenizer: Any) -> None:
    row = Row(1, messages=(HI, YES, MORE, NO), prompt_turns=3)
    assert trained_text(tokenizer, ChatFormat(tokenizer), row) == "no<|im_end|>"


def test_bare_leaves_out_the_models_own_system_prompt(tokenizer: Any) -> None:
    chat = ChatFormat(tokenizer, "bare")
    expected = "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
    assert chat.render((HI,), prompt=True) == expected
    assert tokenizer.decode(chat.prompt_ids((HI,))) == expected


def test_a_trained_prompt_has_the_tokens_of_a_served_one(tokenizer: Any) -> None:
    chat = ChatFormat(tokenizer, "bare")
    document = chat.encode(Row(1, messages=(HI, YES, MORE, NO)), 0)
    served = chat.prompt_ids((HI, YES, MORE))
    assert list(document.ids[: len(served)]) == served


def test_plain_text_is_trained_whole_with_its_end(tokenizer: Any) -> None:
    row = Row(1, completion_text="abc")
    assert trained_text(tokenizer, ChatFormat(tokenizer), row) == "abc<|im_end|>"


def test_a_plain_prompt_is_not_trained(tokenizer: Any) -> None:
    row = Row(1, prompt_text="1+1=", completion_text="2")
    assert trained_text(tokenizer, ChatFormat(tokenizer), row) == "2<|im_end|>"


def test_the_first_token_counts_as_untrained_because_nothing_predicts_it(tokenizer: Any) -> None:
    document = ChatFormat(tokenizer).encode(Row(1, completion_text="abc"), 0)
    assert (len(document.ids), document.num_trained) == (4, 3)


def test_a_row_whose_answer_is_cut_off_whole_is_refused(tokenizer: Any) -> None:
    with pytest.raises(NothingToTrain, match="raise max_length"):
        ChatFormat(tokenizer).encode(Row(9, messages=(HI, YES)), 0, max_length=20)


def test_an_answer_that_is_cut_in_part_is_trained_as_far_as_it_goes(tokenizer: Any) -> None:
    chat = ChatFormat(tokenizer)
    length = len(chat.encode(Row(1, messages=(HI, YES)), 0).ids)
    assert trained_text(tokenizer, chat, Row(1, messages=(HI, YES)), max_length=length - 2) == "ye"


def test_a_template_without_a_stop_token_is_refused(tokenizer: Any) -> None:
    chat = ChatFormat(tokenizer, "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
    with pytest.raises(ConfigError, match="stop token"):
        chat.encode(Row(1, messages=(HI, YES)), 0)


def test_a_template_that_rewrites_earlier_turns_is_refused(tokenizer: Any) -> None:
    rewriting = "{{ messages | length }}{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}"
    with pytest.raises(ConfigError, match="rewrites earlier turns"):
        ChatFormat(tokenizer, rewriting).encode(Row(1, messages=(HI, YES)), 0)


def test_two_bos_tokens_are_refused(tokenizer: Any) -> None:
    doubled = "<|im_start|>{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}"
    with pytest.raises(ConfigError, match="two BOS"):
        ChatFormat(tokenizer, doubled).encode(Row(1, messages=(HI, YES)), 0)


def test_a_template_can_be_a_file(tokenizer: Any, tmp_path: Path) -> None:
    file = tmp_path / "t.jinja"
    file.write_text("{% for m in messages %}[{{ m.content }}<|im_end|>{% endfor %}")
    assert ChatFormat(tokenizer, str(file)).render((HI,), prompt=False) == "[hi<|im_end|>"


def test_an_absent_template_file_is_refused(tokenizer: Any) -> None:
    with pytest.raises(ConfigError, match=r"chat_template='nowhere\.jinja'"):
        ChatFormat(tokenizer, "nowhere.jinja")


def test_a_model_without_a_template_takes_plain_rows_only(tokenizer: Any) -> None:
    plain = copy.deepcopy(tokenizer)
    plain.chat_template = None
    chat = ChatFormat(plain)
    assert chat.encode(Row(1, completion_text="abc"), 0).num_trained == 3
    with pytest.raises(ConfigError, match="no chat template"):
        chat.encode(Row(1, messages=(HI, YES)), 0)
