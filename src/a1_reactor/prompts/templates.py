"""Prompts with a hole for the subject."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from types import MappingProxyType

from reactor_core.errors import SpecError

__all__ = ["TEMPLATES", "render"]

TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        "realistic_cinematic": "{subject}, realistic, cinematic framing, natural motion, soft film grain",
        "product_studio": "{subject}, product shot on a seamless backdrop, softbox lighting, slow turntable",
    }
)
"""Name -> text; ``{subject}`` is where the subject goes."""


def render(template: str, **values: str) -> str:
    """Fill a template.

    Raises:
        SpecError: The template is unknown, or a value is missing or has no place in it.
    """
    try:
        text = TEMPLATES[template]
    except KeyError:
        raise SpecError(f"template {template!r} is unknown", remedy=f"one of: {', '.join(TEMPLATES)}") from None
    holes = {hole for _, hole, _, _ in Formatter().parse(text) if hole}
    if holes != set(values):
        raise SpecError(
            f"template {template!r} takes {sorted(holes)}, not {sorted(values)}", remedy="pass exactly these"
        )
    return text.format(**values)
