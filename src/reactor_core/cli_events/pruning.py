"""``reactor events compact``: a journal that only keeps what is wanted."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from reactor_core.cli_events.asking import Filters
from reactor_core.errors import ConfigError, NotFound
from reactor_core.events.journal import JOURNAL_NAME, Journal
from reactor_core.utils.command import print_json
from reactor_core.utils.settings import load_settings

__all__ = ["compact"]

Json = Annotated[bool, Parameter(name="--json", negative=())]
Flag = Annotated[bool, Parameter(negative=())]


def compact(
    *,
    before: str | None = None,
    keep_after: int | None = None,
    archive: Path | None = None,
    force: Flag = False,
    shrink: Flag = False,
    json: Json = False,
) -> None:
    """Delete the oldest events of the journal.

    Parameters
    ----------
    before
        Delete what is older than this: 180_days, 26w, or an ISO date and time.
    keep_after
        Or: delete up to this position.
    archive
        New file for what is deleted, as JSON lines with their hashes; `reactor audit verify FILE` verifies it.
    force
        Delete also what a relay or a durable handler has not got yet; it will report a gap.
    shrink
        Give the space back to the disk. Writers wait meanwhile.
    json
        Print one JSON object.
    """
    settings = load_settings()
    path = settings.workspace / JOURNAL_NAME
    if not path.is_file():
        raise NotFound(f"no journal at {path}", remedy="name the workspace: REACTOR_WORKSPACE=DIR")
    if (before is None) == (keep_after is None):
        raise ConfigError("what is to be kept?", remedy="pass --before 180_days or --keep-after POSITION")
    moment = None if before is None else _moment(before)
    with closing(Journal(path, settings=settings)) as journal:
        report = journal.compact(keep_after_seq=keep_after, before=moment, archive=archive, force=force)
        if shrink:
            journal.shrink()
    if json:
        print_json(
            {
                "rows": report.rows,
                "until": report.until,
                "archive": None if report.archive is None else str(report.archive),
                "archive_sha256": report.archive_sha256,
                "bytes": path.stat().st_size,
            }
        )
        return
    if not report.rows:
        sys.stdout.write("nothing to delete\n")
        return
    kept = "" if report.archive is None else f"; they are in {report.archive}"
    sys.stdout.write(f"{report.rows} events up to position {report.until} deleted{kept}\n")


def _moment(before: str) -> datetime:
    try:
        moment = replace(Filters(), since=before).query().since
    except ConfigError as error:
        raise ConfigError(f"--before {before} cannot be read", remedy="examples: 180_days, 26w, 2026-01-31") from error
    assert moment is not None, "a query with a time has one"
    return moment
