"""Publishing: one event or many, with or without a loop, and how sure to be before going on."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Literal, NamedTuple

from reactor_core.errors import ConfigError, JournalClosed, NotAcknowledged, ReactorError
from reactor_core.events import drafts
from reactor_core.events.dedup import content_key, named_key
from reactor_core.events.drafts import Appended, Outcome
from reactor_core.events.event import Event, new_event
from reactor_core.events.vocabulary import EventType, Priority, deduplicates_by_content
from reactor_core.integration.safety_emitters import SafetyEmitters
from reactor_core.integration.spine import Spine
from reactor_core.utils.clock import SystemClock

__all__ = ["Ack", "Draft", "Publishing"]

_log = logging.getLogger(__name__)
_clock = SystemClock()

Ack = Literal["durable", "none", "remote"]
"""When publishing returns: once the event is on this disk, at once, or once the hub has it on its disk too."""


MOST_UNHEARD = 16_384
"""Events published with ``ack="none"`` that may wait for the disk; behind them publishing waits for its own event."""


class Draft(NamedTuple):
    """One event for :meth:`EventBridge.publish_many`; the fields are the arguments of :meth:`EventBridge.publish`."""

    event_type: EventType | str
    data: Mapping[str, Any]
    priority: int | None = None
    metadata: Mapping[str, Any] | None = None
    dedup_key: str | None = None


Item = Draft | tuple[EventType | str, Mapping[str, Any]]


class Publishing(Spine, SafetyEmitters):
    """The part of a bridge that publishes."""

    async def publish(
        self,
        event_type: EventType | str,
        data: Mapping[str, Any],
        priority: int | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        dedup_key: str | None = None,
        ack: Ack = "durable",
        timeout: float | None = None,  # noqa: ASYNC109  as publish_sync has it, and it does not cancel the event
    ) -> Event:
        """Store an event and hand it to everybody who listens.

        Returns after the event is on disk. An event of lane 1 reaches the handlers of this process before that.
        Cancelling the call leaves open whether the event is stored.

        Args:
            event_type: A member of :class:`EventType`, or a name of your own.
            data: JSON values. An equal reading of the same source within 60 s (such as ``COST_UPDATE {"total": 15.4}``)
                is the same event and not stored again, also if another value lay between; a payload with ``amount``
                and every safety event always is stored.
            priority: Lane, 1 (most urgent) to 4; None takes the type's own. A kill switch is always in lane 1.
            metadata: About the event rather than in it.
            dedup_key: Names the event: within 60 s the same name under the same source and type is the same event,
                whatever the data, and another name is another event.
            ack: ``"durable"``; ``"none"`` returns at once, with ``seq`` None, and a failure to store is only logged
                (while 16,384 such events wait for the disk it waits too, so that memory stays bounded);
                ``"remote"`` returns when the hub has stored the event as well, for machines whose disk may vanish.
            timeout: Seconds to wait for the acknowledgement; None waits as long as it takes.

        Returns:
            The event with its position; for one that was there before, the earlier one.

        Raises:
            ConfigError: A name, the priority or a value cannot be used, or ``ack="remote"`` without a hub.
            StorageFull: The event is not stored, as no space is left.
            JournalError: The event is not stored.
            NotAcknowledged: The time is over. The event may be stored yet, or is stored here and goes out later.
        """
        self._check_ack(ack)
        deadline = None if timeout is None else time.monotonic() + timeout
        event, payload, key = self._prepare(Draft(event_type, data, priority, metadata, dedup_key))
        if ack == "none" and (event.priority == Priority.CRITICAL or self._unheard < MOST_UNHEARD):
            return self._send(event, payload, key)
        storing = self.journal.append_async(event, payload=payload, dedup_key=key)
        try:
            appended = await (storing if timeout is None else asyncio.wait_for(storing, timeout))
        except TimeoutError as error:
            raise _late(event, timeout) from error
        except ReactorError:
            self._forget(event)
            raise
        if appended.duplicate:
            self._forget(event)
        if self._keepers:
            await asyncio.to_thread(self._settle_halts)
        if ack == "remote":
            try:
                await asyncio.wait_for(asyncio.wrap_future(self._confirmed(appended.event)), _left(deadline))
            except TimeoutError as error:
                raise _late(appended.event, timeout) from error
        return appended.event

    def publish_sync(
        self,
        event_type: EventType | str,
        data: Mapping[str, Any],
        priority: int | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        dedup_key: str | None = None,
        ack: Ack = "durable",
        timeout: float | None = None,
    ) -> Event:
        """:meth:`publish` for code without a loop; blocks until the event is acknowledged."""
        self._check_ack(ack)
        deadline = None if timeout is None else time.monotonic() + timeout
        event, payload, key = self._prepare(Draft(event_type, data, priority, metadata, dedup_key))
        if ack == "none" and (event.priority == Priority.CRITICAL or self._unheard < MOST_UNHEARD):
            return self._send(event, payload, key)
        try:
            appended = self.journal.append(event, payload=payload, dedup_key=key).result(timeout)
        except TimeoutError as error:
            raise _late(event, timeout) from error
        except ReactorError:
            self._forget(event)
            raise
        if appended.duplicate:
            self._forget(event)
        self._settle_halts()
        if ack == "remote":
            waiting = self._confirmed(appended.event)
            try:
                waiting.result(_left(deadline))
            except TimeoutError as error:
                waiting.cancel()
                raise _late(appended.event, timeout) from error
        return appended.event

    async def publish_many(self, items: Iterable[Item]) -> list[Event]:
        """:meth:`publish` for many events at once: much cheaper than one by one, in their order, all acknowledged.

        They are stored in transactions of at most 512, so after a failure some may be stored.

        Args:
            items: Pairs of type and data, or :class:`Draft` for more than that.

        Returns:
            The events with their positions.

        Raises:
            ConfigError: One of them cannot be used; none is stored.
            StorageFull: Some are not stored, as no space is left.
            JournalError: Some are not stored.
        """
        events, prepared = self._prepare_many(items)
        try:
            outcomes = await self.journal.append_many_async(prepared)
        except ReactorError:
            self._forget_all(events)
            raise
        return self._stored(events, outcomes)

    def publish_many_sync(self, items: Iterable[Item]) -> list[Event]:
        """:meth:`publish_many` for code without a loop."""
        events, prepared = self._prepare_many(items)
        try:
            outcomes = self.journal.append_many(prepared).result()
        except ReactorError:
            self._forget_all(events)
            raise
        return self._stored(events, outcomes)

    def _prepare(self, draft: Draft) -> tuple[Event, bytes, str | None]:
        """The event, its payload and key; an urgent one is handed out already."""
        event, payload, key = self._make(draft)
        self._hand_out_early(event, key)
        return event, payload, key

    def _make(self, draft: Draft) -> tuple[Event, bytes, str | None]:
        if self._closed:
            raise JournalClosed("the bridge is closed")
        event_type, data, priority, metadata, dedup_key = draft
        event, payload = new_event(self.source, event_type, data, priority=priority, metadata=metadata, clock=_clock)
        if dedup_key is not None:
            return event, payload, named_key(event.source, event.event_type, dedup_key)
        if deduplicates_by_content(event.event_type, data):
            return event, payload, content_key(event.source, event.event_type, event.data)
        return event, payload, None

    def _hand_out_early(self, event: Event, key: str | None) -> None:
        """Lane 1 acts before it is stored, unless it may turn out to be the same as an earlier event."""
        if event.priority != Priority.CRITICAL:
            return
        self._halt(event)
        if self._bus is not None and key is None:
            self._bus.hand_out_early(event)

    def _prepare_many(self, items: Iterable[Item]) -> tuple[list[Event], list[drafts.Draft]]:
        made = [self._make(Draft(*item)) for item in items]
        for event, _, key in made:
            if event.priority == Priority.CRITICAL:
                self._hand_out_early(event, key)
        prepared = [drafts.Draft(event, payload, dedup_key=key) for event, payload, key in made]
        return [event for event, _, _ in made], prepared

    def _stored(self, events: list[Event], outcomes: list[Outcome]) -> list[Event]:
        stored: list[Event] = []
        for event, outcome in zip(events, outcomes, strict=True):
            if not isinstance(outcome, Appended):
                raise outcome
            if outcome.duplicate:
                self._forget(event)
            stored.append(outcome.event)
        return stored

    def _send(self, event: Event, payload: bytes, key: str | None) -> Event:
        def answered(future: Future[Appended]) -> None:
            with self._unheard_lock:
                self._unheard -= 1
            error = future.exception()
            if error is not None:
                _log.error(
                    "%s %s, published with ack='none', is not stored: %s", event.event_type, event.event_id, error
                )
            if error is not None or future.result().duplicate:
                self._forget(event)

        storing = self.journal.append(event, payload=payload, dedup_key=key)
        with self._unheard_lock:
            self._unheard += 1
        storing.add_done_callback(answered)
        return event

    def _forget(self, event: Event) -> None:
        if self._bus is not None and event.priority == Priority.CRITICAL:
            self._bus.forget_early(event)

    def _forget_all(self, events: list[Event]) -> None:
        for event in events:
            self._forget(event)

    def _check_ack(self, ack: str) -> None:
        if ack not in ("durable", "none", "remote"):
            raise ConfigError(f"ack={ack!r} is unknown", remedy="use 'durable', 'none' or 'remote'")
        if ack == "remote" and not self._has_hub():
            raise ConfigError(
                "ack='remote' needs a hub", remedy="set EVENT_BRIDGE_WS_URL, or publish with ack='durable'"
            )

    def _has_hub(self) -> bool:
        return self._relays is not None and self._relays.has_hub

    def _confirmed(self, event: Event) -> Future[None]:
        assert self._relays is not None, "there is a hub"
        assert self._thread is not None, "relays run on it"
        assert event.seq is not None, "it is stored"
        return self._thread.submit(self._relays.confirmed(event.priority, event.seq))


def _late(event: Event, timeout: float | None) -> NotAcknowledged:
    where = "it may be stored yet" if event.seq is None else f"it is stored here at {event.seq} and goes out later"
    return NotAcknowledged(f"event {event.event_id} was not acknowledged within {timeout} s; {where}")


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
