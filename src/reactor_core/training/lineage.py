"""From an adapter back to what it learned from: adapter, checkpoints, steps, rows, events.

Which rows a step saw is a pure function of the run's seed and sizes (:mod:`reactor_core.data.loader`), so no step needs
a record of its own. What the run's folder keeps is what that function cannot know: ``lineage.jsonl`` has the line of
each row in the file, and name and events of rows that have any; ``checkpoints.jsonl`` has the hash of each checkpoint's
manifest. Both outlive the data file, which for the workspace's own decisions is written anew before each run.

Not covered: what the base model has seen, and the rows of a run whose adapter this one started from; that run has a
lineage of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from reactor_core.data.loader import num_steps, rows_of_step
from reactor_core.data.records import Dataset, Row
from reactor_core.errors import NotFound
from reactor_core.training.card import CARD, events_of
from reactor_core.training.history import last_step
from reactor_core.training.runs import RUN
from reactor_core.utils.files import atomic_write, sha256_file, storage_errors

__all__ = ["CHECKPOINTS", "LINEAGE", "Lineage", "lineage_facts", "note_checkpoint", "read_lineage", "write_lineage"]

LINEAGE = "lineage.jsonl"
"""One object about the file, then one for each row that has a name or events."""

CHECKPOINTS = "checkpoints.jsonl"
"""One object for each checkpoint that was written."""


def write_lineage(folder: Path, dataset: Dataset, groups: tuple[int, ...] | None = None) -> None:
    """Keep what the rows of a run are called and where they come from; nothing if that is kept already.

    Args:
        folder: The run's.
        dataset: What it trains on, in the order that the loader counts.
        groups: Which rows stay together in the loader's order (:func:`~reactor_core.data.loader.row_order`).

    Raises:
        StorageFull: No space is left.
    """
    if not (folder / LINEAGE).exists():
        atomic_write(folder / LINEAGE, "".join(json.dumps(line) + "\n" for line in _described(dataset.rows, groups)))


def _described(rows: Sequence[Row], groups: tuple[int, ...] | None) -> Iterator[dict[str, Any]]:
    runs: list[list[int]] = []
    named = []
    for index, row in enumerate(rows):
        if runs and row.line == runs[-1][1] + runs[-1][2]:
            runs[-1][2] += 1
        else:
            runs.append([index, row.line, 1])
        events = events_of(row.source)
        if row.id is not None or events:
            named.append({"row": index, "id": row.id, "events": list(events)})
    # Lines as [first row, its line, how many follow line by line].
    yield {"rows": len(rows), "lines": runs, "groups": groups}
    yield from named


def note_checkpoint(folder: Path, checkpoint: Path, step: int) -> None:
    """Note that a checkpoint was written.

    Args:
        folder: The run's.
        checkpoint: With its manifest.
        step: Optimizer steps that are in it.

    Raises:
        StorageFull: No space is left.
    """
    line = {"step": step, "manifest": sha256_file(checkpoint / "manifest.json")}
    with storage_errors(folder / CHECKPOINTS), (folder / CHECKPOINTS).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


def lineage_facts(folder: Path) -> dict[str, Any]:
    """What a card says about a run's lineage: how much there is, and the hash of its file."""
    head, *named = _objects(folder / LINEAGE)
    events = {event for row in named for event in row["events"]}
    return {"rows": head["rows"], "named": len(named), "events": len(events), "sha256": sha256_file(folder / LINEAGE)}


