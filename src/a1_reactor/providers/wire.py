"""Requests to one generation server: checked addresses, bounded replies, retries.

Redirects are not followed, proxies and credentials of the environment are not used, every reply has a cap on bytes and
on time, and every URL that a reply names is held to the same rules as the endpoint itself.
"""

from __future__ import annotations

import functools
import random
import ssl
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Any

import httpx

from a1_reactor.providers.endpoint import Endpoint, Resolver, parse_endpoint, system_resolver
from a1_reactor.providers.leaving import Exchange, Trace
from a1_reactor.providers.remote_job import pause
from reactor_core.errors import ConfigError, ProviderError
from reactor_core.utils.canonical import canonical_json

__all__ = ["Reply", "Wire", "no_pulse", "open_all"]

_RETRYABLE = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses that say "later": the request was not judged. 500 is not among them; it may have cost a generation."""
_CONNECT_S = 10.0
_MAX_RETRY_AFTER_S = 60.0
_MAX_WAIT_S = 30.0
_DISMISS_S = 10.0
_DISMISS_BYTES = 1 << 20
_IN_MEMORY = 16 << 20
_ERROR_TEXT = 400


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply. Its bytes are in a file that has no name, large ones on disk; read it, or use it in ``with``."""

    status: int
    headers: httpx.Headers
    file: IO[bytes]
    url: str
    """Where it came from, for messages."""

    def __enter__(self) -> IO[bytes]:
        return self.file

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def read(self) -> bytes:
        """All bytes; once."""
        with self as file:
            return file.read()

    @property
    def content_type(self) -> str:
        """The media type, without its parameters."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()

    @property
    def retry_after_s(self) -> float | None:
        """Seconds that the server asks to wait, at most a minute; None if it names none.

        Only seconds count: a date would have to be believed against a clock that may differ from ours.
        """
        return _retry_after(self.headers)


def open_all(openers: Iterable[Callable[[], IO[bytes]]], *, most: int, shown: str) -> list[IO[bytes]]:
    """Open files one after another; all of them, or none stays open.

    Args:
        most: Longest list.
        shown: Where it comes from, for the message.

    Raises:
        ProviderError: The list is longer.
    """
    with ExitStack() as closing:
        files: list[IO[bytes]] = []
        for opener in openers:
            if len(files) == most:
                raise ProviderError(f"provider endpoint {shown}: names more than {most} files")
            files.append(closing.enter_context(opener()))
        closing.pop_all()
        return files


@functools.cache
def _tls() -> ssl.SSLContext:
    """Certificates are read once, which takes longer than a request."""
    return httpx.create_ssl_context(trust_env=False)


def no_pulse() -> None:
    """Nobody wants to end the call."""


class Wire:
    """Sends requests to an endpoint and to what its replies name.

    Args:
        endpoint: URL; the operator's choice, never a job's.
        allow: ``host:port`` pairs of private addresses that may be called; any other must be public.
        files_from: ``host:port`` pairs of other servers whose URLs may stand in replies, such as a file store.
        timeout_s: Longest silence, and longest time for a whole reply while bytes keep coming; a server that sends a
            byte now and then is cut off as well. A request can take twice this long, no longer.
        attempts: Times that a request is sent before its error counts; 1 for no retry.
        retry_wait_s: Pause before the second attempt; it doubles from there, and ``Retry-After`` overrides it.
        secret: Value of the ``Authorization`` header; only the endpoint's own server gets it.
        pulse: Called four times a second while anything is awaited; what it raises ends the call.
        resolver: From names to addresses.

    Raises:
        ConfigError: The endpoint is no http(s) URL.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        allow: Iterable[str] = (),
        files_from: Iterable[str] = (),
        timeout_s: float = 120.0,
        attempts: int = 3,
        retry_wait_s: float = 1.0,
        secret: str | None = None,
        pulse: Callable[[], None] = no_pulse,
        resolver: Resolver = system_resolver,
    ) -> None:
        self._allow = tuple(allow)
        self._files_from = frozenset(entry.lower() for entry in files_from)
        self.endpoint = parse_endpoint(endpoint, self._allow)
        self.timeout_s = timeout_s
        self._attempts = attempts
        self._retry_wait_s = retry_wait_s
        self._secret = secret
        self.pulse = pulse
        self._resolver = resolver

    @property
    def shown(self) -> str:
        """The endpoint, for messages."""
        return str(self.endpoint.url)

    def follow(self, text: str) -> Endpoint:
        """An address that a reply names: on the endpoint's own server, or on one that the operator has listed.

        Raises:
            ProviderError: It lies elsewhere.
        """
        try:
            found = parse_endpoint(str(self.endpoint.url.join(text)), self._allow)
        except (ConfigError, httpx.InvalidURL, ValueError) as error:
            raise ProviderError(f"provider endpoint {self.shown}: names {text[:200]!r}, which is no URL") from error
        if found.origin != self.endpoint.origin and found.pair not in self._files_from:
            raise ProviderError(
                f"provider endpoint {self.shown}: names {found.url}, on another server",
                remedy=f"list {found.pair} in the provider's files_from, if this is where it keeps its files",
            )
        return found

    def fetch(self, text: str, *, max_bytes: int) -> IO[bytes]:
        """A file that a reply names; the caller closes it.

        Raises:
            ProviderError: It lies on another server, or as :meth:`call`.
        """
        return self.call("GET", self.follow(text), max_bytes=max_bytes, accept_type="*/*").file

    def call(
        self,
        method: str,
        target: Endpoint | None = None,
        *,
        max_bytes: int,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (200,),
        accept_type: str = "application/json",
    ) -> Reply:
        """Send a request, again where that may help, and read the whole reply.

        Args:
            target: Where to; None for the endpoint.
            max_bytes: Longest reply.
            json: Body as JSON; or ``content`` with its own ``Content-Type`` in ``headers``.
            accept: Statuses that are answers; any other is an error.
            accept_type: What the reply may be.

        Raises:
            ProviderError: The address may not be called, did not answer in time, or refused.
        """
        target = target or self.endpoint
        sent = dict(headers or {}) | {"Accept": accept_type}
        if json is not None:
            content, sent["Content-Type"] = canonical_json(json), "application/json"
        for attempt in range(1, self._attempts + 1):
            self.pulse()
            try:
                return self._once(method, target, content, sent, max_bytes, accept)
            except ProviderError as error:
                if not error.retryable or attempt == self._attempts:
                    raise
                asked = error.retry_after_s if isinstance(error, _Refused) else None
            pause(self._retry_wait(attempt) if asked is None else asked, self.pulse)
        raise AssertionError("the last attempt ends in a reply or an error")

    def dismiss(self, method: str, target: Endpoint, *, json: Any = None) -> None:
        """Tell the server that a job is no longer wanted: once, within ten seconds, whatever ``pulse`` says.

        Raises:
            ProviderError: The server did not take it; a job that is gone already counts as taken.
        """
        content = None if json is None else canonical_json(json)
        headers = {"Accept": "*/*"} | ({} if json is None else {"Content-Type": "application/json"})
        calm = Wire(
            self.shown,
            allow=self._allow,
            files_from=self._files_from,
            timeout_s=min(_DISMISS_S, self.timeout_s),
            secret=self._secret,
            resolver=self._resolver,
        )
        taken = (200, 202, 204, 404, 410)
        calm._once(method, target, content, headers, _DISMISS_BYTES, taken).file.close()

    def _retry_wait(self, attempt: int) -> float:
        """Seconds after an attempt: they double, and differ between callers that failed together."""
        spread = random.uniform(0, self._retry_wait_s / 2)  # noqa: S311  no secret
        return float(min(_MAX_WAIT_S, self._retry_wait_s * 2 ** (attempt - 1) + spread))

    def _once(
        self,
        method: str,
        target: Endpoint,
        content: bytes | None,
        headers: Mapping[str, str],
        max_bytes: int,
        accept: Collection[int],
    ) -> Reply:
        def work(trace: Trace) -> Reply:
            return self._exchange(method, target, content, headers, max_bytes, accept, trace)

        return Exchange(work, lambda reply: reply.file.close()).wait(self.pulse)

    def _exchange(
        self,
        method: str,
        target: Endpoint,
        content: bytes | None,
        headers: Mapping[str, str],
        max_bytes: int,
        accept: Collection[int],
        trace: Trace,
    ) -> Reply:
        shown, deadline = str(target.url), time.monotonic() + self.timeout_s
        url = target.pinned(self._resolver)
        timeout = httpx.Timeout(self.timeout_s, connect=min(_CONNECT_S, self.timeout_s))
        # A compressed reply could be far larger than it looks; pictures are compressed already.
        headers = {**headers, "Host": target.url.netloc.decode("ascii"), "Accept-Encoding": "identity"}
        if self._secret is not None and target.origin == self.endpoint.origin:
            headers["Authorization"] = self._secret
        try:
            with (
                httpx.Client(verify=_tls(), timeout=timeout, follow_redirects=False, trust_env=False) as client,
                client.stream(
                    method,
                    url,
                    content=content,
                    headers=headers,
                    # TLS is checked against the name, not against the address that was put in its place.
                    extensions={"sni_hostname": target.url.host, "trace": trace},
                ) as reply,
            ):
                if reply.status_code not in accept:
                    raise self._refused(shown, reply, deadline)
                if reply.headers.get("content-encoding", "identity") != "identity":
                    raise ProviderError(f"provider endpoint {shown}: sent a compressed reply, which was not asked for")
                return Reply(reply.status_code, reply.headers, self._body(shown, reply, max_bytes, deadline), shown)
        except httpx.TimeoutException as error:
            raise self._late(shown) from error
        except httpx.TransportError as error:
            raise ProviderError(
                f"provider endpoint {shown}: {str(error) or type(error).__name__}",
                retryable=True,
                remedy="check that the server runs and answers at this address",
            ) from error

    def _body(self, shown: str, reply: httpx.Response, max_bytes: int, deadline: float) -> IO[bytes]:
        with ExitStack() as closing:
            file = closing.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))
            size = 0
            for chunk in reply.iter_raw():
                size += len(chunk)
                if size > max_bytes:
                    raise ProviderError(
                        f"provider endpoint {shown}: the reply is larger than {max_bytes} bytes, "
                        "more than what was asked for can need"
                    )
                if time.monotonic() > deadline:
                    raise self._late(shown)
                file.write(chunk)
            file.seek(0)
            closing.pop_all()  # whole: the reply owns it from here
            return file

    def _late(self, shown: str) -> ProviderError:
        return ProviderError(
            f"provider endpoint {shown}: no complete reply within {self.timeout_s:g} s",
            retryable=True,
            remedy="raise the timeout or ask for fewer frames",
        )

    def _refused(self, shown: str, reply: httpx.Response, deadline: float) -> ProviderError:
        said = _said(reply, deadline)
        if self._secret is not None:
            said = said.replace(self._secret.split()[-1], "***")  # some servers repeat the key that they refuse
        error = _Refused(
            f"provider endpoint {shown}: status {reply.status_code} {reply.reason_phrase}".rstrip()
            + (f": {said}" if said else ""),
            retryable=reply.status_code in _RETRYABLE,
            remedy="redirects are not followed: give the final address" if reply.is_redirect else None,
        )
        error.retry_after_s = _retry_after(reply.headers)
        return error


class _Refused(ProviderError):
    """A status that is no answer, with the pause that the server asks for."""

    retry_after_s: float | None = None


def _retry_after(headers: httpx.Headers) -> float | None:
    after = headers.get("retry-after", "")
    return min(float(after), _MAX_RETRY_AFTER_S) if after.isascii() and after.isdigit() else None


def _said(reply: httpx.Response, deadline: float) -> str:
    """The first words of an error's body, one line of printable text."""
    text = b""
    try:
        for chunk in reply.iter_raw():
            text += chunk
            if len(text) >= _ERROR_TEXT or time.monotonic() > deadline:
                break
    except httpx.TransportError:
        return ""  # the status is the message; its text is a courtesy
    words = " ".join(text[:_ERROR_TEXT].decode("utf-8", "replace").split())
    return "".join(sign for sign in words if sign.isprintable())
