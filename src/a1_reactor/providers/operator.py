"""``providers.toml``: the providers that an operator has set up, by name.

It lies in the folder of the clips (docs/providers/index.md). Jobs name a provider; where it is, what it may be sent and
with which key is written here and nowhere else.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from a1_reactor.providers.base import Provider
from a1_reactor.providers.comfyui import ComfyService
from a1_reactor.providers.described import CapabilitiesDocument, PriceDocument, first_problem
from a1_reactor.providers.diffusion import DiffusersProvider
from a1_reactor.providers.fal import FalService
from a1_reactor.providers.hosted import HostedProvider, Returns, Service
from a1_reactor.providers.http_provider import HTTPProvider
from a1_reactor.providers.http_v2 import HTTPProviderV2
from a1_reactor.providers.price import FREE
from a1_reactor.providers.replicate import PredictionService
from a1_reactor.providers.wire import Wire
from reactor_core.errors import ConfigError

__all__ = ["FILE_NAME", "DiffusersEntry", "Entry", "build_entry", "load_entries"]

FILE_NAME = "providers.toml"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FILES_OF = {"fal": ["v3.fal.media:443", "fal.media:443"], "replicate": ["replicate.delivery:443"]}
"""Where the two services keep results, unless the operator lists others."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Connection(_Entry):
    endpoint: str
    token_file: Path | None = None
    """File whose first line is the key; None for none."""
    timeout_s: Annotated[float, Field(gt=0)] = 120.0
    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    price: PriceDocument | None = None
    """What a call costs; None where that is not known, or the server says it."""


class HttpEntry(_Connection):
    """The HTTP contract, version 1."""

    kind: Literal["http"]


class RemoteEntry(_Connection):
    """What all providers have whose jobs may go on after the request."""

    files_from: list[str] | None = None
    """``host:port`` pairs whose URLs may stand in replies; None for those of the service."""
    job_timeout_s: Annotated[float, Field(gt=0)] = 3600.0


class Http2Entry(RemoteEntry):
    """The HTTP contract, version 2."""

    kind: Literal["http2"]


class _HostedEntry(RemoteEntry):
    capabilities: CapabilitiesDocument = CapabilitiesDocument()
    returns: Returns = "span"
    model: str = ""


class FalEntry(_HostedEntry):
    """A model's queue at fal."""

    kind: Literal["fal"]
    input: dict[str, Any]


class ReplicateEntry(_HostedEntry):
    """A model of Replicate, or a Cog container."""

    kind: Literal["replicate"]
    input: dict[str, Any]
    version: str | None = None


class ComfyEntry(_HostedEntry):
    """A workflow of ComfyUI."""

    kind: Literal["comfyui"]
    workflow: Path
    """File in API form."""
    output_node: str | None = None


class DiffusersEntry(_Entry):
    """A pipeline on this machine."""

    kind: Literal["diffusers"]
    folder: Path
    device: str = "cpu"
    dtype: str = "float32"
    capabilities: CapabilitiesDocument | None = None


Entry = HttpEntry | Http2Entry | FalEntry | ReplicateEntry | ComfyEntry | DiffusersEntry
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Annotated[Entry, Field(discriminator="kind")])


def load_entries(folder: Path, *, taken: Sequence[str] = ()) -> dict[str, Entry]:
    """Read ``providers.toml``; nothing where there is none.

    Args:
        folder: Of the clips.
        taken: Names that are built in.

    Raises:
        ConfigError: The file is no TOML, or an entry cannot be used; the message names the entry and the field.
    """
    path = folder / FILE_NAME
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    entries: dict[str, Entry] = {}
    for name, table in document.items():
        if not _NAME.fullmatch(name) or name in taken:
            raise ConfigError(
                f"{path}: {name!r} cannot be a provider's name",
                remedy="use small letters, digits, dots and dashes, and none of: " + ", ".join(taken),
            )
        try:
            entries[name] = _ENTRY.validate_python(table)
        except ValidationError as error:
            raise ConfigError(
                f"{path}: [{name}] {first_problem(error)}", remedy="see docs/providers/index.md"
            ) from error
    return entries


def build_entry(name: str, entry: Entry, *, folder: Path, allow: Sequence[str], pulse: Callable[[], None]) -> Provider:
    """Make the provider of an entry.

    Args:
        folder: Of ``providers.toml``; paths in it are relative to that.
        allow: ``host:port`` pairs of private addresses that may be called.
        pulse: What it raises ends a call.

    Raises:
        ConfigError: The endpoint is no URL, a file cannot be read, or a template holds a blank that nothing fills.
    """
    if isinstance(entry, DiffusersEntry):
        return DiffusersProvider(
            _path(folder, entry.folder),
            name=name,
            device=entry.device,
            dtype=entry.dtype,
            capabilities=None if entry.capabilities is None else replace(entry.capabilities.capabilities(), price=FREE),
            pulse=pulse,
        )
    price = None if entry.price is None else entry.price.price()
    if isinstance(entry, HttpEntry):
        return HTTPProvider(
            entry.endpoint,
            entry.timeout_s,
            name=name,
            allow=allow,
            attempts=entry.attempts,
            secret=_secret(folder, entry, "Bearer"),
            price=price,
            pulse=pulse,
        )
    wire = Wire(
        entry.endpoint,
        allow=allow,
        files_from=_FILES_OF.get(entry.kind, []) if entry.files_from is None else entry.files_from,
        timeout_s=entry.timeout_s,
        attempts=entry.attempts,
        secret=_secret(folder, entry, "Key" if entry.kind == "fal" else "Bearer"),
        pulse=pulse,
    )
    if isinstance(entry, Http2Entry):
        return HTTPProviderV2(wire, job_timeout_s=entry.job_timeout_s, name=name, price=price)
    can = entry.capabilities.capabilities()
    service: Service
    template: Mapping[str, Any]
    if isinstance(entry, ComfyEntry):
        service = ComfyService(wire, output_node=entry.output_node, job_timeout_s=entry.job_timeout_s)
        template = _workflow(_path(folder, entry.workflow))
    elif isinstance(entry, FalEntry):
        service, template = FalService(wire, job_timeout_s=entry.job_timeout_s), entry.input
    else:
        service = PredictionService(wire, version=entry.version, job_timeout_s=entry.job_timeout_s)
        template = entry.input
    return HostedProvider(
        name=name,
        service=service,
        template=template,
        capabilities=can if price is None else replace(can, price=price),
        returns=entry.returns,
        model=entry.model,
    )


def _path(folder: Path, path: Path) -> Path:
    return folder / path.expanduser()


def _secret(folder: Path, entry: _Connection, scheme: str) -> str | None:
    """Value of the ``Authorization`` header."""
    if entry.token_file is None:
        return None
    path = _path(folder, entry.token_file)
    try:
        key = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise ConfigError(f"token_file {path} cannot be read: {error}") from error
    if not key or len(key.split()) != 1 or not key.isprintable():
        raise ConfigError(f"token_file {path} does not hold one key", remedy="put the key alone into the file")
    return f"{scheme} {key}"


def _workflow(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"workflow {path} cannot be read: {error}") from error
    nodes = document.values() if isinstance(document, dict) else ()
    if not nodes or not all(isinstance(node, dict) and "class_type" in node for node in nodes):
        raise ConfigError(f"workflow {path} is not in API form", remedy='export it with "Export (API)"')
    assert isinstance(document, dict)
    return document
