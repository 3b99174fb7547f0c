"""This package's part of Reactor's main job, found through the entry-point group ``reactor.plugins``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from a1_reactor.config import ReactorConfig
from a1_reactor.engine.engine import ClipResult, ReactorEngine
from a1_reactor.engine.stages import overall_share
from a1_reactor.engine.summary import summarize_result
from a1_reactor.providers.mock import MockProvider
from a1_reactor.types import JobSpec, Window
from reactor_core import __version__
from reactor_core.errors import ArtifactCorrupt
from reactor_core.plugins import DemoContext
from reactor_core.utils.files import sha256_file

__all__ = ["A1Plugin", "plugin"]

_SIDE = 512
"""Pixels: the command line's 768 take about twice as long and show nothing more."""
_SECONDS = 3
_FPS = 24
_PROMPT = "cinematic golden hour street shot, handheld, shallow depth of field"
_REGEN_PROMPT = "same scene but sharper textures"
_WINDOW_S = ("0.8", "1.6")
_GENERATE_SHARE = 0.5


class A1Plugin:
    """Generates a clip and regenerates 0.8 seconds of it: the two commands of the README, at a smaller size."""

    name = "a1_reactor"
    version = __version__

    def job_kinds(self) -> Mapping[str, str]:
        """The jobs that make, import and export clips, see :mod:`a1_reactor.server`."""
        room = "a1_reactor.server"
        return {f"a1.{what}": f"{room}.{what}_job:{what}_job" for what in ("clip", "import", "export")}

    def demo_step(self, context: DemoContext) -> dict[str, Any]:
        """Make the clip and its regeneration anew, check both, publish their events.

        Raises:
            Halted: The kill switch is tripped; nothing of the clip that was being made remains.
            ArtifactCorrupt: A frame outside the window is not the parent's file, or an mp4 does not decode whole.
            StorageError: The clips could not be written.
        """
        start = time.monotonic()
        base, whole = 0.0, _GENERATE_SHARE

        def progress(stage: str, done: int, total: int) -> None:
            context.progress(f"{stage} {done}/{total}", base + whole * overall_share(stage, done, total))

        config = ReactorConfig(workspace=context.workspace, halted_by=context.halted_by)
        engine = ReactorEngine(config, MockProvider(), progress=progress)
        engine.store.sweep()
        spec = JobSpec(
            prompt=_PROMPT,
            style_preset="cinematic",
            seed=context.seed,
            seconds=_SECONDS,
            fps=_FPS,
            width=_SIDE,
            height=_SIDE,
            metadata={"run_id": context.run_id},
        )
        # Forced, because the step shows work done in this run and not a clip of an earlier one.
        parent = engine.generate(spec, force=True)
        _publish(context, "generation_complete", parent)

        base, whole = _GENERATE_SHARE, 1 - _GENERATE_SHARE
        window = Window.from_seconds(*_WINDOW_S, _FPS)
        asked = JobSpec(
            prompt=_REGEN_PROMPT,
            style_preset="cinematic",
            seed=context.seed,
            seconds=_SECONDS,
            fps=_FPS,
            width=_SIDE,
            height=_SIDE,
            windows=(window,),
            metadata={"run_id": context.run_id},
        )
        child = engine.regen(asked, parent=parent.clip, force=True)
        checked = _check(parent, child, window)
        _publish(context, "regen_complete", child)

        summary = summarize_result(child)
        before = parent.report["temporal_consistency"]
        return {
            "clip_path": summary["clip_path"],
            "parent_clip_path": summary["parent_clip_path"],
            "frames_dir": summary["frames_dir"],
            "regen_frames_changed": summary["regen_frames_changed"],
            "regen_frames_untouched": checked,
            "frames": summary["frames"],
            "fps": summary["fps"],
            "width": summary["width"],
            "height": summary["height"],
            "window": {"frames": [window.start, window.stop], "seconds": [float(part) for part in _WINDOW_S]},
            "decoded_frames": summary["decoded_frames"],
            "report": {
                "parent": {name: value for name, value in before.items() if name != "note"},
                "clip": {name: value for name, value in summary["temporal_consistency"].items() if name != "note"},
                "seams_before_blending": summary["seams"][0]["before_blending"],
                "seams_after_blending": summary["seams"][0]["after_blending"],
            },
            "filmstrip": summary["filmstrip"],
            "untouched": summary["untouched"],
            "lineage": {
                "run_id": context.run_id,
                "clip_id": summary["clip_id"],
                "parent_id": summary["parent_id"],
                "spec_hash": summary["spec_hash"],
                "parent_spec_hash": parent.clip.job.hash,
                "provider": summary["provider"],
                "seed": summary["seed"],
                "prompt": summary["prompt"],
            },
            "cpu_ms": {"generate": parent.report["timings"]["total"]["cpu_ms"], "regen": summary["cpu_ms"]},
            "seconds": time.monotonic() - start,
        }


def _check(parent: ClipResult, child: ClipResult, window: Window) -> int:
    """Compare the two stored clips file by file, independently of what the regeneration says of itself.

    Returns:
        How many frames outside the window were compared.
    """
    for result in (parent, child):
        clip = result.clip
        if clip.manifest.artifact.frames != clip.job.resolved.frames:
            raise ArtifactCorrupt(f"{clip.artifact} decodes to {clip.manifest.artifact.frames} frames")
    outside = [index for index in range(child.clip.frame_count) if index not in window.frames]
    for index in outside:
        old, new = parent.clip.frame_path(index), child.clip.frame_path(index)
        if sha256_file(old) != sha256_file(new):
            raise ArtifactCorrupt(f"{new} lies outside the window and differs from {old}")
    return len(outside)


def _publish(context: DemoContext, event_type: str, result: ClipResult) -> None:
    summary = summarize_result(result)
    kept = (
        "clip_id", "parent_id", "spec_hash", "provider", "prompt", "seed", "frames", "fps", "width", "height", "cpu_ms",
        "temporal_consistency", "windows", "seams", "regen_frames_changed", "regen_frames_untouched",
    )  # fmt: skip
    context.publish(
        event_type,
        {name: summary[name] for name in kept if name in summary},
        {"clip_path": summary["clip_path"], "lineage": summary["lineage"]},
    )


plugin = A1Plugin()