@dataclass(frozen=True)
class Lineage:
    """What a run learned from, and when.

    Attributes:
        folder: The run's.
        run: Its ``run.json``.
        card: Its card; None if it has not finished.
        lines: Line of each row in the data file.
        groups: Which rows stay together, as the loader takes it.
        names: Row -> its own name, for those that have one.
        events: Row -> ids of its events, for those that have any.
        steps: Optimizer steps that are done.
        checkpoints: Step -> SHA-256 of the manifest of the checkpoint after it, oldest first.
    """

    folder: Path
    run: dict[str, Any]
    card: dict[str, Any] | None
    lines: tuple[int, ...]
    groups: tuple[int, ...] | None
    names: dict[int, str]
    events: dict[int, tuple[str, ...]]
    steps: int
    checkpoints: dict[int, str]

    @property
    def adapter_step(self) -> int | None:
        """The step whose weights the result has: the best one, if the run kept that. None before it has finished."""
        if self.card is None:
            return None
        best = self.card["metrics"].get("best_step")
        return int(best if best and self.card["config"]["keep_best"] else self.card["metrics"]["steps"])

    def rows_of(self, step: int) -> tuple[int, ...]:
        """Rows (0-based, in the order of the file) of a 1-based step.

        Raises:
            NotFound: The run has not made that step.
        """
        if not 1 <= step <= self.steps:
            raise NotFound(f"the run has no step {step}", remedy=f"steps go from 1 to {self.steps}")
        return self._rows_of(step)

    def _rows_of(self, step: int) -> tuple[int, ...]:
        config = self.run["config"]
        return rows_of_step(
            step - 1,
            len(self.lines),
            batch_size=config["batch_size"],
            seed=config["seed"],
            shuffle=config["shuffle"],
            groups=self.groups,
        )

    def steps_of(self, rows: Iterable[int]) -> list[int]:
        """The steps (1-based) that saw any of these rows."""
        wanted = set(rows)
        return [step for step in range(1, self.steps + 1) if not wanted.isdisjoint(self._rows_of(step))]

    @cached_property
    def rows_by_event(self) -> dict[str, list[int]]:
        """Event id -> rows that come from it."""
        found: dict[str, list[int]] = {}
        for row, events in self.events.items():
            for event in events:
                found.setdefault(event, []).append(row)
        return found

    def summary(self) -> dict[str, Any]:
        """The whole run, as JSON values."""
        card = self.card or {}
        return {
            "run": self.run["run_id"],
            "dataset": self.run["dataset"]["sha256"],
            "rows": len(self.lines),
            "events": len(self.rows_by_event),
            "steps": self.steps,
            "steps_per_epoch": num_steps(len(self.lines), self.run["config"]["batch_size"]),
            "checkpoints": [self._checkpoint(step) for step in self.checkpoints],
            "adapter_step": self.adapter_step,
            "adapter": card.get("files"),
            "parent": card.get("parent"),
        }

    def about_step(self, step: int) -> dict[str, Any]:
        """What a step saw, and the first checkpoint that has it, as JSON values.

        Raises:
            NotFound: The run has not made that step.
        """
        after = next((place for place in self.checkpoints if place >= step), None)
        return {
            "step": step,
            "rows": [self._row(row) for row in self.rows_of(step)],
            "checkpoint": None if after is None else self._checkpoint(after),
            "in_adapter": self._in_adapter([step]),
        }

    def about_line(self, line: int) -> dict[str, Any]:
        """The steps that saw the row in this line of the file, as JSON values.

        Raises:
            NotFound: No row that was trained on stands there.
        """
        if line not in self.lines:
            raise NotFound(
                f"line {line} holds no row that this run trains on", remedy=f"lines go up to {self.lines[-1]}"
            )
        row = self.lines.index(line)
        return {**self._row(row), **self._use([row])}

    def about_event(self, event: str) -> dict[str, Any]:
        """The rows that come from an event and the steps that saw them, as JSON values.

        Raises:
            NotFound: No row of this run comes from it.
        """
        rows = self.rows_by_event.get(event)
        if rows is None:
            raise NotFound(f"no row of this run comes from the event {event!r}")
        return {"event": event, "rows": [self._row(row) for row in rows], **self._use(rows)}

    def _row(self, row: int) -> dict[str, Any]:
        return {"line": self.lines[row], "id": self.names.get(row), "events": list(self.events.get(row, ()))}

    def _use(self, rows: Sequence[int]) -> dict[str, Any]:
        """Steps, and the newest checkpoint that has seen none of these rows."""
        steps = self.steps_of(rows)
        first = steps[0] if steps else None
        before = max((place for place in self.checkpoints if first is not None and place < first), default=None)
        return {
            "steps": steps,
            "first_step": first,
            "checkpoint_before": None if before is None else self._checkpoint(before),
            "in_adapter": self._in_adapter(steps),
        }

    def _in_adapter(self, steps: Sequence[int]) -> bool | None:
        return None if self.adapter_step is None else any(step <= self.adapter_step for step in steps)

    def _checkpoint(self, step: int) -> dict[str, Any]:
        kept = (self.folder / "checkpoints" / f"step-{step:08d}").is_dir()
        return {"step": step, "manifest": self.checkpoints[step], "kept": kept}


def read_lineage(folder: Path) -> Lineage:
    """The lineage of a run.

    Args:
        folder: The run's (:func:`~reactor_core.training.history.find_run`).

    Raises:
        NotFound: The folder holds no run, or one of a version that kept no lineage.
    """
    if not (folder / LINEAGE).is_file() or not (folder / RUN).is_file():
        raise NotFound(f"{folder} holds no lineage", remedy="it is kept for runs of this version and later ones")
    head, *named = _objects(folder / LINEAGE)
    lines = tuple(line + place for _, line, count in head["lines"] for place in range(count))
    card = folder / CARD
    finished = json.loads(card.read_text(encoding="utf-8")) if card.exists() else None
    return Lineage(
        folder=folder,
        run=json.loads((folder / RUN).read_text(encoding="utf-8")),
        card=finished,
        lines=lines,
        groups=None if head["groups"] is None else tuple(head["groups"]),
        names={row["row"]: row["id"] for row in named if row["id"] is not None},
        events={row["row"]: tuple(row["events"]) for row in named if row["events"]},
        steps=last_step(folder) if finished is None else finished["metrics"]["steps"],
        checkpoints=_checkpoints(folder / CHECKPOINTS),
    )


def _checkpoints(path: Path) -> dict[int, str]:
    # A step that was trained again after a kill has a second line; the later one holds.
    noted = {line["step"]: line["manifest"] for line in _objects(path)} if path.exists() else {}
    return dict(sorted(noted.items()))


def _objects(path: Path) -> list[dict[str, Any]]:
    """Of a JSON Lines file; a last line that was cut off is left out."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]
