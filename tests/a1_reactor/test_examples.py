"""Every example in the repository can be used as it stands."""

import json
import re
from pathlib import Path

import pytest

from a1_reactor.prompts import compose, load_book, read_spec, resolve
from a1_reactor.types import JobSpec

EXAMPLES = Path(__file__).parents[2] / "examples"
PROMPTS = [json.loads(line) for line in (EXAMPLES / "prompts" / "prompts.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("path", sorted((EXAMPLES / "specs").iterdir()), ids=lambda path: path.name)
def test_every_spec_is_valid(path):
    assert resolve(read_spec(path)).frames >= 1


@pytest.mark.parametrize("row", PROMPTS, ids=lambda row: row["id"])
def test_every_prompt_resolves(row):
    prompt = row["prompt"] if "prompt" in row else compose(row["prompt_dsl"])
    assert resolve(JobSpec(prompt=prompt, style_preset=row["preset"])).prompt.startswith(prompt.split(",")[0])


def blocks(language):
    """Code blocks of the reference page on specs."""
    page = (EXAMPLES.parent / "docs" / "reference" / "specs.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("language", ["json", "yaml"])
def test_the_specs_of_the_reference_page_are_valid(language, tmp_path):
    (text,) = blocks(language)
    path = tmp_path / f"spec.{language}"
    path.write_text(text)
    assert resolve(read_spec(path)).frames == 48


def test_the_presets_of_the_reference_page_are_valid(tmp_path):
    (text,) = blocks("toml")
    (tmp_path / "presets.toml").write_text(text)
    assert load_book(tmp_path).own == {"golden", "portrait"}


def test_the_reference_page_names_every_field():
    page = (EXAMPLES.parent / "docs" / "reference" / "specs.md").read_text()
    fields = set(JobSpec(prompt="x").to_json()) | {"prompt_dsl", "template", "mask", "options"}
    assert [name for name in sorted(fields) if f"`{name}`" not in page] == []
