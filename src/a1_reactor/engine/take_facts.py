"""What a take is, in plain values: what was asked, which frames answer it, how good they are, what they cost."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from a1_reactor.storage.clip import Clip
from a1_reactor.types import Window
from reactor_core.errors import ArtifactCorrupt, SpecError
from reactor_core.utils.canonical import content_hash

__all__ = ["METRICS", "Metric", "best_of", "take_facts", "take_metrics", "take_question", "take_reference"]

_MAX_IDS = 256
"""Frame ids that are written out; longer windows are named by the digest over all of them alone."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a clip's report that takes can be compared by."""

    higher: bool
    """Whether more is better."""
    read: Callable[[Mapping[str, Any]], float | None]
    """From ``run/report.json`` to the value; None where the clip has none."""
    meaning: str
    """In words."""


def _worst_seam(*names: str) -> Callable[[Mapping[str, Any]], float | None]:
    def read(report: Mapping[str, Any]) -> float | None:
        seams = report.get("regen", {}).get("seams", ())
        values = [seam["after_blending"].get(name) for seam in seams for name in names]
        return max((float(value) for value in values if value is not None), default=None)

    return read


def _steadiness(report: Mapping[str, Any]) -> float | None:
    score = report["temporal_consistency"]["score"]
    return None if score is None else float(score)


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "seam": Metric(False, _worst_seam("left", "right"), "worst visible join of the window, 1 is none"),
        "colour": Metric(False, _worst_seam("colour_left", "colour_right"), "worst colour step at a join, 1 is none"),
        "inside": Metric(
            False, _worst_seam("worst_inside"), "how far the worst frame of the window stands out, 1 is none"
        ),
        "steadiness": Metric(True, _steadiness, "temporal consistency of the whole clip, 1 is steady"),
    }
)
"""Name -> metric; the names that ``--best-of`` takes."""


def take_metrics(clip: Clip) -> dict[str, float | None]:
    """Every metric of a clip.

    Raises:
        ArtifactCorrupt: Its report lacks a field.
    """
    report = clip.report()
    try:
        return {name: metric.read(report) for name, metric in METRICS.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactCorrupt(
            f"the report of clip {clip.key} lacks {error}", remedy="make it again with --force"
        ) from error


def best_of(clips: list[Clip], metric: str) -> Clip:
    """The clip that a metric puts first; of equal ones, the one that stands first.

    Raises:
        SpecError: The metric is unknown, or no clip has a value.
        ArtifactCorrupt: A report lacks a field.
    """
    if metric not in METRICS:
        raise SpecError(f"metric {metric!r} is unknown", remedy=f"one of: {', '.join(METRICS)}")
    sign = -1 if METRICS[metric].higher else 1
    ranked = [(sign * value, clip) for clip in clips if (value := take_metrics(clip)[metric]) is not None]
    if not ranked:
        raise SpecError(f"none of the {len(clips)} takes has a value for {metric!r}", remedy="choose by eye: keep one")
    return min(ranked, key=lambda pair: pair[0])[1]


def take_question(clip: Clip) -> str:
    """What a clip answers, in words: equal for all takes of one window of one parent, and for no other clip.

    It is the ``prompt`` of the preferences that choices become.
    """
    spec = clip.job.resolved
    lines = [spec.prompt]
    if spec.negative_prompt:
        lines.append(f"without: {spec.negative_prompt}")
    if clip.job.parent is None:
        lines.append(f"[{spec.frames} frames at {spec.fps} fps, {spec.width}x{spec.height}]")
    else:
        windows = ", ".join(f"{window.start} to {window.stop - 1}" for window in spec.windows)
        part = "" if spec.mask is None else f", part {content_hash(spec.mask.to_json())[:16]}"
        lines.append(f"[clip {clip.job.parent}, frames {windows}{part}]")
    return "\n".join(lines)


def take_reference(clip: Clip) -> str:
    """One line that names a clip and proves its frames: the answer in the preferences that choices become."""
    spans = ",".join(f"{window.start}-{window.stop - 1}" for window in _windows(clip))
    return f"a1r:{clip.key}?frames={spans}&sha256={_digest(_frame_ids(clip))}"


def take_facts(clip: Clip, *, usd_per_hour: float | None) -> dict[str, Any]:
    """All that a choice writes down about a take.

    Args:
        usd_per_hour: Price of this machine; None where it is not known, and then no sum is.

    Raises:
        ArtifactCorrupt: The clip's report cannot be read.
    """
    job, ids = clip.job, _frame_ids(clip)
    return {
        "clip": clip.key,
        "hash": job.hash,
        "parent": job.parent,
        "windows": [[window.start, window.stop] for window in job.resolved.windows],
        "prompt": job.asked.prompt,
        "resolved_prompt": job.resolved.prompt,
        "negative_prompt": job.resolved.negative_prompt,
        "seed": job.resolved.seed,
        "provider": dict(job.provider),
        "frames": {"count": len(ids), "sha256": _digest(ids), "ids": ids if len(ids) <= _MAX_IDS else None},
        "metrics": take_metrics(clip),
        "cost": _cost(clip, usd_per_hour),
    }


def _cost(clip: Clip, usd_per_hour: float | None) -> dict[str, Any]:
    """Time of this machine and calls of the provider; a sum is there only where both are known."""
    report = clip.report()
    total, paid = report.get("timings", {}).get("total", {}), report.get("cost", {})
    wall_ms, provider = total.get("wall_ms"), paid.get("usd")
    machine = None if usd_per_hour is None or wall_ms is None else round(wall_ms / 3_600_000 * usd_per_hour, 9)
    return {
        "cpu_ms": total.get("cpu_ms"),
        "wall_ms": wall_ms,
        "machine_usd": machine,
        "provider_usd": provider,
        "provider_calls": paid.get("calls"),
        "provider_calls_broken_off": paid.get("broken_off"),
        "usd": None if machine is None or provider is None else round(machine + provider, 9),
    }


def _windows(clip: Clip) -> tuple[Window, ...]:
    return clip.job.resolved.windows or (Window(0, clip.frame_count),)


def _frame_ids(clip: Clip) -> list[str]:
    """Pixel hashes of the frames that the take made."""
    return [clip.manifest.frames[index].pixels for window in _windows(clip) for index in window.frames]


def _digest(ids: list[str]) -> str:
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()
