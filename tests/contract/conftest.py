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
