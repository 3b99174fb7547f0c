"""The published code blocks, as parameters for the tests that run them."""

from __future__ import annotations

import builtins
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

SEEDS = Path(__file__).parent / "seeds"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: ``id`` is document/heading, with a number from the second block of a heading on."""

    id: str
    language: str
    source: str


def slug(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def blocks() -> list[Block]:
    """Every block of both documents, in the order in which they were published."""
    found = []
    for document in sorted(SEEDS.glob("*.md")):
        for section in re.split(r"^## ", document.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            heading, _, body = section.partition("\n")
            for number, match in enumerate(FENCE.finditer(body), 1):
                suffix = "" if number == 1 else f"-{number}"
                found.append(Block(f"{document.stem}/{slug(heading)}{suffix}", match[1], match[2]))
    return found


def not_yet() -> dict[str, dict[str, str]]:
    """Block id -> ``fails_with`` and ``because``."""
    return tomllib.loads((SEEDS / "not_yet.toml").read_text(encoding="utf-8"))["blocks"]


def parameter(block: Block, entry: dict[str, str] | None) -> object:
    if entry is None:
        return pytest.param(block, id=block.id)
    expected = getattr(builtins, entry["fails_with"])
    mark = pytest.mark.xfail(strict=True, raises=expected, reason=entry["because"])
    return pytest.param(block, id=block.id, marks=mark)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``python_block`` and ``other_block`` stand for every block of that kind."""
    pending = not_yet()
    for name, wanted in (("python_block", True), ("other_block", False)):
        if name in metafunc.fixturenames:
            chosen = [parameter(b, pending.get(b.id)) for b in blocks() if (b.language == "python") is wanted]
            metafunc.parametrize(name, chosen)


@pytest.fixture(scope="session")
def published() -> dict[str, Block]:
    """Every block by its id."""
    return {block.id: block for block in blocks()}


@pytest.fixture
def seed_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder whose ``.reactor`` and ``.a1r`` nobody else uses."""
    monkeypatch.chdir(tmp_path)
    for variable in ("REACTOR_WORKSPACE", "A1_REACTOR_WORKSPACE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("EVENT_BRIDGE_FALLBACK_FILE", str(tmp_path / "events.jsonl"))
    return tmp_path


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of two layers and 16 channels with random weights, and a byte-level tokenizer, as a model folder."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "tiny-llama"
    letters = {character: number for number, character in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    special = ["<|im_start|>", "<|im_end|>"]
    raw = Tokenizer(models.BPE(vocab=letters, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token=special[1], pad_token=special[1], additional_special_tokens=special[:1]
    )
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    tokenizer.save_pretrained(folder)
    torch.set_num_threads(1)  # the threads of a tiny model cost more than they save
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=256,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def tiny_llama(llama_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ "llama-2-7b" resolves to the tiny one, through the same call that a user has for a local folder."""
    from reactor_core.models import add_model

    monkeypatch.setenv("REACTOR_CACHE_DIR", str(tmp_path / "cache"))
    add_model("llama-2-7b", llama_folder)
    return llama_folder
