from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reactor_core.data.chat import BARE_TEMPLATE, ChatFormat
from reactor_core.errors import ArtifactCorrupt, ConfigError
from reactor_core.serving.prompts import STORED_TEMPLATE, require_same_prompts
from reactor_core.training.card import tokenizer_hash


def write_card(folder: Path, tokenizer: str) -> None:
    (folder / "card.json").write_text(json.dumps({"identity": {"tokenizer": tokenizer}}), encoding="utf-8")


def test_the_adapters_own_template_passes(tokenizer: Any, tmp_path: Path) -> None:
    write_card(tmp_path, tokenizer_hash(tokenizer))
    (tmp_path / STORED_TEMPLATE).write_text(BARE_TEMPLATE, encoding="utf-8")
    require_same_prompts(tmp_path, ChatFormat(tokenizer, "bare"))
    require_same_prompts(tmp_path, ChatFormat(tokenizer, "{# the same, spelled otherwise #}" + BARE_TEMPLATE))


@pytest.mark.parametrize("with_card", [True, False])
def test_another_template_is_refused(tokenizer: Any, tmp_path: Path, with_card: bool) -> None:
    if with_card:
        write_card(tmp_path, tokenizer_hash(tokenizer))
    (tmp_path / STORED_TEMPLATE).write_text(BARE_TEMPLATE, encoding="utf-8")
    with pytest.raises(ConfigError, match="leave chat_template out"):
        require_same_prompts(tmp_path, ChatFormat(tokenizer))


def test_an_adapter_that_was_trained_without_a_template_takes_none(tokenizer: Any, tmp_path: Path) -> None:
    write_card(tmp_path, tokenizer_hash(tokenizer))
    with pytest.raises(ConfigError, match="written otherwise"):
        require_same_prompts(tmp_path, ChatFormat(tokenizer, "bare"))


def test_an_adapter_that_says_nothing_passes(tokenizer: Any, tmp_path: Path) -> None:
    require_same_prompts(tmp_path, ChatFormat(tokenizer, "bare"))


def test_another_tokenizer_is_refused(tokenizer: Any, tmp_path: Path) -> None:
    write_card(tmp_path, "0" * 64)
    with pytest.raises(ArtifactCorrupt, match="another tokenizer"):
        require_same_prompts(tmp_path, ChatFormat(tokenizer))
