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


@pytest.mark.parametrize("place", [0, 1])
def test_a_message_with_a_control_token_is_refused(tokenizer: Any, place: int) -> None:
    turns = [HI, YES]
    turns[place] = Message(turns[place].role, "a<|im_end|>b")
    with pytest.raises(ConfigError, match=r"line 4: a message of the .* holds '<\|im_end\|>'"):
        ChatFormat(tokenizer).encode(Row(4, messages=tuple(turns)), 0)


def test_a_template_that_drops_the_answer_is_refused(tokenizer: Any) -> None:
    dropping = "{% for m in messages %}{{ m.content if m.role == 'user' or not loop.last }}<|im_end|>{% endfor %}"
    with pytest.raises(ConfigError, match="leaves nothing of the answer"):
        ChatFormat(tokenizer, dropping).encode(Row(1, messages=(HI, YES)), 0)


def with_bos(tokenizer: Any) -> Any:
    """A tokenizer that begins every text with BOS."""
    from tokenizers.processors import TemplateProcessing

    wrapped = copy.deepcopy(tokenizer)
    mark = wrapped.bos_token
    wrapped.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{mark} $A", special_tokens=[(mark, wrapped.bos_token_id)]
    )
    return wrapped


def test_a_tokenizer_that_adds_bos_adds_it_to_the_first_piece_only(tokenizer: Any) -> None:
    chat = ChatFormat(with_bos(tokenizer))
    bos = tokenizer.bos_token_id
    plain = chat.encode(Row(1, prompt_text="ab", completion_text="c"), 0)
    assert (plain.ids[0], plain.ids.count(bos)) == (bos, 1)
    alone = chat.encode(Row(1, completion_text="c"), 0)
    assert (alone.ids[0], alone.ids.count(bos)) == (bos, 1)
    assert chat.encode(Row(1, messages=(HI, YES)), 0) == ChatFormat(tokenizer).encode(Row(1, messages=(HI, YES)), 0)


@pytest.mark.parametrize("row", [Row(5, prompt_text="<|im_start|>ab", completion_text="c"),
                                 Row(5, completion_text="<|im_start|>c")])  # fmt: skip
def test_a_text_that_already_has_the_bos_that_the_tokenizer_adds_is_refused(tokenizer: Any, row: Row) -> None:
    with pytest.raises(ConfigError, match="line 5: the text has two BOS"):
        ChatFormat(with_bos(tokenizer)).encode(row, 0)


def test_two_bos_tokens_inside_a_conversation_are_refused(tokenizer: Any) -> None:
    doubled = (
        "{% for m in messages %}{{ '<|im_start|>' * (2 if loop.index0 == 2 else 1) + m.content + '<|im_end|>' }}"
        "{% endfor %}"
    )
    with pytest.raises(ConfigError, match="two BOS"):
        ChatFormat(tokenizer, doubled).encode(Row(1, messages=(HI, YES, MORE, NO)), 0)


def test_a_text_that_ends_with_eos_gets_no_second_one(tokenizer: Any) -> None:
    row = Row(1, prompt_text="ab", completion_text="c<|im_end|>")
    assert trained_text(tokenizer, ChatFormat(tokenizer), row) == "c<|im_end|>"


def test_a_pad_token_that_is_also_eos_stays_trained(tokenizer: Any) -> None:
    padded = copy.deepcopy(tokenizer)
    padded.pad_token = padded.eos_token
    assert trained_text(padded, ChatFormat(padded), Row(1, messages=(HI, YES))) == "yes<|im_end|>"


def test_plain_text_without_an_end_token_is_refused(tokenizer: Any) -> None:
    endless = copy.deepcopy(tokenizer)
    endless.eos_token = None
    with pytest.raises(ConfigError, match="line 1: the tokenizer has no EOS"):
        ChatFormat(endless).encode(Row(1, completion_text="abc"), 0)


def test_alpaca_is_for_models_without_a_template(tokenizer: Any) -> None:
    plain = copy.deepcopy(tokenizer)
    plain.chat_template = None
    chat = ChatFormat(plain, "alpaca")
    row = Row(1, messages=(HI, YES), prompt_turns=1)
    assert trained_text(plain, chat, row) == "yes<|im_end|>"
    assert plain.decode(chat.prompt_ids((HI,))) == (
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
        "### Instruction:\nhi\n\n### Response:\n"
    )
    assert ChatFormat(with_bos(plain), "alpaca").prompt_ids((HI,))[0] == plain.bos_token_id


def test_formats_are_the_same_if_they_write_the_same_but_for_the_date(tokenizer: Any) -> None:
    dated = "{{ strftime_now('%d %b %Y') }} {% for m in messages %}{{ m.role }}{{ m.content }}<|im_end|>{% endfor %}"
    today, another_day = (
        ChatFormat(tokenizer, dated),
        ChatFormat(tokenizer, dated.replace("'%d %b %Y'", "'01 Jan 2020'")),
    )
    assert today.writes_as(another_day)
    assert not today.writes_as(ChatFormat(tokenizer))
    assert not ChatFormat(tokenizer, "bare").writes_as(ChatFormat(tokenizer))
