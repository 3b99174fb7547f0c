"""What goes in and out, as the API's own description shows it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

__all__ = [
    "AppendedOut",
    "BatchOut",
    "ConfirmIn",
    "DenyIn",
    "EventIn",
    "EventOut",
    "EventPage",
    "HealthOut",
    "KillIn",
    "Lane",
    "Moment",
    "ProblemOut",
    "RefusedOut",
    "RelayOut",
]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:$|[Tt ])", re.ASCII)

Name = Annotated[str, Field(min_length=1, max_length=200)]
Lane = Annotated[int, Field(ge=1, le=4)]


def _written_out(value: object) -> object:
    """Dates as people and ISO 8601 write them; pydantic would read numbers as seconds, too."""
    if isinstance(value, str) and not _DATE.match(value):
        raise ValueError("an ISO 8601 time is needed, such as 2026-11-21T10:00:00Z")
    return value


def _in_utc(moment: datetime) -> datetime:
    """Without a zone it is UTC: the client's own zone is not known here."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]


class EventIn(BaseModel):
    """An event to append."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"event_type": "cost_update", "source": "jarvis_agent", "data": {"amount": 0.47}}]
        },
    )

    event_type: Name = Field(description="A type of the vocabulary, as value or constant name, or a name of your own.")
    data: dict[str, JsonValue] = Field(description="What happened.")
    source: Name = Field("reactor_core", description="Who says so.")
    priority: Lane | None = Field(None, description="Lane; null takes the type's own.")
    metadata: dict[str, JsonValue] = Field(default_factory=dict, description="About the event rather than in it.")
    event_id: Name | None = Field(
        None,
        description="Makes a request that is sent twice append once: an id is stored once, ever. Null makes a new one.",
    )
    timestamp: Moment | None = Field(None, description="When it happened; without a zone it is UTC. Null is now.")
    dedup_key: Name | None = Field(
        None, description="Within 60 s the same key of the same source and type is the same event."
    )


class EventOut(BaseModel):
    """A stored event."""

    event_id: str
    event_type: str
    source: str
    timestamp: datetime
    priority: int
    data: dict[str, Any]
    metadata: dict[str, Any]
    seq: int = Field(description="Position in this workspace's journal.")


class EventPage(BaseModel):
    """One page of an answer."""

    events: list[EventOut]
    next_cursor: str | None = Field(description="Where the next page begins; null when there is none now.")
    resume: str = Field(description="A cursor for what is stored later.")


class AppendedOut(BaseModel):
    """An event that is on disk."""

    event_id: str
    seq: int
    duplicate: bool = Field(description="It was there before.")


class RefusedOut(BaseModel):
    """An event of a batch that was not stored, and why."""

    error: ProblemOut


class BatchOut(BaseModel):
    """What became of each event, in the order of the request."""

    results: list[AppendedOut | RefusedOut]


class RelayOut(BaseModel):
    """How one transport stands."""

    name: str
    state: str
    detail: str


class HealthOut(BaseModel):
    """How this process stands."""

    status: Literal["ok", "failing"]
    detail: str
    version: str
    uptime_seconds: float
    journal_id: str
    events: int = Field(description="Position of the last event.")
    kill_switch: Literal["clear", "tripped"]
    relays: list[RelayOut]


class ProblemOut(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(examples=["urn:reactor:problem:not-found"])
    title: str
    status: int
    detail: str
    instance: str
    errors: list[dict[str, str]] | None = None
    request_id: str | None = None


RefusedOut.model_rebuild()


class ConfirmIn(BaseModel):
    """What lets an action run: a code or a note."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": "123456"}]})

    code: Annotated[str, Field(max_length=16)] | None = Field(None, description="What the authenticator shows.")
    person: Name | None = Field(None, description="Whose code it is; null takes anybody's.")
    note: Annotated[str, Field(max_length=4096)] | None = Field(
        None, description="Made by `reactor safety sign` with an enrolled key, about the question's `subject`."
    )


class DenyIn(BaseModel):
    """Why an action is refused, as far as somebody says."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "that is my only copy"}]})

    reason: Annotated[str, Field(max_length=1000)] = Field("", description="In words.")
    person: Name | None = Field(None, description="Who refuses.")


class KillIn(BaseModel):
    """Why everything is halted."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "wrong files are deleted"}]})

    reason: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        "stopped through the API", description="In words; everybody who is halted reads it."
    )
