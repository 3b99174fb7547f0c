"""``a1-reactor demo``, ``regen`` and ``run``: clips, and windows of clips made anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from a1_reactor.cli_perform import DEFAULTS, Common, config_of, maker_of, open_clip, perform

if TYPE_CHECKING:
    from a1_reactor.engine.engine import ClipResult, ReactorEngine

__all__ = ["demo", "regen", "run"]


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
    template: str | None = None,
    dsl: Annotated[bool, Parameter(negative=())] = False,
    common: Common = DEFAULTS,
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
        Look: cinematic, studio, noir, anime or one of your own; "none" for no preset.
    seed
        A whole number from 0; equal seeds give equal clips.
    width
        Pixels, even.
    height
        Pixels, even.
    template
        Template whose subject the prompt is, as `a1-reactor presets` lists them.
    dsl
        Read the prompt as key:value words, such as 'subject:"red fox" motion:"slow pan" light:dusk'.
    """
    from a1_reactor.types import JobSpec, parse_rational

    spec = JobSpec(
        prompt=_words(prompt, template, dsl, common),
        negative_prompt=negative_prompt,
        seconds=parse_rational(seconds, name="seconds"),
        fps=parse_rational(fps, name="fps"),
        style_preset=None if preset == "none" else preset,
        seed=seed,
        width=width,
        height=height,
    )
    perform("Generate", spec, common, lambda engine: engine.generate(spec, force=common.force))


def regen(
    *,
    prompt: str,
    regen: Annotated[list[tuple[str, str]], Parameter(name="--regen", negative=())],
    negative_prompt: str | None = None,
    parent: str | None = None,
    seconds: str | None = None,
    fps: str | None = None,
    preset: str | None = None,
    seed: int = 0,
    width: int | None = None,
    height: int | None = None,
    mask: str | None = None,
    no_blend: Annotated[bool, Parameter(negative=())] = False,
    common: Common = DEFAULTS,
) -> None:
    """Regenerate windows of a clip; every frame outside stays the same file.

    Parameters
    ----------
    prompt
        What the window is to show.
    regen
        Start and end of a window: seconds, time codes, or frames such as 19f; the end is outside. May be repeated.
    negative_prompt
        What to avoid; without it, a list of usual faults.
    parent
        Clip to start from: its id, folder or mp4, or a branch. Without it, the newest clip with the same size, fps and
        length; if there is none, one is generated first.
    seconds
        Length of the clip; by default that of the parent, else 3.0.
    fps
        Frames per second; by default those of the parent, else 24.
    preset
        Look: cinematic, studio, noir, anime or one of your own; "none" for no preset. By default that of `--parent`,
        else cinematic.
    seed
        A whole number from 0.
    width
        Pixels; by default those of the parent, else 768.
    height
        Pixels; by default those of the parent, else 768.
    mask
        Part of the picture to replace: LEFT,TOP,WIDTH,HEIGHT in pixels, with ,FEATHER for soft edges, or a PNG of the
        clip's size whose white is replaced. Everything else keeps the parent's very samples.
    no_blend
        Keep the provider's frames as they came, seams and all.
    """
    from a1_reactor.engine.blend import BlendConfig
    from a1_reactor.types import JobSpec, Mask, parse_rational, window_between

    start = None if parent is None else open_clip(common, parent)
    old = None if start is None else start.job.resolved
    look = preset if preset is not None else "cinematic" if start is None else start.job.asked.style_preset
    maker, options = (common.provider or "mock", {}) if start is None else maker_of(common, start)
    rate = parse_rational(fps if fps is not None else (old.fps if old else 24), name="fps")
    spec = JobSpec(
        prompt=prompt,
        negative_prompt=negative_prompt,
        seconds=parse_rational(seconds if seconds is not None else (old.seconds if old else 3), name="seconds"),
        fps=rate,
        style_preset=None if look == "none" else look,
        seed=seed,
        width=width if width is not None else (old.width if old else 768),
        height=height if height is not None else (old.height if old else 768),
        windows=tuple(window_between(begin, end, rate) for begin, end in regen),
        mask=None if mask is None else Mask.from_text(mask),
        provider=maker,
        options=options,
    )
    blend = BlendConfig(enabled=not no_blend)
    perform(
        "Regenerate",
        spec,
        common,
        lambda engine: replace(engine, blend=blend).regen(spec, parent=start, force=common.force),
    )


def run(spec: Path, *, parent: str | None = None, common: Common = DEFAULTS) -> None:
    """Generate or regenerate what a spec asks for.

    Parameters
    ----------
    spec
        JSON or YAML file with one spec, such as those in examples/specs.
    parent
        Clip or branch whose windows are regenerated, where the spec has windows.
    """
    from a1_reactor.prompts import load_book, read_spec

    job = read_spec(spec, load_book(config_of(common).workspace))
    start = None if parent is None else open_clip(common, parent)

    def work(engine: ReactorEngine) -> ClipResult:
        if job.windows:
            return engine.regen(job, parent=start, force=common.force)
        return engine.generate(job, force=common.force)

    perform("Regenerate" if job.windows else "Generate", job, common, work)


def _words(prompt: str, template: str | None, dsl: bool, common: Common) -> str:
    """The prompt that the options ask for."""
    from a1_reactor.prompts import compose, load_book, render

    words = compose(prompt) if dsl else prompt
    if template is None:
        return words
    return render(template, load_book(config_of(common).workspace).templates, subject=words)
