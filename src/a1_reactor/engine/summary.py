"""A result as one JSON object, for ``--json`` and for the main job."""

from __future__ import annotations

from typing import Any

from a1_reactor.engine.engine import ClipResult
from reactor_core.errors import ArtifactCorrupt

__all__ = ["summarize_result"]


def summarize_result(result: ClipResult) -> dict[str, Any]:
    """What was made, from what, and how well it holds together.

    Paths are absolute. The fields about a window are there only for a regenerated clip.

    Raises:
        ArtifactCorrupt: The clip's report lacks a field.
    """
    clip, spec, report = result.clip, result.clip.job.resolved, result.report
    try:
        summary: dict[str, Any] = {
            "clip_id": clip.key,
            "clip_path": str(clip.artifact.resolve()),
            "frames_dir": str(clip.frame_path(0).parent.resolve()),
            "report_path": str((clip.path / "run" / "report.json").resolve()),
            "spec_hash": clip.job.hash,
            "parent_id": clip.job.parent,
            "parent_clip_path": None if result.parent is None else str(result.parent.artifact.resolve()),
            "lineage": list(clip.job.lineage),
            "provider": dict(clip.job.provider),
            "prompt": spec.prompt,
            "seed": spec.seed,
            "width": spec.width,
            "height": spec.height,
            "fps": float(spec.fps),
            "seconds_asked": float(spec.seconds),
            "frames": clip.frame_count,
            "decoded_frames": report["decoded_frames"],
            "temporal_consistency": report["temporal_consistency"],
            "reused": result.reused,
            "notes": list(result.notes),
            "cpu_ms": report["timings"]["total"]["cpu_ms"],
            # A clip that was stored before costs were written down has none.
            "cost": report.get("cost"),
        }
        if clip.job.parent is not None:
            regen = report["regen"]
            summary |= {
                "windows": regen["windows"],
                "seams": regen["seams"],
                "blend": regen["blend"],
                "regen_frames_changed": regen["frames"]["changed"]["count"],
                "regen_frames_untouched": regen["frames"]["untouched"]["count"],
                "untouched": regen["frames"]["untouched"],
                "filmstrip": {
                    name: str((clip.path / "run" / f"filmstrip_{name}.png").resolve()) for name in ("before", "after")
                },
            }
    except (KeyError, TypeError) as error:
        raise ArtifactCorrupt(
            f"the report of clip {clip.key} lacks {error}", remedy="make it again with --force"
        ) from error
    return summary
