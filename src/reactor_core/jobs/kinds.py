"""What sorts of work there are: training, and what plugins bring; the core imports none of theirs by name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from reactor_core.errors import NotFound
from reactor_core.jobs.context import JobContext
from reactor_core.plugins import JobPlugin, find_plugin, plugin_names

__all__ = ["OWN_KINDS", "JobKind", "find_kind", "kind_places"]

OWN_KINDS = {"train": "reactor_core.jobs.train_job:train_job"}
"""Kinds of the core and where they are, as :meth:`reactor_core.plugins.JobPlugin.job_kinds` has them."""


@runtime_checkable
class JobKind(Protocol):
    """A sort of work. What it does must be safe to do again: a worker may be killed at any moment."""

    name: str
    """As in the table, such as ``a1.clip``."""
    max_attempts: int
    """How often one of its jobs is tried, unless who submits it says otherwise."""

    def check(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """The spec as it is stored, JSON values with every default written out.

        Raises:
            ConfigError: It cannot be used.
        """
        ...

    def run(self, context: JobContext) -> dict[str, Any]:
        """Do the work; returns JSON values.

        Call ``context.progress`` or ``context.check`` every second or so: they end the work by an exception where it is
        to be canceled or paused. What is to be there when it goes on belongs into ``context.folder``.

        Raises:
            ReactorError: It failed. A ``retryable`` attribute that is true, or a storage error, has it tried again.
        """
        ...


def kind_places() -> dict[str, str]:
    """Every kind of the core and of the installed plugins, and where it is."""
    places = dict(OWN_KINDS)
    for name in plugin_names():
        plugin = find_plugin(name)
        if isinstance(plugin, JobPlugin):
            places |= plugin.job_kinds()
    return places


def find_kind(name: str) -> JobKind:
    """A kind by its name.

    Raises:
        NotFound: Neither the core nor an installed plugin has it.
    """
    places = kind_places()
    if name not in places:
        known = ", ".join(sorted(places))
        raise NotFound(f"nothing installed knows jobs of kind {name!r:.80}", remedy=f"known kinds: {known}")
    module, _, attribute = places[name].partition(":")
    kind = getattr(importlib.import_module(module), attribute)
    assert isinstance(kind, JobKind), f"{places[name]} has not the shape of a JobKind"
    return kind
