"""Words into prompts: normalisation, style presets, templates, a small key:value language, and spec files."""

from a1_reactor.prompts.dsl import compose
from a1_reactor.prompts.normalize import normalize_prompt
from a1_reactor.prompts.presets import DEFAULT_NEGATIVE, PRESETS, Book, load_book
from a1_reactor.prompts.resolve import resolve
from a1_reactor.prompts.spec_file import read_spec, spec_of
from a1_reactor.prompts.templates import TEMPLATES, render

__all__ = [
    "DEFAULT_NEGATIVE",
    "PRESETS",
    "TEMPLATES",
    "Book",
    "compose",
    "load_book",
    "normalize_prompt",
    "read_spec",
    "render",
    "resolve",
    "spec_of",
]
