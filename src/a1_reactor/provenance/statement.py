"""What a signed file says about itself: how it was made, of what, and which frames are new.

The words of C2PA 2.2 (https://spec.c2pa.org/specifications/specifications/2.2/specs/C2PA_Specification.html): actions,
ingredients, and an assertion of our own, ``org.reactor.regen``. The prompt is not among it; the hash of the spec is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a1_reactor.storage.clip import Clip
from a1_reactor.storage.sources import Source
from reactor_core import __version__

__all__ = ["REGEN_LABEL", "Ingredient", "Statement", "ingredient_entry", "statement_of"]

REGEN_LABEL = "org.reactor.regen"

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_PROGRAM = {"name": "a1-reactor", "version": __version__}
_DRAWN = frozenset({"mock", "inbetween"})
"""Providers that compute frames without a trained model."""
_IMPORT = "import"
_LABEL = "made-of"


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A file that another one was made of."""

    path: Path
    title: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A manifest, and the file that its first action opens."""

    manifest: dict[str, Any]
    ingredient: Ingredient | None
    """None for a clip that was made of words alone."""


def statement_of(clip: Clip, *, parent: Clip | None, source: Source | None, title: str) -> Statement:
    """What can be said of a clip.

    Args:
        parent: The clip that windows were regenerated in, where it is still there.
        source: The file that a clip without a parent was imported from.
        title: Name of the signed file.
    """
    job = clip.job
    made = {"softwareAgent": _PROGRAM, "digitalSourceType": _SOURCE_TYPES + _source_type(clip)}
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": [_LABEL]}}
    if job.parent is not None:
        ingredient = None if parent is None else Ingredient(parent.artifact, f"clip {parent.key}", "video/mp4")
        spans = ", ".join(f"{window.start} to {window.stop - 1}" for window in job.resolved.windows)
        edited = {"action": "c2pa.edited", **made, "description": f"frames {spans} were made anew"}
        # Without the parent's file nothing can be opened: then only what was done is said.
        actions = [opened, edited] if ingredient else [{**edited, "action": "c2pa.created"}]
    elif source is not None:
        ingredient = Ingredient(source.path, source.name, _media_type(source.path))
        actions = [opened, {"action": "c2pa.transcoded", "softwareAgent": _PROGRAM}]
    else:
        ingredient = None
        actions = [{"action": "c2pa.created", **made}]
    manifest = {
        "claim_generator_info": [_PROGRAM],
        "title": title,
        "format": "video/mp4",
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": REGEN_LABEL, "data": _facts(clip)},
        ],
    }
    return Statement(manifest, ingredient)


def ingredient_entry(ingredient: Ingredient) -> dict[str, Any]:
    """What the manifest says of an ingredient."""
    return {
        "title": ingredient.title,
        "format": ingredient.media_type,
        "relationship": "parentOf",
        "label": _LABEL,
    }


def _source_type(clip: Clip) -> str:
    drawn = clip.job.resolved.provider in _DRAWN
    if clip.job.parent is None:
        return "algorithmicMedia" if drawn else "trainedAlgorithmicMedia"
    filmed = clip.job.origin.provider == _IMPORT
    if drawn:
        return "compositeSynthetic" if filmed else "algorithmicMedia"
    return "compositeWithTrainedAlgorithmicMedia" if filmed else "trainedAlgorithmicMedia"


def _facts(clip: Clip) -> dict[str, Any]:
    job = clip.job
    inside = {index for window in job.resolved.windows for index in window.frames}
    digest = hashlib.sha256()
    for index, entry in enumerate(clip.manifest.frames):
        if index not in inside:
            digest.update(f"{index} {entry.pixels}\n".encode())
    facts: dict[str, Any] = {
        "clip": clip.key,
        "spec_sha256": job.hash,
        "provider": dict(job.provider),
        "seed": str(job.resolved.seed),  # CBOR and JSON readers disagree on numbers above 2^53
        "frames": clip.frame_count,
        "fps": str(job.resolved.fps),
    }
    if job.parent is not None:
        facts |= {
            "parent": job.parent,
            "windows": [[window.start, window.stop] for window in job.resolved.windows],
            "frames_kept": clip.frame_count - len(inside),
            "frames_kept_sha256_of_pixels": digest.hexdigest(),
        }
    return facts


def _media_type(path: Path) -> str:
    known = {".mov": "video/quicktime", ".m4v": "video/mp4", ".mp4": "video/mp4", ".avi": "video/avi"}
    return known.get(path.suffix.lower(), "application/octet-stream")
