"""Frames from a server that speaks the HTTP contract, version 2 (docs/providers/http-v2.md).

Version 2 sends the window's old frames and its context, and nothing else of the clip; the server names its model and
what it can do; long jobs are polled and can be called off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from a1_reactor.media.frames import Frame
from a1_reactor.providers.base import BaseClip, Capabilities, spans_of
from a1_reactor.providers.http_contract import (
    FramesReply,
    Request,
    missing_pictures,
    read_description,
    read_object,
)
from a1_reactor.providers.modes import pick_mode
from a1_reactor.providers.multipart import Part, join_parts
from a1_reactor.providers.remote_job import NotYet, watch
from a1_reactor.providers.wire import Reply, Wire
from a1_reactor.types import JobSpec, Span, Window
from reactor_core.errors import ProviderError
from reactor_core.utils.canonical import canonical_json
from reactor_core.utils.ids import new_id

__all__ = ["HTTPProviderV2"]

_DESCRIPTION_BYTES = 65536
_ACCEPT = "multipart/mixed, application/json"


class HTTPProviderV2:
    """Asks a server for spans of frames.

    The first use reads the server's description; from then on its model and capabilities are fixed for this object.

    Args:
        wire: The endpoint, and how it may be called.
        job_timeout_s: Longest that a job may take which the server accepts with status 202.
        name: Name in specs and reports.
    """

    version = "2"

    def __init__(self, wire: Wire, *, job_timeout_s: float = 3600.0, name: str = "http2") -> None:
        self.name = name
        self._wire = wire
        self._job_timeout_s = job_timeout_s

    @cached_property
    def _described(self) -> tuple[str, Capabilities]:
        reply = self._wire.call("GET", max_bytes=_DESCRIPTION_BYTES)
        return read_description(reply.read(), self._wire.shown)

    @property
    def capabilities(self) -> Capabilities:
        """What the server says.

        Raises:
            ProviderError: It does not answer, or not in the contract's words.
        """
        return self._described[1]

    def identity(self) -> Mapping[str, str]:
        """Contract, address and the server's own name for its model."""
        return {
            "name": self.name,
            "version": self.version,
            "endpoint": self._wire.shown,
            "model": self._described[0],
        }

    def generate_frames(self, job: JobSpec) -> Iterator[Frame]:
        """Ask for the whole clip, in an amount that the server makes.

        Raises:
            ProviderError: The endpoint may not be called, did not answer in time, refused, or broke the contract.
        """
        amount = self.capabilities.quantum.at_least(job.frames) or job.frames
        request = Request(job, Span(Window(0, job.frames), 0, amount, job.frames), "full", None)
        # The engine wants them in order; a server that sends them otherwise makes the ones ahead wait here.
        waiting: dict[int, Frame] = {}
        following = 0
        for index, frame in self._frames(request):
            waiting[index] = frame
            while following in waiting:
                yield waiting.pop(following)
                following += 1

    def regen_frames(self, job: JobSpec, base: BaseClip, windows: Sequence[Window]) -> Iterator[tuple[int, Frame]]:
        """Ask for each window on its own.

        Raises:
            ProviderError: As :meth:`generate_frames`.
            SpecError: A window has no kept frame beside it, and the model needs one.
        """
        for span in spans_of(windows, job, self.capabilities):
            yield from self._frames(Request(job, span, pick_mode(self.capabilities.modes, span), base))

    def _frames(self, request: Request) -> Iterator[tuple[int, Frame]]:
        reply = self._ask(request)
        with reply as stream:
            content_type = reply.headers.get("content-type", "")
            yield from FramesReply(request, self._wire.shown).read(stream, content_type)

    def _ask(self, request: Request) -> Reply:
        # The same key on every attempt: a server that has begun the work need not begin it again.
        headers = {"Idempotency-Key": new_id()}
        document = request.to_json()
        reply = self._post(request, headers, json=document, accept=(200, 202, 409))
        if reply.status == 409:
            wanted = missing_pictures(read_object(reply.read(), self._wire.shown), request.pictures, self._wire.shown)
            parts = [Part(_form_data("job", "application/json"), canonical_json(document))]
            parts += [Part(_form_data(digest, "image/png"), request.pictures[digest]) for digest in wanted]
            body, boundary = join_parts(parts)
            headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
            reply = self._post(request, headers, content=body, accept=(200, 202))
        return self._finished(reply, request) if reply.status == 202 else reply

    def _post(
        self,
        request: Request,
        headers: Mapping[str, str],
        *,
        json: Any = None,
        content: bytes | None = None,
        accept: Collection[int],
    ) -> Reply:
        return self._wire.call(
            "POST",
            json=json,
            content=content,
            headers=headers,
            accept=accept,
            accept_type=_ACCEPT,
            max_bytes=request.max_reply_bytes,
        )

    def _finished(self, reply: Reply, request: Request) -> Reply:
        """The reply that a job's own address gives when it is done."""
        reply.file.close()
        location = reply.headers.get("location")
        if location is None:
            raise ProviderError(f"provider endpoint {self._wire.shown}: status 202 without a Location")
        address = self._wire.follow(location)

        def ask() -> Reply | NotYet:
            now = self._wire.call(
                "GET", address, max_bytes=request.max_reply_bytes, accept=(200, 202), accept_type=_ACCEPT
            )
            if now.status == 202:
                now.file.close()
                return NotYet(now.retry_after_s)
            return now

        return watch(
            ask,
            cancel=lambda: self._wire.dismiss("DELETE", address),
            pulse=self._wire.pulse,
            timeout_s=self._job_timeout_s,
            what=f"job {address.url}",
        )


def _form_data(name: str, content_type: str) -> dict[str, str]:
    """Headers of a field; a picture is a file, whose name is its digest."""
    file = "" if name == "job" else f'; filename="{name}.png"'
    return {"Content-Disposition": f'form-data; name="{name}"{file}', "Content-Type": content_type}
