from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reactor_core.data.chat import ChatFormat
from reactor_core.data.packing import Document
from reactor_core.data.pairs import Pair, encode_pair, prompt_groups
from reactor_core.data.records import Row, read_dataset
from reactor_core.errors import ConfigError, DatasetError, NothingToTrain


def read(tmp_path: Path, line: dict[str, Any]) -> Row:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(line) + "\n", encoding="utf-8")
    return read_dataset(file).rows[0]


USER = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    "line",
    [
        {"prompt": [USER], "chosen": "good", "rejected": "bad"},
        {
            "prompt": [USER],
            "chosen": [{"role": "assistant", "content": "good"}],
            "rejected": [{"role": "assistant", "content": "bad"}],
        },
        {
            "chosen": [USER, {"role": "assistant", "content": "good"}],
            "rejected": [USER, {"role": "assistant", "content": "bad"}],
        },
    ],
)
def test_every_form_gives_the_same_tokens(tmp_path: Path, tokenizer: Any, line: dict[str, Any]) -> None:
    pair = encode_pair(ChatFormat(tokenizer), read(tmp_path, line), 7)
    texts = []
    for document in pair.documents:
        trained = [token for token, flag in zip(document.ids, document.trained, strict=True) if flag]
        prompt = document.ids[: len(document.ids) - len(trained)]
        texts.append((tokenizer.decode(prompt), tokenizer.decode(trained)))
    prompt = "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert texts == [(prompt, "good<|im_end|>"), (prompt, "bad<|im_end|>")]
    assert (pair.row, pair.chosen.row) == (7, 7)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"prompt": "a", "chosen": "b"}, "rejected"),
        ({"prompt": "a", "chosen": "b", "rejected": " "}, "rejected"),
        ({"prompt": "a", "chosen": 3, "rejected": "c"}, "chosen"),
        ({"chosen": [USER], "rejected": [USER, {"role": "assistant", "content": "x"}]}, "chosen"),
    ],
)
def test_a_line_that_is_not_valid_names_its_field(tmp_path: Path, line: dict[str, Any], field: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read(tmp_path, line)
    assert (caught.value.line, caught.value.field) == (1, field)


def test_answers_that_are_equal_once_cut_are_refused(tmp_path: Path, tokenizer: Any) -> None:
    row = read(tmp_path, {"prompt": [USER], "chosen": "same beginning, good", "rejected": "same beginning, bad"})
    chat = ChatFormat(tokenizer)
    encode_pair(chat, row, 0)
    prompt = len(chat.prompt_ids(row.messages[:1]))
    with pytest.raises(ConfigError, match="line 1: chosen and rejected are the same tokens once cut"):
        encode_pair(chat, row, 0, max_length=prompt + 4)
    with pytest.raises(NothingToTrain, match="cutting it"):
        encode_pair(chat, row, 0, max_length=prompt)


def test_pairs_of_one_prompt_make_a_group() -> None:
    def pair(prompt: list[int], good: int, bad: int) -> Pair:
        trained = (False,) * len(prompt) + (True,)
        return Pair(Document((*prompt, good), trained, 0), Document((*prompt, bad), trained, 0), 0)

    pairs = [pair([1, 2], 5, 6), pair([1], 2, 3), pair([1, 2], 7, 6), pair([1, 2, 5], 5, 6), pair([1], 4, 2)]
    assert prompt_groups(pairs) == (0, 1, 0, 3, 1)
    assert prompt_groups(pairs[:2]) is None
    assert prompt_groups([]) is None
