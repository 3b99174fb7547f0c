"""``reactor events export``: stored events as a file of another program's liking."""

from __future__ import annotations

import csv
import io
import json as jsonlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Literal

from cyclopts import Parameter

from reactor_core.cli_events.asking import NO_FILTERS, Filters, open_store
from reactor_core.cli_events.following import every
from reactor_core.cli_events.output import until_the_reader_is_gone
from reactor_core.events.event import Event
from reactor_core.utils.clock import to_iso
from reactor_core.utils.command import print_json
from reactor_core.utils.files import fsync_dir, storage_errors
from reactor_core.utils.ids import new_id
from reactor_core.utils.settings import load_settings

__all__ = ["FORMATS", "export"]

Json = Annotated[bool, Parameter(name="--json", negative=())]
Format = Literal["jsonl", "csv", "cloudevents", "audit-trail"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    format: Format = "jsonl",  # noqa: A002  the option's name
    filters: Filters = NO_FILTERS,
    json: Json = False,
) -> None:
    """Write stored events to a file.

    Parameters
    ----------
    file
        Where to; "-" for stdout.
    format
        jsonl: events as this package writes them. csv: a row each, data and metadata as JSON. cloudevents: CloudEvents
        1.0, one JSON object in each line. audit-trail: records of an agent audit trail, chained by their hashes.
    json
        Say what was written as one JSON object (not with "-").
    """
    settings = load_settings()
    wanted = filters.query()
    with until_the_reader_is_gone(), open_store(filters, settings) as store:
        if str(file) == "-":
            for text in FORMATS[format](every(store, wanted)):
                sys.stdout.write(text)
            return
        count = 0

        def counted() -> Iterator[Event]:
            nonlocal count
            for count, event in enumerate(every(store, wanted), 1):  # noqa: B007  the last one is the count
                yield event

        with _written(file) as stream:
            for text in FORMATS[format](counted()):
                stream.write(text)
        if json:
            print_json({"file": str(file), "format": format, "events": count})
        else:
            sys.stdout.write(f"{count} events in {file}\n")


@contextmanager
def _written(path: Path) -> Iterator[IO[str]]:
    """A stream whose text becomes the file at the end of the block, or nothing does."""
    part = path.with_name(f".tmp-{path.name}-{new_id()}")
    with storage_errors(path):
        try:
            with part.open("w", encoding="utf-8", newline="") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
            fsync_dir(path.parent)
        finally:
            part.unlink(missing_ok=True)


def _jsonl(events: Iterable[Event]) -> Iterator[str]:
    for event in events:
        yield event.to_json().decode() + "\n"


def _csv(events: Iterable[Event]) -> Iterator[str]:
    names = ("seq", "event_id", "event_type", "source", "priority", "timestamp", "data", "metadata")
    yield _row(names)
    for event in events:
        yield _row(
            (
                "" if event.seq is None else str(event.seq),
                event.event_id,
                str(event.event_type),
                str(event.source),
                str(event.priority),
                to_iso(event.timestamp),
                jsonlib.dumps(event.data, ensure_ascii=False),
                jsonlib.dumps(event.metadata, ensure_ascii=False),
            )
        )


def _row(cells: Iterable[str]) -> str:
    """One row. A cell that a spreadsheet would run as a formula gets a quote before it: events come from anywhere."""
    line = io.StringIO()
    csv.writer(line).writerow(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells)
    return line.getvalue()


def _cloudevents(events: Iterable[Event]) -> Iterator[str]:
    from reactor_core.api.cloudevents import to_cloudevent

    for event in events:
        yield jsonlib.dumps(to_cloudevent(event), ensure_ascii=False) + "\n"


def _audit_trail(events: Iterable[Event]) -> Iterator[str]:
    from reactor_core.cli_events.trail import Trail, canonical

    trail = Trail()
    for event in events:
        yield canonical(trail.record(event)).decode() + "\n"


FORMATS: dict[str, Callable[[Iterable[Event]], Iterator[str]]] = {
    "jsonl": _jsonl,
    "csv": _csv,
    "cloudevents": _cloudevents,
    "audit-trail": _audit_trail,
}
"""Format -> what turns events into the text of a file, in pieces."""
