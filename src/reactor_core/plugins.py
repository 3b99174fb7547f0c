"""Steps that other packages add to the main job.

The core never imports ``a1_reactor``; it finds what is installed through the entry-point group ``reactor.plugins``.
An entry point names an object that has the shape of :class:`Plugin`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from reactor_core.errors import NotFound

__all__ = ["GROUP", "DemoContext", "JobPlugin", "Plugin", "Publish", "find_plugin", "plugin_names"]

GROUP = "reactor.plugins"


class Publish(Protocol):
    """Write one event to the workspace's journal; returns after it is durable."""

    def __call__(self, event_type: str, data: dict[str, Any], metadata: dict[str, Any]) -> str:
        """Returns the event's id."""
        ...


@dataclass(frozen=True, kw_only=True)
class DemoContext:
    """What a plugin's step may use."""

    workspace: Path
    """Folder for the plugin's artefacts."""
    run_id: str
    """Run that every artefact names."""
    seed: int
    """Seed of the run."""
    progress: Callable[[str, float], None]
    """Called with what is being done and the share of the step that is done, 0 to 1."""
    publish: Publish
    """Journal writer."""
    halted_by: Path | None = None
    """Workspace whose kill switch ends the step: a plugin looks at its latch before each thing it makes. None: none."""


@runtime_checkable
class Plugin(Protocol):
    """What an entry point of the group names."""

    name: str
    version: str

    def demo_step(self, context: DemoContext) -> dict[str, Any]:
        """Run this package's part of the main job; returns JSON values.

        Raises:
            Halted: The kill switch is tripped.
            ReactorError: The part failed; nothing is reported as done that was not.
        """
        ...


@runtime_checkable
class JobPlugin(Protocol):
    """What a plugin has as well that knows how to do jobs."""

    def job_kinds(self) -> Mapping[str, str]:
        """Name of each kind and where it is, as ``module:attribute``; see :class:`reactor_core.jobs.kinds.JobKind`."""
        ...


def plugin_names() -> tuple[str, ...]:
    """Entry-point names of the installed plugins, sorted; none of them is imported."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


def find_plugin(name: str) -> Plugin:
    """One plugin by name.

    Raises:
        NotFound: It is not installed.
    """
    for entry in entry_points(group=GROUP, name=name):
        plugin = entry.load()
        assert isinstance(plugin, Plugin), f"entry point {name!r} of {GROUP} has not the shape of a Plugin"
        return plugin
    raise NotFound(
        f"no plugin {name!r} in the entry-point group {GROUP}",
        remedy="reinstall this distribution: pip install --force-reinstall --no-deps reactor-core",
    )
