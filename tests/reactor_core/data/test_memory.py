"""A dataset of 200,000 rows, read, tokenized and read back: memory holds the positions of the rows, not the rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROWS = 200_000

CHILD = """
import json, resource, sys
from pathlib import Path
from transformers import AutoTokenizer
from reactor_core.data.chat import ChatFormat
from reactor_core.data.records import read_dataset
from reactor_core.data.tokens import stored_tokens

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

file, tokenizer, folder = map(Path, sys.argv[1:])
chat = ChatFormat(AutoTokenizer.from_pretrained(tokenizer))
chat.encode(read_dataset(file.with_name("one.jsonl")).rows[0], 0)
before = peak()
dataset = read_dataset(file)
read = peak()
encode = lambda: (chat.encode(row, index) for index, row in enumerate(dataset.rows))
table = stored_tokens(folder, {"dataset": dataset.sha256}, encode)
encoded = peak()
tokens = sum(len(document.ids) for document in table)
print(json.dumps({"rows": len(dataset.rows), "tokens": tokens, "read": read - before, "encoded": encoded - read}))
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, tokenizer: Any) -> None:
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    file = tmp_path / "rows.jsonl"
    with file.open("w", encoding="utf-8") as stream:
        for number in range(ROWS):
            row = {"text": f"Row {number}: " + "some words of text " * 12, "id": number, "source": {"seq": number}}
            stream.write(json.dumps(row) + "\n")
    (tmp_path / "one.jsonl").write_text('{"text": "a"}\n')
    command = [sys.executable, "-c", CHILD, str(file), str(tmp_path / "tokenizer"), str(tmp_path / "tokens")]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    assert (said["rows"], said["tokens"] > 200 * ROWS) == (ROWS, True)
    # Reading keeps 24 bytes a row, 5 MB; encoding writes 4 bytes a token, 200 MB, and keeps none of them.
    assert said["read"] < 30
    assert said["encoded"] < 100
