"""A service's input, written once by the operator with blanks that each job fills."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from reactor_core.errors import ConfigError, SpecError

__all__ = ["ABSENT", "check_template", "fill_template"]

_BLANK = re.compile(r"\{([a-z_]+)(?:\.([A-Za-z0-9_]+))?(?:\|([^{}]*))?\}")
ABSENT = object()
"""What a blank stands for where there is nothing, such as the frame behind the clip's last; its field is left out."""

Values = Mapping[str, Callable[[], Any]]
"""What blanks stand for, made when it is needed: a video is encoded only for services that want one."""


def check_template(template: Any, names: frozenset[str], where: str) -> None:
    """Look for blanks that nothing fills.

    Raises:
        ConfigError: There is one.
    """
    for text in _texts(template):
        for blank in _BLANK.finditer(text):
            if blank[1] != "options" and blank[1] not in names:
                raise ConfigError(
                    f"{where}: nothing fills {blank[0]}", remedy=f"known: {', '.join(sorted(names))}, options.NAME"
                )


def fill_template(template: Any, values: Values, options: Mapping[str, Any]) -> Any:
    """The template with its blanks filled.

    A text that is one blank becomes the value itself, a number stays a number; within other text the value is spelled
    out. ``{options.steps}`` is an option of the job, ``{options.steps|30}`` has a default (JSON, or else text).

    Raises:
        SpecError: An option without a default is not given.
    """
    filled = _fill(template, values, options)
    return {} if filled is ABSENT else filled


def _fill(template: Any, values: Values, options: Mapping[str, Any]) -> Any:
    if isinstance(template, Mapping):
        made = {key: _fill(value, values, options) for key, value in template.items()}
        return {key: value for key, value in made.items() if value is not ABSENT}
    if isinstance(template, list | tuple):
        return [value for item in template if (value := _fill(item, values, options)) is not ABSENT]
    if not isinstance(template, str):
        return template
    whole = _BLANK.fullmatch(template)
    if whole is not None:
        return _value(whole, values, options)

    def spelled(blank: re.Match[str]) -> str:
        value = _value(blank, values, options)
        return "" if value is ABSENT else value if isinstance(value, str) else json.dumps(value)

    return _BLANK.sub(spelled, template)


def _value(blank: re.Match[str], values: Values, options: Mapping[str, Any]) -> Any:
    name, option, default = blank.groups()
    if name != "options":
        return values[name]()
    if option in options:
        return options[option]
    if default is None:
        raise SpecError(
            f"the provider needs the option {option!r}", remedy=f'put "options": {{"{option}": ...}} into the spec'
        )
    try:
        return json.loads(default)
    except ValueError:
        return default


def _texts(template: Any) -> list[str]:
    if isinstance(template, str):
        return [template]
    parts = template.values() if isinstance(template, Mapping) else template if isinstance(template, list) else ()
    return [text for part in parts for text in _texts(part)]
