"""A job as a row: what is searched for has a column, all else is JSON in one of them."""

from __future__ import annotations

from typing import Any

import msgspec

from reactor_core.jobs.job import Job

__all__ = ["COLUMNS", "SELECT", "fields_of", "read_row", "row_of"]

COLUMNS = ("job_id", "kind", "spec", "spec_hash", "idempotency_key", "state", "created_us", "not_before_us",
            "lease_until_us", "token", "events")  # fmt: skip
SELECT = f"SELECT fields, {', '.join(COLUMNS)} FROM jobs"  # noqa: S608


def fields_of(job: Job) -> str:
    """All that has no column of its own."""
    values = {name: getattr(job, name) for name in job.__struct_fields__ if name not in COLUMNS}
    return msgspec.json.encode(values).decode()


def row_of(job: Job) -> tuple[Any, ...]:
    """A job as the values of a new row: ``fields`` and the columns."""
    values = [getattr(job, name) for name in COLUMNS]
    values[COLUMNS.index("spec")] = msgspec.json.encode(job.spec).decode()
    return fields_of(job), *values


def read_row(row: tuple[Any, ...]) -> Job:
    """The job of a row of :data:`SELECT`."""
    values = dict(zip(COLUMNS, row[1:], strict=True))
    values["spec"] = msgspec.json.decode(values["spec"])
    return msgspec.convert({**msgspec.json.decode(row[0]), **values}, Job)
