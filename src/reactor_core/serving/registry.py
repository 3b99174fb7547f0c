"""Adapters that have earned their place: immutable entries with their evidence, and the one in use.

On disk, under ``<workspace>/registry/``: ``entries/<id>.json``, written once, and ``current.json``, which names one
entry. Both are replaced whole, so a copy of the folder at any moment is readable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from reactor_core.errors import ArtifactCorrupt, NotFound, PromotionRefused
from reactor_core.eval.promotion import Promotion
from reactor_core.models.adapter_folder import hash_adapter
from reactor_core.utils.canonical import canonical_json, content_hash
from reactor_core.utils.clock import Clock, SystemClock, to_iso
from reactor_core.utils.files import atomic_write

__all__ = ["AdapterEntry", "AdapterRegistry"]


@dataclass(frozen=True, slots=True)
class AdapterEntry:
    """One registered adapter.

    Args:
        entry_id: The content hash of all other fields; an entry that was changed no longer matches it.
        adapter_dir: Folder of the adapter, absolute.
        adapter_hash: Hash over the names and bytes of the folder's files.
        evaluation: Summary of the evaluation that it passed.
        promotion: The paired tests behind the decision.
        parent: Entry that it replaced as the current one, or None for the first.
        created: When, ISO 8601 in UTC.
    """

    entry_id: str
    adapter_dir: str
    adapter_hash: str
    evaluation: Mapping[str, Any]
    promotion: Mapping[str, Any]
    parent: str | None
    created: str


class AdapterRegistry:
    """The registered adapters of a workspace.

    Args:
        workspace: The workspace folder; ``registry/`` is made inside it at the first registration.
        clock: Source of the entries' time.
    """

    def __init__(self, workspace: Path, *, clock: Clock | None = None) -> None:
        self._folder = Path(workspace) / "registry"
        self._clock = clock or SystemClock()

    def register(
        self,
        adapter_dir: Path,
        evaluation: Mapping[str, Any],
        promotion: Promotion,
    ) -> AdapterEntry:
        """Add an adapter and make it the current one; its parent is the one that was current before.

        Args:
            adapter_dir: Folder in PEFT's format. It is referred to, not copied; leave it as it is.
            evaluation: Summary as plain data, see :func:`reactor_core.eval.verdict_summary`.
            promotion: What :func:`reactor_core.eval.decide` returned.

        Raises:
            PromotionRefused: ``promotion`` is no passed decision.
            NotFound: The folder holds no adapter.
            StorageFull: No space is left; the registry is as it was.
        """
        # Types are not enforced at run time, and this is the gate that matters.
        if not isinstance(promotion, Promotion):
            raise PromotionRefused(
                f"an adapter is registered on evidence only, not on {type(promotion).__name__}",
                remedy="pass what reactor_core.eval.decide() returns",
            )
        adapter_hash = hash_adapter(Path(adapter_dir))
        (self._folder / "entries").mkdir(parents=True, exist_ok=True)
        # Two processes that register at once would otherwise name the same parent and lose one another's alias.
        with FileLock(self._folder / "lock"):
            current = self.current()
            fields: dict[str, Any] = {
                "adapter_dir": str(Path(adapter_dir).resolve()),
                "adapter_hash": adapter_hash,
                "evaluation": dict(evaluation),
                "promotion": promotion.as_dict(),
                "parent": None if current is None else current.entry_id,
                "created": to_iso(self._clock.utc_now()),
            }
            entry = AdapterEntry(entry_id=content_hash(fields), **fields)
            atomic_write(self._path(entry.entry_id), canonical_json(asdict(entry)))
            self._point_to(entry.entry_id)
        return entry

    def list(self) -> list[AdapterEntry]:
        """All entries, oldest first.

        Raises:
            ArtifactCorrupt: An entry was changed after it was written.
        """
        entries = [self._read(path) for path in (self._folder / "entries").glob("[0-9a-f]*.json")]
        return sorted(entries, key=lambda entry: (entry.created, entry.entry_id))

    def get(self, entry_id: str) -> AdapterEntry:
        """One entry.

        Raises:
            NotFound: There is no such entry.
            ArtifactCorrupt: It was changed after it was written.
        """
        path = self._path(entry_id)
        if not path.is_file():
            known = ", ".join(entry.entry_id for entry in self.list()) or "none"
            raise NotFound(f"no registered adapter {entry_id}; known: {known}")
        return self._read(path)

    def current(self) -> AdapterEntry | None:
        """The entry in use, or None if nothing was ever registered.

        Raises:
            ArtifactCorrupt: The alias cannot be read, or its entry was changed.
        """
        alias = self._folder / "current.json"
        if not alias.is_file():
            return None
        try:
            entry_id = json.loads(alias.read_bytes())["entry_id"]
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactCorrupt(
                f"{alias} cannot be read", remedy="choose an entry again with set_current()"
            ) from error
        return self.get(entry_id)

    def set_current(self, entry_id: str) -> AdapterEntry:
        """Use an earlier entry again.

        Raises:
            NotFound: There is no such entry.
        """
        entry = self.get(entry_id)
        with FileLock(self._folder / "lock"):
            self._point_to(entry_id)
        return entry

    def check(self, entry: AdapterEntry) -> Path:
        """The folder of an entry, once its bytes are known to be those that were evaluated.

        Raises:
            NotFound: The folder is gone.
            ArtifactCorrupt: Its files differ from those registered.
        """
        folder = Path(entry.adapter_dir)
        if hash_adapter(folder) != entry.adapter_hash:
            raise ArtifactCorrupt(
                f"{folder} is not the adapter that was evaluated",
                remedy="train and register again, or use another entry",
            )
        return folder

    def _path(self, entry_id: str) -> Path:
        return self._folder / "entries" / f"{entry_id}.json"

    def _point_to(self, entry_id: str) -> None:
        atomic_write(self._folder / "current.json", canonical_json({"entry_id": entry_id}))

    def _read(self, path: Path) -> AdapterEntry:
        try:
            fields = json.loads(path.read_bytes())
            entry = AdapterEntry(**fields)
        except (ValueError, TypeError) as error:
            raise ArtifactCorrupt(f"{path} is no registry entry: {error}") from error
        del fields["entry_id"]
        if content_hash(fields) != entry.entry_id or path.stem != entry.entry_id:
            raise ArtifactCorrupt(f"{path} was changed after it was written", remedy="restore it, or remove it")
        return entry
