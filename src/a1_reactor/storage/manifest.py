"""What a stored clip says about itself: ``job.json`` and ``run/manifest.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from a1_reactor.types import JobSpec
from reactor_core.errors import ArtifactCorrupt, SpecError

__all__ = ["ArtifactEntry", "FrameEntry", "JobRecord", "Manifest", "dump_json", "load_json"]

_VERSION = 1


@dataclass(frozen=True, slots=True)
class FrameEntry:
    """One frame file."""

    pixels: str
    """SHA-256 of size, type and pixels."""
    file: str
    """SHA-256 of the file's bytes."""
    size: int
    """Bytes of the file."""


@dataclass(frozen=True, slots=True)
class ArtifactEntry:
    """The mp4 file."""

    file: str
    """SHA-256 of the file's bytes."""
    size: int
    """Bytes of the file."""
    frames: int
    """How many frames it decoded to when it was stored."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every file of a clip; what is not in it is not part of the clip."""

    frames: tuple[FrameEntry, ...]
    artifact: ArtifactEntry

    def to_json(self) -> dict[str, Any]:
        return {
            "version": _VERSION,
            "frames": [asdict(entry) for entry in self.frames],
            "artifact": asdict(self.artifact),
        }

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Read ``run/manifest.json``.

        Raises:
            ArtifactCorrupt: It is missing or not one of ours.
        """
        document = load_json(path)
        try:
            return cls(
                frames=tuple(FrameEntry(**entry) for entry in document["frames"]),
                artifact=ArtifactEntry(**document["artifact"]),
            )
        except (KeyError, TypeError) as error:
            raise ArtifactCorrupt(f"{path} is no manifest: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """Where a clip comes from."""

    hash: str
    """SHA-256 over spec, provider, parent and settings; its first 16 digits name the folder."""
    asked: JobSpec
    """The spec as it was given."""
    resolved: JobSpec
    """The spec that the provider got."""
    origin: JobSpec
    """Resolved spec of the first ancestor; equals ``resolved`` for a clip without parent."""
    provider: Mapping[str, str]
    """The provider's identity."""
    parent: str | None
    """Key of the clip that windows were regenerated in, or None."""
    lineage: tuple[str, ...]
    """Keys of all ancestors, the first one first."""
    created: str
    """ISO 8601 in UTC."""

    def to_json(self) -> dict[str, Any]:
        return {
            "version": _VERSION,
            "hash": self.hash,
            "asked": self.asked.to_json(),
            "resolved": self.resolved.to_json(),
            "origin": self.origin.to_json(),
            "provider": dict(self.provider),
            "parent": self.parent,
            "lineage": list(self.lineage),
            "created": self.created,
        }

    @classmethod
    def load(cls, path: Path) -> JobRecord:
        """Read ``job.json``.

        Raises:
            ArtifactCorrupt: It is missing or not one of ours.
        """
        document = load_json(path)
        try:
            return cls(
                hash=str(document["hash"]),
                asked=JobSpec.parse(document["asked"]),
                resolved=JobSpec.parse(document["resolved"]),
                origin=JobSpec.parse(document["origin"]),
                provider=dict(document["provider"]),
                parent=document["parent"],
                lineage=tuple(document["lineage"]),
                created=str(document["created"]),
            )
        except (KeyError, TypeError, SpecError) as error:
            raise ArtifactCorrupt(f"{path} is no job record: {error}") from error


def dump_json(document: Mapping[str, Any]) -> bytes:
    """JSON for people and programs: sorted, indented, one newline at the end."""
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def load_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ArtifactCorrupt: The file is missing, no JSON, or no object.
    """
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ArtifactCorrupt(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise ArtifactCorrupt(f"{path} holds no JSON object")
    return document
