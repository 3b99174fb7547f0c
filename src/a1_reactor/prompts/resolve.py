"""From what a person wrote to what a provider gets."""

from __future__ import annotations

from dataclasses import replace

from a1_reactor.prompts.normalize import normalize_prompt
from a1_reactor.prompts.presets import DEFAULT_NEGATIVE, preset_suffix
from a1_reactor.types import JobSpec

__all__ = ["resolve"]


def resolve(spec: JobSpec) -> JobSpec:
    """The spec with its prompts spelled out: normalised, the preset's words added, the default negative filled in.

    Resolving twice changes nothing more, so a resolved spec may pass through any number of hands.

    Raises:
        SpecError: The prompt is empty once normalised, or the preset is unknown.
    """
    prompt = normalize_prompt(spec.prompt)
    if spec.style_preset is not None:
        prompt = f"{prompt}, {preset_suffix(spec.style_preset)}"
    negative = DEFAULT_NEGATIVE if spec.negative_prompt is None else spec.negative_prompt
    if negative.strip():
        negative = normalize_prompt(negative, name="negative_prompt")
    return replace(spec, prompt=prompt, negative_prompt=negative.strip(), style_preset=None)
