"""The clips of the workspace as the API shows them, with what was said of them."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a1_reactor.engine.takes import TakeBook
from a1_reactor.storage.choices import TakeState
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.manifest import JobRecord
from a1_reactor.storage.store import ClipStore
from a1_reactor.storage.takes import TakeLog
from a1_reactor.types.rational import spell_rational
from reactor_core.errors import ArtifactCorrupt, NotFound

__all__ = ["ClipShelf"]

_KEY = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class _Known:
    stamp: tuple[int, int]
    record: JobRecord


class ClipShelf:
    """Looks clips up. Records are read once; whether one has changed is asked of the file system each time.

    Args:
        workspace: Folder of the clips.
        journal: File of the journal that gets what is chosen.
        usd_per_hour: Price of this machine, for the cost of a take; None if it is not known.
    """

    def __init__(self, workspace: Path, *, journal: Path, usd_per_hour: float | None = None) -> None:
        self.store = ClipStore(workspace)
        self._journal, self._usd_per_hour = journal, usd_per_hour
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def open(self, key: str) -> Clip:
        """A clip by its id, and by nothing else: a path from a request is not looked at.

        Raises:
            NotFound: There is none.
            ArtifactCorrupt: Its folder is damaged.
        """
        if not _KEY.fullmatch(key):
            raise NotFound(f"no clip has the id {key!r:.40}", remedy="GET /v1/clips lists them")
        return self.store.open(key)

    def newest(self, *, before: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
        """Clips, the newest first.

        Args:
            before: Older than the clip with this id; None begins with the newest.
            limit: At most so many.

        Returns:
            The clips, and the id that the next page begins behind; None at the end.

        Raises:
            NotFound: There is no clip ``before``.
        """
        records = self._records()
        order = sorted(records, key=lambda key: (records[key].created, key), reverse=True)
        if before is not None:
            if before not in records:
                raise NotFound(f"no clip has the id {before!r:.40}", remedy="begin again without before")
            order = order[order.index(before) + 1 :]
        page = order[:limit]
        state = TakeLog(self.store.workspace).state()
        shown = [_show(key, records[key], records, state) for key in page]
        return shown, page[-1] if len(order) > limit else None

    def show(self, key: str) -> dict[str, Any]:
        """One clip.

        Raises:
            NotFound: There is none.
            ArtifactCorrupt: Its folder is damaged.
        """
        clip = self.open(key)
        records = self._records()
        return _show(key, clip.job, records, TakeLog(self.store.workspace).state())

    def choose(self, key: str, verdict: str, *, actor: str, branch: str) -> dict[str, Any]:
        """Keep or reject a take, and tell the journal.

        Raises:
            NotFound: There is no such clip.
            SpecError: The branch's name cannot be used.
            StorageError: The choice could not be written.
        """
        clip, book = self.open(key), TakeBook(self.store, actor, usd_per_hour=self._usd_per_hour)
        event = book.keep(clip, branch=branch) if verdict == "keep" else book.reject(clip)
        book.publish(self._journal)
        return {"event_id": event.event_id, **self.show(key)}

    def prefer(self, key: str, other: str, *, actor: str) -> dict[str, Any]:
        """Say that one take is better than another, without keeping or rejecting either.

        Raises:
            NotFound: One of them is not there.
            SpecError: They are one clip, or answer different questions.
            StorageError: The choice could not be written.
        """
        book = TakeBook(self.store, actor, usd_per_hour=self._usd_per_hour)
        event = book.prefer(self.open(key), self.open(other))
        book.publish(self._journal)
        return {"event_id": event.event_id, "chosen": key, "rejected": other}

    def branches(self) -> dict[str, str]:
        """Name of each branch, and the clip at its head."""
        return dict(sorted(TakeLog(self.store.workspace).state().branches.items()))

    def point(self, name: str, key: str, *, actor: str) -> dict[str, str]:
        """Point a branch at a clip, and tell the journal; returns all branches.

        Raises:
            NotFound: There is no such clip.
            SpecError: The name cannot be used.
            StorageError: The choice could not be written.
        """
        book = TakeBook(self.store, actor)
        book.branch(name, self.open(key))
        book.publish(self._journal)
        return self.branches()

    def undo(self, *, actor: str) -> dict[str, Any]:
        """Take back the newest choice that came through here.

        Raises:
            NotFound: There is none.
            StorageError: It could not be written.
        """
        book = TakeBook(self.store, actor)
        event = book.undo()
        book.publish(self._journal)
        told = {name: str(event.data[name]) for name in ("action", "clip", "branch") if event.data.get(name)}
        return {"undone": event.event_id, **told}

    def _records(self) -> dict[str, JobRecord]:
        with self._lock:
            found: dict[str, _Known] = {}
            for path in self.store.cache.glob("*/job.json"):
                key = path.parent.name
                try:
                    status = path.stat()
                    stamp = status.st_ino, status.st_size
                    known = self._known.get(key)
                    if known is None or known.stamp != stamp:
                        known = _Known(stamp, JobRecord.load(path))
                except (OSError, ArtifactCorrupt):  # damaged, or going this moment: `a1-reactor verify` names it
                    continue
                found[key] = known
            self._known = found
            return {key: known.record for key, known in found.items()}


def _show(key: str, job: JobRecord, records: Mapping[str, JobRecord], state: TakeState) -> dict[str, Any]:
    spec, verdict = job.resolved, state.verdicts.get(key)
    here = f"/v1/clips/{key}"
    links = {name: f"{here}/{name}" for name in ("artifact", "report", "filmstrip.png", "frames", "preview")}
    return {
        "id": key,
        "created": job.created,
        "parent": job.parent,
        "lineage": list(job.lineage),
        "provider": dict(job.provider),
        "prompt": job.asked.prompt,
        "seed": spec.seed,
        "frames": spec.frames,
        "fps": str(spell_rational(spec.fps)),
        "fps_float": float(spec.fps),
        "seconds": float(spec.frames / spec.fps),
        "width": spec.width,
        "height": spec.height,
        "windows": [window.to_json() for window in spec.windows],
        "asked": job.asked.to_json(),
        "resolved": spec.to_json(),
        "verdict": None if verdict is None else verdict.to_json(),
        "branches": sorted(name for name, head in state.branches.items() if head == key),
        "takes": _takes(key, job, records),
        "links": {name.removesuffix(".png"): link for name, link in links.items()},
    }


def _takes(key: str, job: JobRecord, records: Mapping[str, JobRecord]) -> list[str]:
    """Clips that answer the same question: of the same parent and windows, in the order of their making."""
    if job.parent is None:
        return [key]
    same = [
        (other.created, name)
        for name, other in records.items()
        if other.parent == job.parent and other.resolved.windows == job.resolved.windows
    ]
    return [name for _, name in sorted(same)]
