"""From what a client sent to an event on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from reactor_core.api.cloudevents import BATCH, SINGLE, from_cloudevent
from reactor_core.api.problems import Problem, validation_problem
from reactor_core.api.schemas import EventIn
from reactor_core.errors import ConfigError, ReactorError
from reactor_core.events.dedup import content_key, named_key
from reactor_core.events.drafts import Appended, Draft
from reactor_core.events.event import Event, encode_payload, new_event
from reactor_core.events.vocabulary import Priority, deduplicates_by_content
from reactor_core.integration.event_bridge import EventBridge
from reactor_core.utils.ids import new_id

__all__ = ["append", "read_body"]

_one = TypeAdapter(EventIn)
_json = TypeAdapter(Any)


def read_body(body: bytes, content_type: str, *, most: int) -> tuple[list[Draft], bool]:
    """Read a request's body.

    Args:
        content_type: The header's value.
        most: Most events in a batch.

    Returns:
        The events, and whether the client sent a batch.

    Raises:
        Problem: The type is not known, the body cannot be read, or holds what is no event.
        ConfigError: The same, as found where events are made.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in ("application/json", SINGLE, BATCH):
        raise Problem("media-type", f"send application/json, {SINGLE} or {BATCH}, not {kind or 'nothing'!r:.80}")
    try:
        value = _json.validate_json(body)
    except ValidationError as error:
        raise Problem("malformed", f"the body is no JSON: {error.errors()[0]['msg']}") from error
    batch = isinstance(value, list) if kind == "application/json" else kind == BATCH
    if batch and not isinstance(value, list):
        raise Problem("invalid", "a batch is a JSON array", errors=[{"pointer": "", "detail": "an array is needed"}])
    items = value if batch else [value]
    if len(items) > most:
        raise Problem("body-too-large", f"{len(items)} events, at most {most} are taken at once")
    read = _draft if kind == "application/json" else _draft_of_cloudevent
    drafts = []
    for index, item in enumerate(items):
        try:
            drafts.append(read(item))
        except ValidationError as error:
            places = [{**found, "loc": (index, *found["loc"]) if batch else found["loc"]} for found in error.errors()]
            raise validation_problem(places, body=True) from error
        except Problem as problem:
            if batch and problem.errors:
                errors = [{**found, "pointer": f"/{index}{found['pointer']}"} for found in problem.errors]
                raise Problem(problem.name, f"event {index}: {problem.detail}", errors=errors) from problem
            raise
        except ConfigError as error:
            raise Problem(
                "invalid", str(error), errors=[{"pointer": f"/{index}" if batch else "", "detail": str(error)}]
            ) from error
    return drafts, batch


async def append(bridge: EventBridge, drafts: Sequence[Draft]) -> list[Appended | Problem]:
    """Append events; returns after they are on disk. Those of lane 1 reach this process's readers before that.

    Returns:
        One outcome for each: a Problem where the id belongs to another event.

    Raises:
        ReactorError: Not all of them are stored.
    """
    early = [draft.event for draft in drafts if _is_early(bridge, draft)]
    for event in early:
        bridge.bus.hand_out_early(event)
    try:
        outcomes = await bridge.journal.append_many_async(drafts)
    except ReactorError:
        for event in early:
            bridge.bus.forget_early(event)
        raise
    found: list[Appended | Problem] = []
    for draft, outcome in zip(drafts, outcomes, strict=True):
        if not isinstance(outcome, Appended) or outcome.duplicate:
            bridge.bus.forget_early(draft.event)
        if isinstance(outcome, Appended):
            found.append(outcome)
        elif isinstance(outcome, ConfigError):
            found.append(Problem("id-taken", str(outcome)))
        else:
            raise outcome
    return found


def _is_early(bridge: EventBridge, draft: Draft) -> bool:
    """Whether readers get the event at once: it is urgent, and cannot turn out to be there already."""
    if draft.event.priority != Priority.CRITICAL or draft.dedup_key is not None:
        return False
    return draft.payload is not None or not bridge.journal.has(draft.event.event_id)


def _made(event: Event, payload: bytes | None, dedup_key: str | None) -> Draft:
    """A draft that the journal cannot refuse but for its id.

    Args:
        payload: Its bytes where its id was made here; None if the id is the client's and may be there already.
        dedup_key: The client's, or None.

    Raises:
        ConfigError: The data cannot be stored.
    """
    if payload is None:
        encode_payload(event.data, event.metadata)
    key: str | None = None
    if dedup_key is not None:
        key = named_key(event.source, event.event_type, dedup_key)
    elif deduplicates_by_content(event.event_type, event.data):
        key = content_key(event.source, event.event_type, event.data)
    return Draft(event, payload, dedup_key=key)


def _draft(item: object) -> Draft:
    given = _one.validate_python(item)
    if given.event_id is None and given.timestamp is None:
        event, payload = new_event(
            given.source, given.event_type, given.data, priority=given.priority, metadata=given.metadata
        )
        return _made(event, payload, given.dedup_key)
    event = Event.from_dict(
        {
            "event_id": given.event_id or new_id(),
            "event_type": given.event_type,
            "source": given.source,
            "priority": given.priority,
            "data": given.data,
            "metadata": given.metadata,
            "timestamp": None if given.timestamp is None else given.timestamp.isoformat(),
        }
    )
    return _made(event, None, given.dedup_key)


def _draft_of_cloudevent(item: object) -> Draft:
    return _made(from_cloudevent(item), None, None)
