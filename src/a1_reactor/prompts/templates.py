"""Prompts with a hole for the subject."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from types import MappingProxyType

from reactor_core.errors import SpecError

__all__ = ["TEMPLATES", "holes_of", "render"]

TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        "realistic_cinematic": "{subject}, realistic, cinematic framing, natural motion, soft film grain",
        "product_studio": "{subject}, product shot on a seamless backdrop, softbox lighting, slow turntable",
    }
)
"""Name -> text; ``{subject}`` is where the subject goes."""


def holes_of(text: str) -> set[str]:
    """Names of the holes of a template.

    Raises:
        SpecError: A brace is alone, or a hole is more than a name.
    """
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise SpecError(f"template {text[:60]!r}: {error}", remedy="write a brace that is meant twice: {{") from error
    found = set()
    for _, hole, form, conversion in parts:
        if hole is None:
            continue
        if not hole.isidentifier() or form or conversion:
            raise SpecError(f"template {text[:60]!r} has a hole that is no plain name", remedy="write {subject}")
        found.add(hole)
    return found


def render(template: str, templates: Mapping[str, str] = TEMPLATES, **values: str) -> str:
    """Fill a template.

    Args:
        template: Its name.
        templates: Where it is looked up.

    Raises:
        SpecError: The template is unknown, or a value is missing or has no place in it.
    """
    if template not in templates:
        raise SpecError(f"template {template!r} is unknown", remedy=f"one of: {', '.join(templates)}")
    text = templates[template]
    holes = holes_of(text)
    if holes != set(values):
        raise SpecError(
            f"template {template!r} takes {sorted(holes)}, not {sorted(values)}", remedy="pass exactly these"
        )
    return text.format(**values)
