"""Frames from a server that speaks the HTTP contract, version 1 (docs/providers/http-provider.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from a1_reactor.media.frames import Frame
from a1_reactor.providers.base import BaseClip, Capabilities
from a1_reactor.providers.endpoint import Resolver, system_resolver
from a1_reactor.providers.http_reply import max_reply_bytes, reply_frames, request_body
from a1_reactor.providers.price import Price
from a1_reactor.providers.wire import Wire, no_pulse
from a1_reactor.types import JobSpec, Window

__all__ = ["HTTPProvider"]


class HTTPProvider:
    """Posts a job and reads the frames from the reply.

    Redirects are not followed, proxies and credentials of the environment are not used, and every reply is held to
    the contract: the number of frames, their numbers, sizes and format, and a cap on bytes.

    Args:
        endpoint: URL to post to; the operator's choice, never a job's.
        timeout_s: Longest silence, and longest time for a whole reply while bytes keep coming; a server that sends a
            byte now and then is cut off as well. A request can take twice this long, no longer.
        allow: ``host:port`` pairs of private addresses that may be called; any other endpoint must be public.
        attempts: Times that a request is sent before its error counts; 1 for no retry.
        retry_wait_s: Pause before the second attempt; it doubles from there, and ``Retry-After`` overrides it.
        name: Name in specs and reports.
        secret: Value of the ``Authorization`` header; None for none.
        price: What a call costs; None where that is not known.
        pulse: Called four times a second while the reply is awaited; what it raises ends the call.
        resolver: From names to addresses.

    Raises:
        ConfigError: The endpoint is no http(s) URL.
    """

    version = "1"

    def __init__(
        self,
        endpoint: str,
        timeout_s: float = 120.0,
        *,
        allow: Iterable[str] = (),
        attempts: int = 3,
        retry_wait_s: float = 1.0,
        name: str = "http",
        secret: str | None = None,
        price: Price | None = None,
        pulse: Callable[[], None] = no_pulse,
        resolver: Resolver = system_resolver,
    ) -> None:
        self.name = name
        self.capabilities = Capabilities(context_frames=0, window_only=False, price=price)
        self._wire = Wire(
            endpoint,
            allow=allow,
            timeout_s=timeout_s,
            attempts=attempts,
            retry_wait_s=retry_wait_s,
            secret=secret,
            pulse=pulse,
            resolver=resolver,
        )

    def identity(self) -> Mapping[str, str]:
        """Contract and address: version 1 has no name for the model behind it."""
        return {"name": self.name, "version": self.version, "endpoint": self._wire.shown}

    def generate_frames(self, job: JobSpec) -> Iterator[Frame]:
        """Ask for the whole clip.

        Raises:
            ProviderError: The endpoint may not be called, did not answer in time, refused, or broke the contract.
        """
        return reply_frames(self._post(replace(job, windows=())), job, self._wire.shown)

    def regen_frames(
        self,
        job: JobSpec,
        base: BaseClip,  # noqa: ARG002  version 1 sends no frames
        windows: Sequence[Window],
    ) -> Iterator[tuple[int, Frame]]:
        """Ask for the clip with ``regen_windows``; version 1 always answers with all frames.

        Raises:
            ProviderError: As :meth:`generate_frames`.
        """
        body = self._post(replace(job, windows=tuple(windows)))
        yield from enumerate(reply_frames(body, job, self._wire.shown))

    def _post(self, job: JobSpec) -> bytes:
        return self._wire.call("POST", json=request_body(job), max_bytes=max_reply_bytes(job)).read()
