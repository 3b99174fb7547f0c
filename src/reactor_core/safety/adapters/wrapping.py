"""Standing between a vendor's client and its server: every reply that may hold tool calls passes here.

Both vendors' clients send each request through their method ``post``, whichever of ``create``, ``stream``, ``parse`` or
``tool_runner`` was called, so that is where the gate stands. What it does not understand is an error, never a reply.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Protocol

from reactor_core.errors import ConfigError
from reactor_core.safety.running import on_thread

__all__ = ["Filter", "Vendor", "wrap_posts"]


class Filter(Protocol):
    """Holds back the pieces of a tool call until it is complete and came through the gate."""

    def feed(self, event: Any) -> list[Any]:
        """The events that may be seen now. May wait for people."""

    def waits(self, event: Any) -> bool:
        """Whether feeding this event may take longer than an instant."""


class Vendor(Protocol):
    """What differs between the vendors."""

    def concerns(self, path: str, /) -> bool:
        """Whether replies to this address may hold tool calls."""

    def sent(self, path: str, body: Mapping[str, Any], /) -> Mapping[str, Any]:
        """A request goes out: it tells what came of earlier calls. Returns the body to send."""

    def reply(self, path: str, reply: Any, /) -> Any:
        """A whole reply: what the caller may see of it. May wait for people."""

    def filter(self, path: str, /) -> Filter:
        """For a reply that comes in pieces."""


def wrap_posts(client: Any, vendor: Vendor) -> None:
    """Put a vendor's rules between a client, its later copies, and their server."""
    post, copy = client.post, client.copy

    def ready(path: str, options: dict[str, Any]) -> dict[str, Any]:
        body = options.get("body")
        return {**options, "body": vendor.sent(path, body)} if isinstance(body, Mapping) else options

    if inspect.iscoroutinefunction(type(client).post):

        async def guarded_post_async(path: str, **options: Any) -> Any:
            if not vendor.concerns(path):
                return await post(path, **options)
            _refuse_raw(options)
            reply = await post(path, **ready(path, options))
            if hasattr(reply, "_iterator"):
                reply._iterator = _pieces_async(reply._iterator, vendor.filter(path))  # noqa: SLF001  all of them
                return reply
            return await on_thread(vendor.reply, path, reply)

        client.post = guarded_post_async
    else:

        def guarded_post(path: str, **options: Any) -> Any:
            if not vendor.concerns(path):
                return post(path, **options)
            _refuse_raw(options)
            reply = post(path, **ready(path, options))
            if hasattr(reply, "_iterator"):
                reply._iterator = _pieces(reply._iterator, vendor.filter(path))  # noqa: SLF001  all iterate over it
                return reply
            return vendor.reply(path, reply)

        client.post = guarded_post

    def guarded_copy(**options: Any) -> Any:
        made = copy(**options)
        wrap_posts(made, vendor)
        return made

    client.copy = client.with_options = guarded_copy
    _forget_resources(client)


def _forget_resources(client: Any) -> None:
    """Parts that were made before hold the method that was there then; they are made anew when they are used."""
    for name in [name for name, value in vars(client).items() if hasattr(value, "_post")]:
        del client.__dict__[name]


def _refuse_raw(options: Mapping[str, Any]) -> None:
    headers = (options.get("options") or {}).get("headers") or {}
    if any(str(name).lower() == "x-stainless-raw-response" for name in headers):
        raise ConfigError(
            "a raw response cannot be looked into by the gate",
            remedy="call it without with_raw_response and with_streaming_response",
        )


def _pieces(events: Iterator[Any], guard: Filter) -> Iterator[Any]:
    for event in events:
        yield from guard.feed(event)


async def _pieces_async(events: AsyncIterator[Any], guard: Filter) -> AsyncIterator[Any]:
    async for event in events:
        for seen in await on_thread(guard.feed, event) if guard.waits(event) else guard.feed(event):
            yield seen
