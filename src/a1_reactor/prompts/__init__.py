"""Words into prompts: normalisation, style presets, templates and a small key:value language."""

from a1_reactor.prompts.dsl import compose
from a1_reactor.prompts.normalize import normalize_prompt
from a1_reactor.prompts.presets import DEFAULT_NEGATIVE, PRESETS
from a1_reactor.prompts.resolve import resolve
from a1_reactor.prompts.templates import TEMPLATES, render

__all__ = ["DEFAULT_NEGATIVE", "PRESETS", "TEMPLATES", "compose", "normalize_prompt", "render", "resolve"]
