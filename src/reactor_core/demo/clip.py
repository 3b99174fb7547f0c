"""The clip of the main job, made by the generation package that is found as a plugin."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from reactor_core.integration import EventBridge
from reactor_core.plugins import DemoContext, find_plugin
from reactor_core.utils.console import Advance
from reactor_core.utils.settings import Settings

__all__ = ["PLUGIN", "run_clip_step"]

PLUGIN = "a1_reactor"


def run_clip_step(
    run_id: str,
    seed: int,
    settings: Settings,
    bridge: EventBridge,
    step: Callable[[str], AbstractContextManager[Advance]],
) -> dict[str, Any]:
    """Generate a clip and regenerate a window of it.

    Args:
        run_id: Run that the artefacts name.
        seed: Seed of the scene.
        settings: Where the clips are kept.
        bridge: Journal for the generation's own events.
        step: Opens a step of the run.

    Raises:
        NotFound: The generation package is not installed.
        Halted: The kill switch is tripped; nothing of the clip remains.
        ReactorError: Whatever the package raised.
    """
    plugin = find_plugin(PLUGIN)

    def publish(event_type: str, data: dict[str, Any], metadata: dict[str, Any]) -> str:
        return bridge.publish_sync(event_type, data, metadata={"run_id": run_id, **metadata}).event_id

    with step("Generate a clip and regenerate a window") as advance:
        return plugin.demo_step(
            DemoContext(
                workspace=settings.a1_workspace,
                run_id=run_id,
                seed=seed,
                progress=advance,
                publish=publish,
                halted_by=bridge.workspace,
            )
        )
