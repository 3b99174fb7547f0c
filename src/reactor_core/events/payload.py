"""What an event says, as the bytes that the journal stores and hashes: ``{"data": ..., "metadata": ...}``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from reactor_core.errors import ConfigError

__all__ = ["MAX_PAYLOAD_BYTES", "check_payload", "decode_payload", "encode_payload"]

MAX_PAYLOAD_BYTES = 1 << 20
"""Largest data + metadata of one event as JSON; larger things are files, and the event names the file."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def encode_payload(data: Mapping[str, Any], metadata: Mapping[str, Any]) -> bytes:
    """The bytes for data and metadata.

    Raises:
        ConfigError: A value has no JSON form, or the whole is larger than :data:`MAX_PAYLOAD_BYTES`.
    """
    # A dict is told by its class: asking the abstract class costs more than the encoding.
    if type(data) is not dict or type(metadata) is not dict:
        _refuse_other_than_mappings(data=data, metadata=metadata)
    try:
        payload = _encode({"data": data, "metadata": metadata})
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise ConfigError(f"event data cannot be written as JSON: {error}", remedy="pass JSON values") from error
    _check_size(payload)
    # The encoder writes NaN and infinities as null; only then is the walk through the values needed.
    if b"null" in payload:
        _refuse_non_finite("data", data)
        _refuse_non_finite("metadata", metadata)
    return payload


def decode_payload(payload: bytes | str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Data and metadata of stored bytes."""
    value = _decode(payload)
    return value["data"], value["metadata"]


def check_payload(payload: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """:func:`decode_payload` for bytes that somebody else made.

    Raises:
        ConfigError: They are no payload, or larger than :data:`MAX_PAYLOAD_BYTES`.
    """
    _check_size(payload)
    try:
        value = _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"not an event's payload: {error}") from error
    if not (isinstance(value, dict) and value.keys() == {"data", "metadata"}):
        raise ConfigError("not an event's payload: an object with 'data' and 'metadata' is needed")
    data, metadata = value["data"], value["metadata"]
    if not (isinstance(data, dict) and isinstance(metadata, dict)):
        raise ConfigError("not an event's payload: 'data' and 'metadata' must be objects")
    return data, metadata


def _check_size(payload: bytes) -> None:
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ConfigError(
            f"event of {len(payload)} bytes, at most {MAX_PAYLOAD_BYTES} are stored",
            remedy="write the content to a file and publish its path and hash",
        )


def _refuse_other_than_mappings(**values: object) -> None:
    for name, value in values.items():
        if not isinstance(value, Mapping):
            raise ConfigError(f"event field {name!r}: a mapping of names to JSON values is needed")


def _refuse_non_finite(path: str, value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(
            f"event field {path} is {value}, which JSON cannot carry", remedy="publish None or a string instead"
        )
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _refuse_non_finite(f"{path}.{key}", inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for index, inner in enumerate(value):
            _refuse_non_finite(f"{path}[{index}]", inner)
