from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from reactor_core.data.records import Dataset, read_dataset
from reactor_core.models.entry import ModelEntry
from reactor_core.training.card import dataset_facts, describe_environment, events_of, run_identity, tokenizer_hash
from reactor_core.utils.files import sha256_file


def dataset_with(tmp_path: Path, sources: list[object]) -> Dataset:
    file = tmp_path / "rows.jsonl"
    rows = [{"prompt": "a", "completion": "b", "source": source} for source in sources]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_dataset(file)


def test_a_dataset_is_named_by_path_hash_and_length(tmp_path: Path) -> None:
    facts = dataset_facts(dataset_with(tmp_path, [None, None]))
    assert facts["path"] == str(tmp_path / "rows.jsonl")
    assert facts["sha256"] == sha256_file(tmp_path / "rows.jsonl")
    assert facts["rows"] == 2


def test_rows_from_the_journal_give_the_range_of_their_events(tmp_path: Path) -> None:
    sources = [{"event_id": "b", "seq": 9}, {"event_id": "a", "seq": 4}, "a book"]
    assert dataset_facts(dataset_with(tmp_path, sources))["events"] == {"rows": 2, "first_seq": 4, "last_seq": 9}


@pytest.mark.parametrize(
    ("source", "events"),
    [
        ({"event_id": "a", "seq": 3}, ("a",)),
        ({"origin": "keep", "events": ["a", "b", "a"]}, ("a", "b")),
        ({"event_id": "a", "events": ["b", 7, ""]}, ("a", "b")),
        ({"events": "a"}, ()),
        ("a book", ()),
        (None, ()),
    ],
)
def test_a_source_names_its_events(source: Any, events: tuple[str, ...]) -> None:
    assert events_of(source) == events


def test_rows_of_several_events_count_too(tmp_path: Path) -> None:
    sources = [{"origin": "keep", "events": ["a", "b"]}, {"event_id": "c", "seq": 4}, {"file": "x"}]
    assert dataset_facts(dataset_with(tmp_path, sources))["events"] == {"rows": 2, "first_seq": 4, "last_seq": 4}


def test_rows_from_elsewhere_name_no_event(tmp_path: Path) -> None:
    events = dataset_facts(dataset_with(tmp_path, ["a book", None]))["events"]
    assert events == {"rows": 0, "first_seq": None, "last_seq": None}


def test_the_identity_changes_with_each_of_its_parts(tmp_path: Path) -> None:
    dataset = dataset_with(tmp_path, [None])
    entry = ModelEntry("tiny", tmp_path, "folder", "here", {"model.safetensors": "0"}, 1)
    other = ModelEntry("tiny", tmp_path, "folder", "here", {"model.safetensors": "1"}, 1)
    identity = run_identity("c", dataset, entry, "t", "v")
    assert run_identity("c", dataset, entry, "t", "v") == identity
    longer = dataset_with(tmp_path, [None, None])
    others = [
        ("d", dataset, entry, "t", "v"),
        ("c", longer, entry, "t", "v"),
        ("c", dataset, other, "t", "v"),
        ("c", dataset, entry, "u", "v"),
        ("c", dataset, entry, "t", "w"),
        ("c", dataset, entry, "t", "v", longer),
    ]
    assert all(run_identity(*each) != identity for each in others)


def test_a_tokenizer_is_known_by_what_it_does_to_text(model_folder: Callable[[str], Path], tmp_path: Path) -> None:
    folder = model_folder("llama")
    same, other = AutoTokenizer.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert tokenizer_hash(same) == tokenizer_hash(AutoTokenizer.from_pretrained(folder))
    other.add_tokens(["<new>"])
    assert tokenizer_hash(other) != tokenizer_hash(same)
    special = AutoTokenizer.from_pretrained(folder)
    special.eos_token = special.convert_ids_to_tokens(5)
    assert tokenizer_hash(special) != tokenizer_hash(same)


def test_the_environment_is_plain_json_and_names_torch() -> None:
    described = describe_environment(torch.device("cpu"))
    assert json.loads(json.dumps(described)) == described
    assert described["versions"]["torch"] == torch.__version__
    assert described["device"] == "cpu"
