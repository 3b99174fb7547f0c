"""``a1-reactor``: parses, then calls the engine."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from reactor_core import __version__
from reactor_core.utils.command import print_json, run_app

if TYPE_CHECKING:
    from a1_reactor.engine.engine import ClipResult, ReactorEngine
    from a1_reactor.types import JobSpec

__all__ = ["app", "main"]

app = App(
    name="a1-reactor",
    version=__version__,
    help="Generate a clip, then regenerate a window of it; every frame outside stays the same file.",
)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Common:
    """Options of every command."""

    provider: str | None = None
    """Where frames come from: mock or http."""
    endpoint: str | None = None
    """URL of the http provider."""
    timeout: float = 120.0
    """Longest that one request to the http provider may take, in seconds."""
    workspace: Path | None = None
    """Folder of the clips; by default .a1r, or A1_REACTOR_WORKSPACE."""
    force: Annotated[bool, Parameter(negative=())] = False
    """Make the clip again even if it is there."""
    json: Annotated[bool, Parameter(negative=())] = False
    """Print one JSON object."""


_DEFAULTS = Common()


@app.command
def demo(
    *,
    prompt: str,
    negative_prompt: str | None = None,
    seconds: str = "2.0",
    fps: str = "24",
    preset: str = "cinematic",
    seed: int = 0,
    width: int = 768,
    height: int = 768,
    common: Common = _DEFAULTS,
) -> None:
    """Generate a clip.

    Parameters
    ----------
    prompt
        What to show.
    negative_prompt
        What to avoid; without it, a list of usual faults. An empty text avoids nothing.
    seconds
        Length, as a number, a ratio or a time code.
    fps
        Frames per second, such as 24 or 24000/1001.
    preset
        Look: cinematic, studio, noir or anime; "none" for no preset.
    seed
        A whole number from 0; equal seeds give equal clips.
    width
        Pixels, even.
    height
        Pixels, even.
    """
    from a1_reactor.types import JobSpec, parse_rational

    spec = JobSpec(
        prompt=prompt,
        negative_prompt=negative_prompt,
        seconds=parse_rational(seconds, name="seconds"),
        fps=parse_rational(fps, name="fps"),
        style_preset=None if preset == "none" else preset,
        seed=seed,
        width=width,
        height=height,
    )
    _perform("Generate", spec, common, lambda engine: engine.generate(spec, force=common.force))


@app.command
def regen(
    *,
    prompt: str,
    regen: Annotated[list[tuple[str, str]], Parameter(name="--regen", negative=())],
    negative_prompt: str | None = None,
    parent: str | None = None,
    seconds: str | None = None,
    fps: str | None = None,
    preset: str = "cinematic",
    seed: int = 0,
    width: int | None = None,
    height: int | None = None,
    no_blend: Annotated[bool, Parameter(negative=())] = False,
    common: Common = _DEFAULTS,
) -> None:
    """Regenerate windows of a clip; every frame outside stays the same file.

    Parameters
    ----------
    prompt
        What the window is to show.
    regen
        Start and end of a window, in seconds or as time codes; the end is outside. May be given several times.
    negative_prompt
        What to avoid; without it, a list of usual faults.
    parent
        Clip to start from: its id, folder or mp4. Without it, the newest clip with the same size, fps and length; if
        there is none, one is generated first.
    seconds
        Length of the clip; by default that of the parent, else 3.0.
    fps
        Frames per second; by default those of the parent, else 24.
    preset
        Look: cinematic, studio, noir or anime; "none" for no preset.
    seed
        A whole number from 0.
    width
        Pixels; by default those of the parent, else 768.
    height
        Pixels; by default those of the parent, else 768.
    no_blend
        Keep the provider's frames as they came, seams and all.
    """
    from a1_reactor.engine.blend import BlendConfig
    from a1_reactor.storage.store import ClipStore
    from a1_reactor.types import JobSpec, Window, parse_rational

    start = None if parent is None else ClipStore(_config(common).workspace).open(parent)
    old = None if start is None else start.job.resolved
    rate = parse_rational(fps if fps is not None else (old.fps if old else 24), name="fps")
    spec = JobSpec(
        prompt=prompt,
        negative_prompt=negative_prompt,
        seconds=parse_rational(seconds if seconds is not None else (old.seconds if old else 3), name="seconds"),
        fps=rate,
        style_preset=None if preset == "none" else preset,
        seed=seed,
        width=width if width is not None else (old.width if old else 768),
        height=height if height is not None else (old.height if old else 768),
        windows=tuple(Window.from_seconds(begin, end, rate) for begin, end in regen),
    )
    blend = BlendConfig(enabled=not no_blend)
    _perform(
        "Regenerate",
        spec,
        common,
        lambda engine: replace(engine, blend=blend).regen(spec, parent=start, force=common.force),
    )


@app.command
def run(spec: Path, *, parent: str | None = None, common: Common = _DEFAULTS) -> None:
    """Generate or regenerate what a JSON spec asks for.

    Parameters
    ----------
    spec
        File with one spec, such as those in examples/specs.
    parent
        Clip whose windows are regenerated, where the spec has windows.
    """
    from a1_reactor.storage.store import ClipStore
    from a1_reactor.types import JobSpec
    from reactor_core.errors import NotFound, SpecError

    try:
        document = jsonlib.loads(spec.read_bytes())
    except OSError as error:
        raise NotFound(f"cannot read {spec}: {error.strerror}") from error
    except ValueError as error:
        raise SpecError(f"{spec} is no JSON: {error}") from error
    job = JobSpec.parse(document)
    start = None if parent is None else ClipStore(_config(common).workspace).open(parent)

    def work(engine: ReactorEngine) -> ClipResult:
        if job.windows:
            return engine.regen(job, parent=start, force=common.force)
        return engine.generate(job, force=common.force)

    _perform("Regenerate" if job.windows else "Generate", job, common, work)


def _config(common: Common) -> Any:
    from a1_reactor.config import ReactorConfig
    from reactor_core.utils.settings import load_settings

    config = ReactorConfig.from_settings(load_settings())
    return replace(
        config,
        workspace=common.workspace or config.workspace,
        http_endpoint=common.endpoint,
        http_timeout_s=common.timeout,
    )


def _perform(title: str, spec: JobSpec, common: Common, work: Callable[[ReactorEngine], ClipResult]) -> None:
    """Run a job with a progress bar on stderr and its result on stdout."""
    from a1_reactor.engine.engine import ReactorEngine
    from a1_reactor.engine.stages import overall_share
    from a1_reactor.engine.summary import summarize_result
    from a1_reactor.providers.catalog import build_provider
    from reactor_core.utils.console import Terminal
    from reactor_core.utils.settings import load_settings

    config = _config(common)
    provider = build_provider(common.provider or spec.provider, config)
    terminal = Terminal(no_color=load_settings().no_color is not None)
    with terminal.step(title) as advance:
        engine = ReactorEngine(
            config,
            provider,
            progress=lambda stage, done, total: advance(f"{stage} {done}/{total}", overall_share(stage, done, total)),
        )
        engine.store.sweep()
        result = work(engine)
    summary = summarize_result(result)
    if common.json:
        print_json(summary)
    else:
        for note in summary["notes"]:
            terminal.note(f"  {note}")
        _show(summary)


def _show(summary: dict[str, Any]) -> None:
    score = summary["temporal_consistency"]["score"]
    print(summary["clip_path"])
    print(
        f"clip {summary['clip_id']}: {summary['frames']} frames at {summary['fps']:g} fps, "
        f"{summary['width']}x{summary['height']}, decoded {summary['decoded_frames']}"
        + (", was there already" if summary["reused"] else "")
    )
    if score is not None:
        print(f"temporal consistency {score:.3f} (1 is steady)")
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


def _ratio(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status (docs/reference/exit-codes.md)."""
    return run_app(app, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
