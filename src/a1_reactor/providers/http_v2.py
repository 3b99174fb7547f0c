"""Frames from a server that speaks the HTTP contract, version 2 (docs/providers/http-v2.md).

Version 2 sends the window's old frames and its context, and nothing else of the clip; the server names its model and
what it can do; long jobs are polled and can be called off.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import IO, Any

from a1_reactor.media.frames import Frame
from a1_reactor.providers.base import BaseClip, Capabilities, spans_of
from a1_reactor.providers.http_contract import (
    FramesReply,
    Request,
    missing_pictures,
    read_cost,
    read_description,
    read_object,
)
from a1_reactor.providers.modes import pick_mode
from a1_reactor.providers.multipart import Part, join_parts
from a1_reactor.providers.price import Price
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
        price: What a call costs, where the operator knows it; None leaves it to the server.
    """

    version = "2"

    def __init__(
        self, wire: Wire, *, job_timeout_s: float = 3600.0, name: str = "http2", price: Price | None = None
    ) -> None:
        self.name = name
        self._wire = wire
        self._job_timeout_s = job_timeout_s
        self._price = price

    @cached_property
    def _described(self) -> tuple[str, Capabilities]:
        reply = self._wire.call("GET", max_bytes=_DESCRIPTION_BYTES)
        model, can = read_description(reply.read(), self._wire.shown)
        return model, can if self._price is None else replace(can, price=self._price)

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

    def generate_frames(self, job: JobSpec) -> Generator[Frame, None, Decimal | None]:
        """Ask for the whole clip, in an amount that the server makes.

        Raises:
            ProviderError: The endpoint may not be called, did not answer in time, refused, or broke the contract.
        """
        request = self._request(job, self._everything(job), None)
        reply, usd = self._answer(request)
        with reply as stream:
            # The engine wants them in order; a server that sends them otherwise makes the ones ahead wait here.
            for _, frame in _in_order(self._read(request, reply, stream), range(job.frames)):
                yield frame
        return usd

    def regen_frames(
        self, job: JobSpec, base: BaseClip, windows: Sequence[Window]
    ) -> Generator[tuple[int, Frame], None, Decimal | None]:
        """Ask for each window on its own.

        Raises:
            ProviderError: As :meth:`generate_frames`.
            SpecError: A window has no kept frame beside it, and the model needs one.
        """
        costs = []
        for span in spans_of(windows, job, self.capabilities):
            request = self._request(job, span, base)
            reply, usd = self._answer(request)
            with reply as stream:
                yield from self._read(request, reply, stream)
            costs.append(usd)
        return _sum(costs)

    def frames_at(
        self, job: JobSpec, base: BaseClip | None, windows: Sequence[Window], indices: Sequence[int]
    ) -> Generator[tuple[int, Frame], None, Decimal | None]:
        """Ask for some frames alone, of a server that says ``any_frame``; each window on its own.

        Raises:
            ProviderError, SpecError: As :meth:`regen_frames`.
        """
        costs = []
        for span in [self._everything(job)] if base is None else spans_of(windows, job, self.capabilities):
            wanted = [index for index in indices if index in span.window]
            if not wanted:
                continue
            request = self._request(job, span, base, wanted)
            reply, usd = self._answer(request)
            with reply as stream:
                yield from _in_order(self._read(request, reply, stream), wanted)
            costs.append(usd)
        return _sum(costs)

    def _request(self, job: JobSpec, span: Span, base: BaseClip | None, wanted: Sequence[int] | None = None) -> Request:
        can = self.capabilities
        mode = "full" if base is None else pick_mode(can.modes, span)
        return Request(job, span, mode, base, wanted, spatial=can.spatial_mask)

    def _everything(self, job: JobSpec) -> Span:
        amount = self.capabilities.quantum.at_least(job.frames) or job.frames
        return Span(Window(0, job.frames), 0, amount, job.frames)

    def _answer(self, request: Request) -> tuple[Reply, Decimal | None]:
        """The reply with the frames, and what the server says that it cost."""
        reply = self._ask(request)
        try:
            return reply, read_cost(reply.headers.get("reactor-cost-usd"), self._wire.shown)
        except ProviderError:
            reply.file.close()
            raise

    def _read(self, request: Request, reply: Reply, stream: IO[bytes]) -> Iterator[tuple[int, Frame]]:
        return FramesReply(request, self._wire.shown).read(stream, reply.headers.get("content-type", ""))

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


def _in_order(frames: Iterable[tuple[int, Frame]], order: Iterable[int]) -> Iterator[tuple[int, Frame]]:
    waiting: dict[int, Frame] = {}
    left = iter(order)
    due = next(left, None)
    for index, frame in frames:
        waiting[index] = frame
        while due in waiting:
            yield due, waiting.pop(due)
            due = next(left, None)


def _sum(costs: Sequence[Decimal | None]) -> Decimal | None:
    """Of several calls; None where one of them is not known."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(costs) else None


def _form_data(name: str, content_type: str) -> dict[str, str]:
    """Headers of a field; a picture is a file, whose name is its digest."""
    file = "" if name == "job" else f'; filename="{name}.png"'
    return {"Content-Disposition": f'form-data; name="{name}"{file}', "Content-Type": content_type}
