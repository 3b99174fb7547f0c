"""Specs as people write them: a file, with the prompt spelled out, in key:value words, or by a template."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from a1_reactor.prompts.document import read_document
from a1_reactor.prompts.dsl import compose
from a1_reactor.prompts.presets import BUILT_IN, Book
from a1_reactor.prompts.templates import render
from a1_reactor.types import JobSpec
from reactor_core.errors import SpecError

__all__ = ["read_spec", "spec_of"]

_WAYS = ("prompt", "prompt_dsl", "template")


def read_spec(path: Path, book: Book = BUILT_IN) -> JobSpec:
    """The spec in a ``.json``, ``.yaml`` or ``.yml`` file.

    Args:
        book: Templates by name.

    Raises:
        NotFound: The file cannot be read.
        SpecError: It holds no spec; the message names the file and the field.
    """
    document = read_document(path)
    try:
        return spec_of(document, book)
    except SpecError as error:
        raise SpecError(f"{path}: {error.message}", remedy=error.remedy) from error


def spec_of(document: Mapping[str, Any], book: Book = BUILT_IN) -> JobSpec:
    """Read a spec, which says its prompt in one of three ways.

    - ``prompt``: the words themselves.
    - ``prompt_dsl``: key:value words, see :mod:`a1_reactor.prompts.dsl`.
    - ``template``: an object with the ``name`` of a template and a value for each of its holes.

    All else is as :meth:`JobSpec.parse` has it. The spec holds the words that come out, so a template that is changed
    later changes no spec.

    Raises:
        SpecError: There is no way or more than one, or a field cannot be used.
    """
    values = dict(document)
    ways = [name for name in _WAYS if name in values]
    if not ways:
        JobSpec.parse({**values, "prompt": "-"})  # a mistyped name of a field is told before what is missing for it
    if len(ways) != 1:
        raise SpecError(
            f"the spec has {' and '.join(ways) or 'no prompt'}", remedy=f"write exactly one of {', '.join(_WAYS)}"
        )
    if "prompt_dsl" in values:
        text = values.pop("prompt_dsl")
        if not isinstance(text, str):
            raise SpecError(f"prompt_dsl={text!r} is no text", remedy='write prompt_dsl: subject:"red fox" light:dusk')
        values["prompt"] = compose(text)
    elif "template" in values:
        values["prompt"] = _filled(values.pop("template"), book)
    return JobSpec.parse(values)


def _filled(template: Any, book: Book) -> str:
    if not isinstance(template, Mapping) or not isinstance(template.get("name"), str):
        raise SpecError(
            f"template={template!r} has no name", remedy='write template: {"name": "product_studio", "subject": "..."}'
        )
    holes = {name: value for name, value in template.items() if name != "name"}
    for name, value in holes.items():
        if not isinstance(value, str):
            raise SpecError(f"template value {name}={value!r} is no text")
    return render(template["name"], book.templates, **holes)
