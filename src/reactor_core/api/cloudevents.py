"""Events as CloudEvents 1.0 in JSON, and back.

==================  ===========================================================================================
CloudEvent          event
==================  ===========================================================================================
id, source, type    ``event_id``, ``source``, ``event_type``, as they are; a short id is completed as a neighbour's is
time                ``timestamp``
data                ``data``; what is no JSON object is put into one, under ``value`` or ``data_base64``
priority            ``priority`` (extension attribute, integer)
sequence            ``seq``, in decimal digits (the documented extension of that name); not read
traceid             ``metadata["trace_id"]`` (extension attribute)
metadata            the rest of ``metadata``, as JSON text (extension attribute)
all others          kept in ``metadata["cloudevents"]`` and written again
==================  ===========================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec
from pydantic import TypeAdapter, ValidationError

from reactor_core.api.problems import Problem
from reactor_core.api.schemas import Moment
from reactor_core.events.event import Event
from reactor_core.utils.clock import to_iso

__all__ = ["BATCH", "SINGLE", "from_cloudevent", "to_cloudevent"]

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_KEPT = "cloudevents"
_moment = TypeAdapter[datetime](Moment)
# What a URI reference may hold as it is (RFC 3986).
_URI = ":/?#[]@!$&'()*+,;=%-._~"
_OURS = {"specversion", "id", "source", "type", "time", "data", "data_base64", "priority", "sequence", "traceid",
         "metadata"}  # fmt: skip


def to_cloudevent(event: Event) -> dict[str, Any]:
    """The event as a CloudEvent, as JSON values."""
    metadata = dict(event.metadata)
    kept = metadata.pop(_KEPT, None)
    if not _is_kept(kept):
        metadata, kept = dict(event.metadata), {"attributes": {}}
    found: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.event_id,
        "source": quote(str(event.source), safe=_URI),
        "type": str(event.event_type),
        "time": to_iso(event.timestamp),
        "datacontenttype": "application/json",
        **kept["attributes"],
        "priority": event.priority,
    }
    wrapped = kept.get("wrapped")
    if wrapped == "data_base64" and isinstance(event.data.get("data_base64"), str):
        found["data_base64"] = event.data["data_base64"]
    elif wrapped == "value" and "value" in event.data:
        found["data"] = event.data["value"]
    else:
        found["data"] = event.data
    if event.seq is not None:
        found["sequence"] = str(event.seq)
    if isinstance(metadata.get("trace_id"), str) and metadata["trace_id"]:
        found["traceid"] = metadata.pop("trace_id")
    if metadata:
        found["metadata"] = msgspec.json.encode(metadata).decode()
    return found


def from_cloudevent(value: object) -> Event:
    """Read a CloudEvent from JSON values.

    Raises:
        Problem: It is none; the problem points at the attribute.
        ConfigError: It is one, but no event: a name is too long, the data too large.
    """
    if not isinstance(value, Mapping):
        raise _invalid("", "a JSON object is needed")
    if value.get("specversion") != "1.0":
        raise _invalid("specversion", "only version 1.0 is read")
    for name in ("id", "source", "type"):
        if not isinstance(value.get(name), str) or not value[name]:
            raise _invalid(name, "text is needed")
    if "data" in value and "data_base64" in value:
        raise _invalid("data_base64", "an event has data or data_base64, not both")
    attributes = {name: content for name, content in value.items() if name not in _OURS and content is not None}
    for name, content in attributes.items():
        if not isinstance(content, str | bool | int):
            raise _invalid(name, "an attribute is text, a number or a truth value")
    metadata = _metadata(value)
    data, wrapped = _data(value)
    if attributes.get("datacontenttype") == "application/json":
        del attributes["datacontenttype"]
    if attributes or wrapped:
        metadata[_KEPT] = {"attributes": attributes} | ({"wrapped": wrapped} if wrapped else {})
    priority = value.get("priority")
    if priority is not None and (isinstance(priority, bool) or priority not in (1, 2, 3, 4)):
        raise _invalid("priority", "a lane from 1 to 4 is needed")
    return Event.from_dict(
        {
            "event_id": value["id"],
            "event_type": value["type"],
            "source": value["source"],
            "timestamp": _time(value),
            "priority": priority,
            "data": data,
            "metadata": metadata,
        }
    )


def _time(value: Mapping[str, Any]) -> str | None:
    if value.get("time") is None:
        return None
    if not isinstance(value["time"], str):
        raise _invalid("time", "text is needed")
    try:
        return to_iso(_moment.validate_python(value["time"]))
    except ValidationError as error:
        raise _invalid("time", error.errors()[0]["msg"]) from error


def _metadata(value: Mapping[str, Any]) -> dict[str, Any]:
    text, trace = value.get("metadata", "{}"), value.get("traceid")
    try:
        metadata = msgspec.json.decode(text, type=dict[str, Any])
    except (TypeError, msgspec.DecodeError, RecursionError) as error:
        raise _invalid("metadata", f"a JSON object as text is needed: {error}") from error
    if trace is not None:
        if not isinstance(trace, str):
            raise _invalid("traceid", "text is needed")
        metadata["trace_id"] = trace
    return metadata


def _data(value: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The data as an object, and under which name it was put into one."""
    if "data_base64" in value:
        if not isinstance(value["data_base64"], str):
            raise _invalid("data_base64", "text is needed")
        return {"data_base64": value["data_base64"]}, "data_base64"
    data = value.get("data", {})
    return (data, None) if isinstance(data, dict) else ({"value": data}, "value")


def _is_kept(kept: object) -> bool:
    """Whether a piece of metadata is what :func:`from_cloudevent` leaves there, and not somebody's own."""
    if not isinstance(kept, dict) or not isinstance(kept.get("attributes"), dict):
        return False
    return set(kept) <= {"attributes", "wrapped"} and not _OURS & set(kept["attributes"])


def _invalid(name: str, detail: str) -> Problem:
    pointer = f"/{name}" if name else ""
    return Problem("invalid", f"{pointer or 'the body'}: {detail}", errors=[{"pointer": pointer, "detail": detail}])
