"""Submitting a job of a kind: what is to be done is checked by the kind before it is stored."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reactor_core.errors import ConfigError, NotFound
from reactor_core.jobs.job import Job
from reactor_core.jobs.kinds import find_kind
from reactor_core.jobs.table import JobTable

__all__ = ["read_spec", "submit_job"]


def submit_job(
    table: JobTable, kind: str, spec: Mapping[str, Any], *, idempotency_key: str | None = None, asked_by: str = ""
) -> Job:
    """Add a job, or find the one that was added with the same key.

    Args:
        table: Of the workspace.
        kind: What sort of work it is.
        spec: JSON values.
        idempotency_key: As for :meth:`~reactor_core.jobs.table.JobTable.submit`.
        asked_by: Who submits it.

    Raises:
        NotFound: There is no such kind.
        ConfigError: The kind refuses the spec, or the key cannot be used.
        JobConflict: The key belongs to a job of another kind or spec.
    """
    found = find_kind(kind)
    return table.submit(
        kind, found.check(spec), idempotency_key=idempotency_key, max_attempts=found.max_attempts, asked_by=asked_by
    )[0]


def read_spec(path: Path) -> dict[str, Any]:
    """The JSON object in a file; ``-`` stands for the standard input.

    Raises:
        NotFound: There is no such file.
        ConfigError: It holds something else.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"no file is called {str(path)!r}", remedy="give a JSON file, or - for the input") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    try:
        spec = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path} is no JSON: {error}") from error
    if not isinstance(spec, dict):
        raise ConfigError(f"{path} holds no JSON object", remedy="write one, such as {}")
    return spec
