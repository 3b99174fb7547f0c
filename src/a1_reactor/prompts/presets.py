"""Looks that have a name, built in and a user's own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from a1_reactor.prompts.normalize import normalize_prompt
from a1_reactor.prompts.templates import TEMPLATES, holes_of
from reactor_core.errors import SpecError

__all__ = ["BUILT_IN", "DEFAULT_NEGATIVE", "FILE_NAME", "PRESETS", "Book", "Preset", "load_book", "preset_suffix"]

FILE_NAME = "presets.toml"
"""A user's own presets and templates, in the workspace of the clips."""

DEFAULT_NEGATIVE = "low quality, blurry, watermark, text, artifacts, distorted face, extra limbs"
"""What a clip avoids when its spec says nothing about that."""

PRESETS: Mapping[str, str] = MappingProxyType(
    {
        "cinematic": "cinematic lighting, shallow depth of field, film grain, wide dynamic range",
        "studio": "studio lighting, clean backdrop, sharp focus, even exposure",
        "noir": "black and white, hard shadows, high contrast, low-key lighting",
        "anime": "anime style, flat shading, clean outlines, saturated colours",
    }
)
"""Name -> words that follow the prompt, joined by a comma; these four are built in."""

_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Preset:
    """A look."""

    prompt: str
    """Words that follow the prompt, joined by a comma."""
    negative: str | None = None
    """What this look avoids besides the default list, where a spec says nothing about that itself."""


@dataclass(frozen=True, slots=True)
class Book:
    """Presets and templates by name."""

    presets: Mapping[str, Preset]
    templates: Mapping[str, str]
    own: frozenset[str] = frozenset()
    """Names of presets and templates that are the user's."""

    def preset(self, name: str) -> Preset:
        """A preset.

        Raises:
            SpecError: There is none of this name; the message lists those that exist.
        """
        if name not in self.presets:
            raise SpecError(f"preset {name!r} is unknown", remedy=f"one of: {', '.join(self.presets)}")
        return self.presets[name]


BUILT_IN = Book(MappingProxyType({name: Preset(words) for name, words in PRESETS.items()}), TEMPLATES)
"""What is there without any file."""


def preset_suffix(name: str) -> str:
    """The words of a built-in preset.

    Raises:
        SpecError: No preset has this name; the message lists those that exist.
    """
    return BUILT_IN.preset(name).prompt


def load_book(workspace: Path) -> Book:
    """The built-in presets and templates, and those of ``presets.toml`` in this folder::

        [presets.golden]
        prompt = "warm low sun, long shadows"
        negative = "harsh flash"

        [templates]
        portrait = "{subject}, portrait, window light"

    Raises:
        SpecError: The file cannot be read, or an entry cannot be used; the message names it.
    """
    path = workspace / FILE_NAME
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return BUILT_IN
    except OSError as error:
        raise SpecError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise SpecError(f"{path} is longer than {_MAX_BYTES} bytes")
    try:
        document = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} is no TOML: {error}") from error
    try:
        return _read_book(document)
    except SpecError as error:
        raise SpecError(f"{path}: {error.message}", remedy=error.remedy) from error


def _read_book(document: Mapping[str, Any]) -> Book:
    _known(document, {"presets", "templates"}, "the file")
    presets, templates = _table(document, "presets"), _table(document, "templates")
    for name in (*presets, *templates):
        if not name.strip() or name == "none":
            raise SpecError(f"{name!r} is no name for a preset or template", remedy="use a word, such as golden")
        if name in PRESETS or name in TEMPLATES:
            raise SpecError(f"{name!r} is built in", remedy="use another name, so that old specs keep their meaning")
    return Book(
        MappingProxyType({**BUILT_IN.presets, **{name: _read_preset(name, value) for name, value in presets.items()}}),
        MappingProxyType({**TEMPLATES, **{name: _read_template(name, value) for name, value in templates.items()}}),
        frozenset(presets) | frozenset(templates),
    )


def _read_preset(name: str, value: Any) -> Preset:
    if not isinstance(value, Mapping):
        raise SpecError(f"preset {name!r} is {value!r}", remedy=f'write [presets.{name}] and prompt = "..." below it')
    _known(value, {"prompt", "negative"}, f"preset {name!r}")
    words = _text(value.get("prompt"), f"prompt of preset {name!r}")
    negative = None if "negative" not in value else _text(value["negative"], f"negative of preset {name!r}")
    return Preset(words, negative)


def _read_template(name: str, value: Any) -> str:
    text = _text(value, f"template {name!r}")
    if not holes_of(text):
        raise SpecError(f"template {name!r} has no hole", remedy="put {subject} where the subject goes")
    return text


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise SpecError(f"{what} is {value!r}, no text")
    return normalize_prompt(value, name=what)


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name, {})
    if not isinstance(value, Mapping):
        raise SpecError(f"{name} is {value!r}, no table", remedy=f"begin it with [{name}]")
    return value


def _known(document: Mapping[str, Any], fields: set[str], where: str) -> None:
    unknown = sorted(set(document) - fields)
    if unknown:
        raise SpecError(f"{where} has an unknown field {unknown[0]!r}", remedy=f"fields: {', '.join(sorted(fields))}")
