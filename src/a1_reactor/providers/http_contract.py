"""What is sent and what may come back in the HTTP contract, version 2 (docs/providers/http-v2.md)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import IO, Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from a1_reactor.media.frames import Frame
from a1_reactor.media.mask import painted
from a1_reactor.media.png import decode_png, encode_png
from a1_reactor.providers.base import BaseClip, Capabilities, Mode
from a1_reactor.providers.described import CapabilitiesDocument, first_problem
from a1_reactor.providers.http_reply import max_png_bytes
from a1_reactor.providers.modes import shown_frames
from a1_reactor.providers.multipart import Part, boundary_of, read_parts
from a1_reactor.types import JobSpec, Span
from reactor_core.errors import ArtifactCorrupt, ProviderError

__all__ = ["Description", "FramesReply", "Request", "missing_pictures", "read_cost", "read_description", "read_object"]

_Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
_REMEDY = "docs/providers/http-v2.md has the contract"


class Description(BaseModel):
    """What a server says of itself."""

    model_config = ConfigDict(extra="ignore", strict=True)

    contract: Literal[2]
    model: _Text
    """Name and version of the model; part of the cache key of every clip."""
    capabilities: CapabilitiesDocument


def read_object(body: bytes, endpoint: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ProviderError: The body is none.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderError(f"provider endpoint {endpoint}: the reply is no JSON ({error})", remedy=_REMEDY) from error
    if not isinstance(document, dict):
        raise ProviderError(f"provider endpoint {endpoint}: the reply is no JSON object", remedy=_REMEDY)
    return document


def read_description(body: bytes, endpoint: str) -> tuple[str, Capabilities]:
    """Model and capabilities from the reply to GET.

    Raises:
        ProviderError: The reply is no description of version 2.
    """
    try:
        found = Description.model_validate(read_object(body, endpoint))
    except ValidationError as error:
        raise ProviderError(
            f"provider endpoint {endpoint}: describes itself wrongly, {first_problem(error)}", remedy=_REMEDY
        ) from error
    return found.model, found.capabilities.capabilities()


class Request:
    """One call: frames to make, and the old frames that the server may need for it, by digest.

    Args:
        job: Resolved.
        span: What to make; the frames of its window are needed, the others are dropped.
        base: The old clip; None where there is none.
        wanted: Frames of the window that are needed, for a server that makes any frame alone; None for all.
        spatial: Whether the server heeds the job's mask.
    """

    def __init__(
        self,
        job: JobSpec,
        span: Span,
        mode: Mode,
        base: BaseClip | None,
        wanted: Sequence[int] | None = None,
        *,
        spatial: bool = False,
    ) -> None:
        self.job, self.span, self.mode = job, span, mode
        self.wanted = frozenset(span.window.frames if wanted is None else wanted)
        """Frames that the reply must hold."""
        self._only = None if wanted is None else sorted(wanted)
        self.pictures: dict[str, bytes] = {}
        """PNG files by the SHA-256 of their bytes."""
        self._base: list[dict[str, Any]] = []
        shown = shown_frames(span, mode)
        assert base is not None or not shown, "only a mode that shows nothing does without an old clip"
        for index in shown:
            assert base is not None
            self._base.append({"index": index, "sha256": self._add(base.frame(index))})
        part = painted(job.mask, width=job.width, height=job.height) if spatial and mode == "mask" else None
        self._mask = None if part is None else self._add(np.repeat(part[..., None] * np.uint8(255), 3, axis=2))

    def _add(self, picture: Frame) -> str:
        data = encode_png(picture)
        digest = hashlib.sha256(data).hexdigest()
        self.pictures[digest] = data
        return digest

    def to_json(self) -> dict[str, Any]:
        job, span = self.job, self.span
        return {
            "contract": 2,
            "prompt": job.prompt,
            "negative_prompt": job.negative_prompt,
            "seed": job.seed,
            "fps": [job.fps.numerator, job.fps.denominator],
            "width": job.width,
            "height": job.height,
            "clip_frames": job.frames,
            "span": [span.start, span.stop],
            "window": [span.window.start, span.window.stop],
            "mode": self.mode,
            "base": self._base,
            "options": dict(job.options),
            "metadata": dict(job.metadata),
            **({} if self._only is None else {"frames": self._only}),
            **({} if self._mask is None else {"mask": {"sha256": self._mask}}),
        }

    @property
    def max_reply_bytes(self) -> int:
        """Size that no honest reply exceeds: every frame of the span as an uncompressed PNG in base64."""
        return len(self.span) * (max_png_bytes(self.job.width, self.job.height) * 4 // 3 + 4096) + 65536


def read_cost(text: str | None, endpoint: str) -> Decimal | None:
    """US dollars, from the header ``Reactor-Cost-USD`` of a reply; None where it has none.

    Raises:
        ProviderError: The header is no amount of money.
    """
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,7}(\.\d{1,9})?", text, re.ASCII):
        raise ProviderError(
            f"provider endpoint {endpoint}: Reactor-Cost-USD is {text[:40]!r}, which is no amount", remedy=_REMEDY
        )
    return Decimal(text)


def missing_pictures(document: Mapping[str, Any], pictures: Mapping[str, bytes], endpoint: str) -> list[str]:
    """Digests that a server asks for, of those that it was told of.

    Raises:
        ProviderError: The list is empty, or names something else.
    """
    asked = document.get("missing")
    if not isinstance(asked, list) or not asked or not all(isinstance(d, str) and d in pictures for d in asked):
        raise ProviderError(
            f'provider endpoint {endpoint}: status 409 without a list "missing" of digests from the request',
            remedy=_REMEDY,
        )
    return list(dict.fromkeys(asked))


class FramesReply:
    """Reads the frames of a reply, which is JSON or multipart.

    Each frame's number lies in the span and comes once; every frame that is wanted comes. Pictures are 8-bit RGB PNG
    files of the right size.
    """

    def __init__(self, request: Request, endpoint: str) -> None:
        self._request, self._endpoint = request, endpoint
        self._left = set(request.wanted)
        self._seen: set[int] = set()

    def read(self, stream: IO[bytes], content_type: str) -> Iterator[tuple[int, Frame]]:
        """The frames that are wanted, in the order in which they come.

        Args:
            content_type: The reply's whole header.

        Raises:
            ProviderError: The reply is anything else.
        """
        kind = content_type.partition(";")[0].strip().lower()
        if kind == "application/json":
            entries = self._json(stream.read())
        elif kind == "multipart/mixed":
            entries = self._multipart(stream, content_type)
        else:
            raise self._refuse(f"the reply is {kind or 'of no type'}, not application/json or multipart/mixed")
        for index, data in entries:
            if self._wanted(index):
                try:
                    yield (
                        index,
                        decode_png(
                            data, width=self._request.job.width, height=self._request.job.height, where=f"frame {index}"
                        ),
                    )
                except ArtifactCorrupt as error:
                    raise self._refuse(error.message) from error
        if self._left:
            raise self._refuse(f"{len(self._left)} frames of the window are missing, the first is {min(self._left)}")

    def _json(self, body: bytes) -> Iterator[tuple[int, bytes]]:
        entries = read_object(body, self._endpoint).get("frames")
        if not isinstance(entries, list):
            raise self._refuse('the reply has no list "frames"')
        for position, entry in enumerate(entries):
            index = entry.get("index") if isinstance(entry, dict) else None
            text = entry.get("png_base64") if isinstance(entry, dict) else None
            if isinstance(index, bool) or not isinstance(index, int) or not isinstance(text, str):
                raise self._refuse(f'entry {position} of "frames" has no whole "index" and text "png_base64"')
            try:
                data = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError) as error:
                raise self._refuse(f"frame {index} is no base64 without prefix or line breaks ({error})") from error
            yield index, data

    def _multipart(self, stream: IO[bytes], content_type: str) -> Iterator[tuple[int, bytes]]:
        boundary = boundary_of(content_type)
        if boundary is None:
            raise self._refuse("the reply's Content-Type has no boundary that can be used")
        job = self._request.job
        parts = read_parts(stream, boundary, max_part_bytes=max_png_bytes(job.width, job.height))
        while (part := self._next(parts)) is not None:
            number = part.headers.get("frame-index", "")
            if part.headers.get("content-type") != "image/png" or not (number.isascii() and number.isdigit()):
                raise self._refuse("a part is not image/png with a whole Frame-Index")
            yield int(number[:9]), part.data

    def _next(self, parts: Iterator[Part]) -> Part | None:
        try:
            return next(parts, None)
        except ProviderError as error:
            raise self._refuse(error.message, retryable=error.retryable) from error

    def _wanted(self, index: int) -> bool:
        """Whether a frame is one that is wanted; strikes it off the list.

        Raises:
            ProviderError: It was not asked for, or came before.
        """
        span = self._request.span
        if not span.start <= index < span.stop:
            raise self._refuse(f"frame number {index} is outside {span.start}..{span.stop - 1}")
        if index in self._seen:
            raise self._refuse(f"frame {index} comes twice")
        self._seen.add(index)
        self._left.discard(index)
        return index in self._request.wanted

    def _refuse(self, problem: str, *, retryable: bool = False) -> ProviderError:
        return ProviderError(f"provider endpoint {self._endpoint}: {problem}", retryable=retryable, remedy=_REMEDY)
