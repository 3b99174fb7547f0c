"""From what a person wrote to what a provider gets."""

from __future__ import annotations

from dataclasses import replace

from a1_reactor.prompts.normalize import normalize_prompt
from a1_reactor.prompts.presets import BUILT_IN, DEFAULT_NEGATIVE, Book
from a1_reactor.types import JobSpec

__all__ = ["resolve"]


def resolve(spec: JobSpec, book: Book = BUILT_IN) -> JobSpec:
    """The spec with its prompts spelled out: normalised, the preset's words added, the default negative filled in.

    A negative prompt that the spec has is kept as it is; only where it has none, the default list and the preset's own
    words stand in. Resolving twice changes nothing more, so a resolved spec may pass through any number of hands.

    Args:
        book: Presets by name.

    Raises:
        SpecError: The prompt is empty once normalised, or the preset is unknown.
    """
    prompt = normalize_prompt(spec.prompt)
    preset = None if spec.style_preset is None else book.preset(spec.style_preset)
    if preset is not None:
        prompt = f"{prompt}, {preset.prompt}"
    negative = spec.negative_prompt
    if negative is None:
        more = None if preset is None else preset.negative
        negative = DEFAULT_NEGATIVE if more is None else f"{DEFAULT_NEGATIVE}, {more}"
    if negative.strip():
        negative = normalize_prompt(negative, name="negative_prompt")
    return replace(spec, prompt=prompt, negative_prompt=negative.strip(), style_preset=None)
