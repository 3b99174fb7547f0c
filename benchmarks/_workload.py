"""The rows that the training benchmarks share: the standard library's own documentation, asked and answered.

Every public function, class and method of the modules below that has a docstring of more than 60 characters makes a
row: "Explain what `NAME` does in Python.", answered by the docstring. Equal answers are kept once; the rows are
shuffled with seed 0. Nothing is tuned to them: they are what a Python of a given version brings along.
"""

from __future__ import annotations

import importlib
import inspect
import json
import random
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["SYSTEM_PROMPT", "documentation_rows", "preference_pairs", "write_jsonl"]

MODULES = (
    "argparse",
    "array",
    "ast",
    "asyncio",
    "base64",
    "bisect",
    "calendar",
    "cmath",
    "codecs",
    "collections",
    "collections.abc",
    "colorsys",
    "configparser",
    "contextlib",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "dis",
    "email.message",
    "enum",
    "filecmp",
    "fileinput",
    "fnmatch",
    "fractions",
    "functools",
    "getpass",
    "glob",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "http.client",
    "http.cookies",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "linecache",
    "locale",
    "logging",
    "lzma",
    "math",
    "mimetypes",
    "operator",
    "os",
    "os.path",
    "pathlib",
    "pickle",
    "pprint",
    "queue",
    "random",
    "re",
    "sched",
    "secrets",
    "selectors",
    "shelve",
    "shlex",
    "shutil",
    "signal",
    "smtplib",
    "socket",
    "sqlite3",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "tarfile",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "tokenize",
    "traceback",
    "types",
    "typing",
    "unittest",
    "urllib.parse",
    "uuid",
    "weakref",
    "zipfile",
)

SYSTEM_PROMPT = (
    "You are a careful assistant who explains the Python standard library to programmers. Say what a function does, "
    "which arguments it takes, what it returns and which errors it raises. Be exact and brief, use plain words, and "
    "never invent a parameter that the documentation does not name. Prefer facts to advice"
)
"""60 tokens for the tokenizer of SmolLM2."""


def _public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name in sorted(getattr(module, "__all__", None) or vars(module)):
        if name.startswith("_"):
            continue
        value = getattr(module, name, None)
        if inspect.isroutine(value) or inspect.isclass(value):
            yield f"{module.__name__}.{name}", value
        if inspect.isclass(value):
            for member in sorted(vars(value)):
                if not member.startswith("_") and inspect.isroutine(getattr(value, member, None)):
                    yield f"{module.__name__}.{name}.{member}", getattr(value, member)


def documentation_rows() -> list[tuple[str, str]]:
    """Questions and answers, in the fixed order."""
    answers: dict[str, str] = {}
    for module in MODULES:
        for name, value in _public(importlib.import_module(module)):
            text = inspect.getdoc(value)
            if text is not None and len(text) > 60:
                answers.setdefault(text, name)
    rows = [(f"Explain what `{name}` does in Python.", text) for text, name in answers.items()]
    random.Random(0).shuffle(rows)
    return rows


def preference_pairs(*, choices: int) -> list[dict[str, Any]]:
    """Pairs over 24 prompts: the first 24 rows as chosen answers, rows 501 to 524 as rejected ones.

    Args:
        choices: Chosen and rejected answers of each prompt. Every chosen one is paired with every rejected one: 1 gives
            24 pairs, 2 gives 96. Further chosen answers are rows 101 to 124, further rejected ones rows 601 to 624.
    """
    rows = documentation_rows()
    pairs = []
    for number in range(24):
        prompt = [{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": rows[number][0]}]
        chosen = [rows[100 * turn + number][1] for turn in range(choices)]
        rejected = [rows[500 + 100 * turn + number][1] for turn in range(choices)]
        pairs += [
            {
                "prompt": prompt,
                "chosen": [{"role": "assistant", "content": good}],
                "rejected": [{"role": "assistant", "content": bad}],
            }
            for good in chosen
            for bad in rejected
        ]
    return pairs


def write_jsonl(rows: list[dict[str, Any]], path: Path) -> None:
    """One row a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
