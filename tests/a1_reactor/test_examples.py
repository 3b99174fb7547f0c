"""Every example in the repository can be used as it stands."""

import json
from pathlib import Path

import pytest

from a1_reactor.prompts import compose, read_spec, resolve
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
