"""Frames from a server that speaks the HTTP contract, version 1 (docs/providers/http-provider.md)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import httpx
import stamina

from a1_reactor.media.frames import Frame
from a1_reactor.providers.base import BaseClip, Capabilities
from a1_reactor.providers.endpoint import Resolver, parse_endpoint, system_resolver
from a1_reactor.providers.http_reply import max_reply_bytes, reply_frames, request_body
from a1_reactor.types import JobSpec, Window
from reactor_core.errors import ProviderError

__all__ = ["HTTPProvider"]

_RETRYABLE = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses that say "later": the request was not judged. 500 is not among them; it may have cost a generation."""
_CONNECT_S = 10.0
_MAX_RETRY_AFTER_S = 60.0


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
        resolver: From names to addresses.

    Raises:
        ConfigError: The endpoint is no http(s) URL.
    """

    name = "http"
    version = "1"
    capabilities = Capabilities(context_frames=0, window_only=False)

    def __init__(
        self,
        endpoint: str,
        timeout_s: float = 120.0,
        *,
        allow: Iterable[str] = (),
        attempts: int = 3,
        retry_wait_s: float = 1.0,
        resolver: Resolver = system_resolver,
    ) -> None:
        self._endpoint = parse_endpoint(endpoint, allow)
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._retry_wait_s = retry_wait_s
        self._resolver = resolver

    def identity(self) -> Mapping[str, str]:
        """Contract and address: version 1 has no name for the model behind it."""
        return {"name": self.name, "version": self.version, "endpoint": str(self._endpoint.url)}

    def generate_frames(self, job: JobSpec) -> Iterator[Frame]:
        """Ask for the whole clip.

        Raises:
            ProviderError: The endpoint may not be called, did not answer in time, refused, or broke the contract.
        """
        body = self._post(replace(job, windows=()))
        return reply_frames(body, job, str(self._endpoint.url))

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
        yield from enumerate(reply_frames(body, job, str(self._endpoint.url)))

    def _post(self, job: JobSpec) -> bytes:
        def again(error: Exception) -> bool | float:
            if not (isinstance(error, ProviderError) and error.retryable):
                return False
            wait = getattr(error, "retry_after_s", None)
            return True if wait is None else wait

        for attempt in stamina.retry_context(
            on=again,
            attempts=self._attempts,
            timeout=None,
            wait_initial=self._retry_wait_s,
            wait_jitter=self._retry_wait_s / 2,
            wait_max=30.0,
        ):
            with attempt:
                return self._post_once(job)
        raise AssertionError("stamina ends in a result or an error")

    def _post_once(self, job: JobSpec) -> bytes:
        """One request; the whole reply, at most as long as an honest one can be."""
        shown, deadline = str(self._endpoint.url), time.monotonic() + self._timeout_s
        url = self._endpoint.pinned(self._resolver)
        limit = max_reply_bytes(job)
        timeout = httpx.Timeout(self._timeout_s, connect=min(_CONNECT_S, self._timeout_s))
        try:
            with (
                httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False) as client,
                client.stream(
                    "POST",
                    url,
                    json=request_body(job),
                    # A compressed reply could be far larger than it looks; PNG is compressed already.
                    headers={"Host": self._host(), "Accept": "application/json", "Accept-Encoding": "identity"},
                    # TLS is checked against the name, not against the address that was put in its place.
                    extensions={"sni_hostname": self._endpoint.url.host},
                ) as reply,
            ):
                if reply.status_code != 200:
                    raise _refused(shown, reply)
                if reply.headers.get("content-encoding", "identity") != "identity":
                    raise ProviderError(f"provider endpoint {shown}: sent a compressed reply, which was not asked for")
                chunks, size = [], 0
                for chunk in reply.iter_raw():
                    size += len(chunk)
                    if size > limit:
                        raise ProviderError(
                            f"provider endpoint {shown}: the reply is larger than {limit} bytes, "
                            f"more than {job.frames} frames of {job.width}x{job.height} can need"
                        )
                    if time.monotonic() > deadline:
                        raise self._late(shown)
                    chunks.append(chunk)
                return b"".join(chunks)
        except httpx.TimeoutException as error:
            raise self._late(shown) from error
        except httpx.TransportError as error:
            raise ProviderError(
                f"provider endpoint {shown}: {str(error) or type(error).__name__}",
                retryable=True,
                remedy="check that the server runs and answers at this address",
            ) from error

    def _host(self) -> str:
        return self._endpoint.url.netloc.decode("ascii")

    def _late(self, shown: str) -> ProviderError:
        return ProviderError(
            f"provider endpoint {shown}: no complete reply within {self._timeout_s:g} s",
            retryable=True,
            remedy="raise the timeout or ask for fewer frames",
        )


class _Refused(ProviderError):
    """A status other than 200, with the pause that the server asks for."""

    retry_after_s: float | None = None


def _refused(shown: str, reply: httpx.Response) -> ProviderError:
    remedy = "redirects are not followed: give the final address" if reply.is_redirect else None
    error = _Refused(
        f"provider endpoint {shown}: status {reply.status_code} {reply.reason_phrase}".rstrip(),
        retryable=reply.status_code in _RETRYABLE,
        remedy=remedy,
    )
    after = reply.headers.get("retry-after", "")
    # Only seconds: a date would have to be believed against a clock that may differ from ours.
    if after.isascii() and after.isdigit():
        error.retry_after_s = min(float(after), _MAX_RETRY_AFTER_S)
    return error
