"""What a stored clip says about itself: ``job.json`` and ``run/manifest.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from a1_reactor.types import JobSpec
from reactor_core.errors import ArtifactCorrupt, SpecError

__all__ = [
    "ArtifactEntry",
    "FrameEntry",
    "JobRecord",
    "Manifest",
    "SegmentEntry",
    "VideoEntry",
    "dump_json",
    "load_json",
]

_VERSION = 2


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

    file: str | None
    """SHA-256 of the file's bytes; None where ``header`` and the segments' hashes say the same in pieces."""
    size: int
    """Bytes of the file."""
    frames: int
    """How many frames it decoded to when it was stored."""
    header: str | None = None
    """SHA-256 of what stands in front of the first segment."""


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A piece of the video with an encoder of its own."""

    key: str
    """SHA-256 over its frames, place and encoder: what it is found by in the store."""
    start: int
    """First frame."""
    stop: int
    """First frame behind."""
    file: str
    """SHA-256 of the file's bytes."""
    size: int
    """Bytes of the file."""
    payload: str
    """SHA-256 of the frames alone, which stand in the mp4 too."""
    offset: int
    """Bytes in front of the frames."""


@dataclass(frozen=True, slots=True)
class VideoEntry:
    """What the segments of a clip share."""

    encoder: str
    """Identity of the encoder; segments of another one do not fit between these."""
    config: str
    """Decoder configuration record that all of them need, in hexadecimal digits."""
    init: str
    """SHA-256 of ``init.mp4``."""
    init_size: int
    """Bytes of ``init.mp4``."""
    segments: tuple[SegmentEntry, ...]
    """In order and without gaps."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every file of a clip; what is not in it is not part of the clip."""

    frames: tuple[FrameEntry, ...]
    artifact: ArtifactEntry
    video: VideoEntry | None = None
    """None for a clip of the first format, whose mp4 is one piece."""

    def to_json(self) -> dict[str, Any]:
        return {
            "version": _VERSION,
            # Spelled out: asdict() copies deeply, and a minute has 1440 frames.
            "frames": [{"pixels": entry.pixels, "file": entry.file, "size": entry.size} for entry in self.frames],
            "artifact": asdict(self.artifact),
            "video": None if self.video is None else asdict(self.video),
        }

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Read ``run/manifest.json``.

        Raises:
            ArtifactCorrupt: It is missing or not one of ours.
        """
        try:
            manifest = _DECODER.decode(path.read_bytes())
        except OSError as error:
            raise ArtifactCorrupt(f"{path} cannot be read: {error}") from error
        except (ValueError, msgspec.MsgspecError) as error:
            raise ArtifactCorrupt(f"{path} is no manifest: {error}") from error
        if manifest.video is not None and not _covers(manifest.video.segments, len(manifest.frames)):
            raise ArtifactCorrupt(f"{path} is no manifest: its segments do not cover its frames")
        return manifest


_DECODER = msgspec.json.Decoder(Manifest)
"""Straight to the entries, by their types: every clip that is opened reads a line for each of its frames."""


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


def _covers(segments: Sequence[SegmentEntry], frames: int) -> bool:
    ends = [0, *(entry.stop for entry in segments)]
    starts = [entry.start for entry in segments]
    return starts == ends[:-1] and ends[-1] == frames and all(a < b for a, b in pairwise(ends))


def dump_json(document: Mapping[str, Any]) -> bytes:
    """JSON for people and programs: sorted, indented, one newline at the end."""
    # Python's own encoder is ten times slower where it indents, and a report holds numbers for every frame.
    flat = json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return msgspec.json.format(flat.encode(), indent=1) + b"\n"


def load_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ArtifactCorrupt: The file is missing, no JSON, or no object.
    """
    try:
        document = msgspec.json.decode(path.read_bytes())
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise ArtifactCorrupt(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise ArtifactCorrupt(f"{path} holds no JSON object")
    return document
