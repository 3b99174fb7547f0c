"""Spec files: JSON and YAML as plain values, without the surprises of either.

The YAML is version 1.2's core schema: ``no`` is a word, ``010`` is ten and ``1:30`` is a text (which a spec reads as a
time code), where PyYAML's own loader makes false, eight and ninety of them. Anchors, tags of one's own, keys that occur
twice and several documents in one file are refused.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from reactor_core.errors import NotFound, SpecError

__all__ = ["MAX_BYTES", "read_document"]

MAX_BYTES = 1 << 20
"""Longest spec file; a spec is a screenful."""

_YAML_SUFFIXES = {".yaml", ".yml"}


def read_document(path: Path) -> dict[str, Any]:
    """The object that a ``.json``, ``.yaml`` or ``.yml`` file holds.

    Raises:
        NotFound: The file cannot be read.
        SpecError: It is too long, has another ending, or holds no single object; the message names line and column.
    """
    suffix = path.suffix.lower()
    if suffix != ".json" and suffix not in _YAML_SUFFIXES:
        raise SpecError(f"{path} is no spec file", remedy="its name ends in .json, .yaml or .yml")
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise NotFound(f"cannot read {path}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise SpecError(f"{path} is longer than {MAX_BYTES} bytes", remedy="a file holds one spec")
    try:
        text = data.decode("utf-8-sig")
        value = _read_yaml(text) if suffix in _YAML_SUFFIXES else _read_json(text)
    except UnicodeDecodeError as error:
        raise SpecError(f"{path} is no UTF-8 at byte {error.start}", remedy="save it as UTF-8") from error
    except RecursionError as error:
        raise SpecError(f"{path} is nested too deeply") from error
    except (ValueError, yaml.YAMLError) as error:
        kind = "YAML" if suffix in _YAML_SUFFIXES else "JSON"
        raise SpecError(f"{path} is no {kind}: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise SpecError(f"{path} holds {type(value).__name__}, not an object", remedy="write prompt: ... and so on")
    return value


def _read_json(text: str) -> Any:
    def no_number(name: str) -> Any:
        raise ValueError(f"{name} is no number of JSON")

    return json.loads(text, object_pairs_hook=_without_twins, parse_constant=no_number)


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twin = next(key for key, _ in pairs if [name for name, _ in pairs].count(key) > 1)
        raise ValueError(f"field {twin!r} occurs twice")
    return found


def _read_yaml(text: str) -> Any:
    # A subclass of SafeLoader: it builds plain values only, and what it resolves by itself stands below.
    return yaml.load(text, Loader=_CoreLoader)  # noqa: S506


class _CoreLoader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema), without infinities and anchors."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if getattr(event, "anchor", None) is not None:
            # A few lines of anchors within anchors stand for gigabytes.
            raise yaml.composer.ComposerError(None, None, "anchors and aliases are not taken", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for (key, _), name in zip(node.value, keys, strict=True):
            if not isinstance(name, str) or keys.count(name) > 1:
                problem = f"field {name!r} " + ("occurs twice" if isinstance(name, str) else "is no text")
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
        return super().construct_mapping(node, deep=deep)


def _whole(loader: yaml.SafeLoader, node: Any) -> int:
    return int(loader.construct_scalar(node), 0 if node.value[:2] in ("0x", "0o") else 10)


def _number(loader: yaml.SafeLoader, node: Any) -> float:
    return float(loader.construct_scalar(node))


_TAG = "tag:yaml.org,2002:"
_PLAIN = yaml.SafeLoader.yaml_constructors
_CoreLoader.yaml_implicit_resolvers = {}
_CoreLoader.yaml_constructors = {_TAG + kind: _PLAIN[_TAG + kind] for kind in ("null", "bool", "str", "seq", "map")}
_CoreLoader.yaml_constructors[None] = _PLAIN[None]  # refuses every other tag
_CoreLoader.add_constructor(f"{_TAG}int", _whole)
_CoreLoader.add_constructor(f"{_TAG}float", _number)
for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    _CoreLoader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(rf"(?:{_pattern})\Z"), _first)
