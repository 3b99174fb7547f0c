"""What the commands of ``a1-reactor`` that make clips have in common: their options, and running one job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from reactor_core.utils.command import print_json

if TYPE_CHECKING:
    from a1_reactor.config import ReactorConfig
    from a1_reactor.engine.engine import ClipResult, ReactorEngine
    from a1_reactor.storage.clip import Clip
    from a1_reactor.types import JobSpec
    from reactor_core.utils.console import Terminal

__all__ = [
    "DEFAULTS",
    "PLACE",
    "Common",
    "Place",
    "build_engine",
    "config_of",
    "maker_of",
    "open_clip",
    "open_terminal",
    "perform",
    "show_result",
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Place:
    """Options of every command."""

    workspace: Path | None = None
    """Folder of the clips; by default .a1r, or A1_REACTOR_WORKSPACE."""
    json: Annotated[bool, Parameter(negative=())] = False
    """Print one JSON object."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Common:
    """Options of every command that makes a clip."""

    provider: str | None = None
    """Where frames come from: a name that `a1-reactor providers` lists; by default whoever made the clip, else mock."""
    endpoint: str | None = None
    """URL for the providers http and http2."""
    timeout: float = 120.0
    """Longest that one request to it may take, in seconds."""
    workspace: Path | None = None
    """Folder of the clips; by default .a1r, or A1_REACTOR_WORKSPACE."""
    force: Annotated[bool, Parameter(negative=())] = False
    """Make the clip again even if it is there."""
    json: Annotated[bool, Parameter(negative=())] = False
    """Print one JSON object."""


DEFAULTS = Common()
PLACE = Place()


def config_of(options: Common | Place) -> ReactorConfig:
    """The configuration that the environment and the options ask for."""
    from a1_reactor.config import ReactorConfig
    from reactor_core.utils.settings import load_settings

    config = ReactorConfig.from_settings(load_settings())
    config = replace(config, workspace=options.workspace or config.workspace)
    if isinstance(options, Common):
        config = replace(config, http_endpoint=options.endpoint, http_timeout_s=options.timeout)
    return config


def open_terminal() -> Terminal:
    """What a person sees, on stderr."""
    from reactor_core.utils.console import Terminal
    from reactor_core.utils.settings import load_settings

    return Terminal(no_color=load_settings().no_color is not None)


def build_engine(common: Common, provider: str, told: Callable[[str, float], None]) -> ReactorEngine:
    """The engine that the options ask for.

    Args:
        provider: Name of the provider where the options name none.
        told: Called with what is going on and the share of the run that is done, 0 to 1.

    Raises:
        ConfigError: There is no such provider, or it lacks something.
    """
    from a1_reactor.engine.engine import ReactorEngine
    from a1_reactor.engine.stages import overall_share
    from a1_reactor.providers.catalog import build_provider

    config = config_of(common)

    def progress(stage: str, done: int, total: int) -> None:
        told(f"{stage} {done}/{total}", overall_share(stage, done, total))

    return ReactorEngine(config, build_provider(common.provider or provider, config), progress=progress)


def open_clip(options: Common | Place, name: str) -> Clip:
    """A clip by id, folder, mp4 or branch.

    Raises:
        NotFound: There is none.
        ArtifactCorrupt: Its folder is damaged.
    """
    from a1_reactor.storage.store import ClipStore
    from a1_reactor.storage.takes import TakeLog

    workspace = config_of(options).workspace
    return ClipStore(workspace).open(TakeLog(workspace).state().branches.get(name, name))


def maker_of(common: Common, parent: Clip) -> tuple[str, dict[str, Any]]:
    """Who makes new frames of a clip where no option says: whoever made the clip, with the options that it had then.

    Returns:
        Name of the provider, and its options.
    """
    from a1_reactor.engine.importing import IMPORT

    old = parent.job
    if common.provider is None and old.resolved.provider == IMPORT:  # a file that was imported makes no new frames
        return config_of(common).provider, {}
    maker = common.provider or old.resolved.provider
    return maker, dict(old.asked.options) if maker == old.resolved.provider else {}


def perform(title: str, spec: JobSpec, common: Common, work: Callable[[ReactorEngine], ClipResult]) -> None:
    """Run a job with a progress bar on stderr and its result on stdout."""
    with open_terminal().step(title) as advance:
        engine = build_engine(common, spec.provider, advance)
        engine.store.sweep()
        result = work(engine)
    show_result(result, json=common.json)


def show_result(result: ClipResult, *, json: bool) -> None:
    """Print a result on stdout and what is to be said about it on stderr."""
    from a1_reactor.engine.summary import summarize_result

    summary = summarize_result(result)
    if json:
        print_json(summary)
        return
    terminal = open_terminal()
    for note in summary["notes"]:
        terminal.note(f"  {note}")
    if summary["provider"]["name"] == "mock" and summary["parent_id"] is None:
        terminal.note("  the provider mock draws this scene without a model: a1-reactor providers lists the others")
    _show(summary)


def _show(summary: dict[str, Any]) -> None:
    score = summary["temporal_consistency"]["score"]
    print(summary["clip_path"])
    print(
        f"clip {summary['clip_id']}: {summary['frames']} frame{'s' if summary['frames'] > 1 else ''} "
        f"at {summary['fps']:g} fps, {summary['width']}x{summary['height']}, decoded {summary['decoded_frames']}"
        + (", was there already" if summary["reused"] else "")
    )
    if score is not None:
        print(f"temporal consistency {score:.3f} (1 is steady)")
    if not summary["reused"] and (paid := _paid(summary["cost"])):
        print(paid)
    if summary["parent_id"] is not None:
        print(
            f"parent {summary['parent_id']}: {summary['regen_frames_untouched']} frames are its own files, "
            f"{summary['regen_frames_changed']} changed"
        )
        for seam in summary["seams"]:
            before, after = seam["before_blending"], seam["after_blending"]
            start, stop = seam["window"]
            print(
                f"window of frames {start}..{stop - 1}: seam left {_ratio(before['left'])} -> {_ratio(after['left'])}, "
                f"right {_ratio(before['right'])} -> {_ratio(after['right'])} (1 is none)"
            )


def _paid(cost: dict[str, Any] | None) -> str:
    """What the provider was paid, in words; empty where it is free, or nothing was written down."""
    if cost is None or (cost["usd"] == 0 and not cost["broken_off"]):
        return ""
    calls = f"{cost['calls']} call{'' if cost['calls'] == 1 else 's'}"
    if cost["usd"] is None:
        told = f"{calls}, at a price that is not known (state it in providers.toml)"
    else:
        told = f"{calls}, ${cost['usd']:.4f}" if cost["usd"] else f"{calls}, free"
    broken = cost["broken_off"]
    return f"provider: {told}" + (f"; broken off: {broken}" if broken else "")


def _ratio(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"
