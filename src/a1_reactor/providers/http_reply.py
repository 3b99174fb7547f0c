"""Reading a reply of the HTTP contract, version 1, without believing any of it."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from a1_reactor.media.frames import Frame
from a1_reactor.media.png import decode_png
from a1_reactor.types import JobSpec
from reactor_core.errors import ArtifactCorrupt, ProviderError

__all__ = ["max_png_bytes", "max_reply_bytes", "reply_frames", "request_body"]

_ROOM_PER_FRAME = 4096
"""Bytes for a frame's JSON and for PNG chunks beside the picture."""
_ROOM_PER_REPLY = 65536


def request_body(job: JobSpec) -> dict[str, Any]:
    """The JSON that is posted; windows go in seconds, as the contract has it."""
    return {
        "prompt": job.prompt,
        "negative_prompt": job.negative_prompt,
        "seed": job.seed,
        "fps": int(job.fps) if job.fps.denominator == 1 else float(job.fps),
        "seconds": _seconds(job),
        "width": job.width,
        "height": job.height,
        "regen_windows": [[float(window.start / job.fps), float(window.stop / job.fps)] for window in job.windows]
        or None,
        "metadata": dict(job.metadata),
    }


def _seconds(job: JobSpec) -> float:
    """The length such that a server's ``ceil(seconds * fps)`` in floats is the number of frames.

    2.2 s at 25 fps are 55 frames, but 2.2 * 25 is 55.00000000000001 in floats. Where that happens, half a frame less is
    sent, which rounds up to the same number.
    """
    seconds = float(job.seconds)
    if math.ceil(seconds * float(job.fps)) == job.frames:
        return seconds
    return float((job.frames - Fraction(1, 2)) / job.fps)


def max_reply_bytes(job: JobSpec) -> int:
    """Size that no honest reply exceeds: every frame as an uncompressed PNG in base64, and room for JSON."""
    return job.frames * (max_png_bytes(job.width, job.height) * 4 // 3 + _ROOM_PER_FRAME) + _ROOM_PER_REPLY


def max_png_bytes(width: int, height: int) -> int:
    """Size that no honest RGB PNG exceeds: every row uncompressed, and room for chunks beside the picture."""
    png = (width * 3 + 1) * height
    return png + png // 1000 + _ROOM_PER_FRAME  # deflate's framing of incompressible data stays below a thousandth


def reply_frames(body: bytes, job: JobSpec, endpoint: str) -> Iterator[Frame]:
    """The clip's frames in order.

    Frames may come in any order, but each number from 0 to ``job.frames - 1`` exactly once, as an 8-bit RGB PNG of
    the right size. The list is checked before the first frame is decoded.

    Raises:
        ProviderError: Anything else.
    """

    def refuse(problem: str) -> ProviderError:
        return ProviderError(
            f"provider endpoint {endpoint}: {problem}", remedy="docs/providers/http-provider.md has the contract"
        )

    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise refuse(f"the reply is no JSON ({error})") from error
    entries = document.get("frames") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise refuse('the reply has no list "frames"')
    if len(entries) != job.frames:
        raise refuse(f"the reply has {len(entries)} frames, {job.frames} were asked for")
    ordered: list[str | None] = [None] * job.frames
    for position, entry in enumerate(entries):
        index = entry.get("index") if isinstance(entry, dict) else None
        text = entry.get("png_base64") if isinstance(entry, dict) else None
        if isinstance(index, bool) or not isinstance(index, int) or not isinstance(text, str):
            raise refuse(f'entry {position} of "frames" has no whole "index" and text "png_base64"')
        if not 0 <= index < job.frames:
            raise refuse(f"frame number {index} is outside 0..{job.frames - 1}")
        if ordered[index] is not None:
            raise refuse(f"frame {index} comes twice")
        ordered[index] = text
    for index, text in enumerate(ordered):
        assert text is not None, "as many numbers as frames, none twice, none outside"
        try:
            data = base64.b64decode(text, validate=True)
            yield decode_png(data, width=job.width, height=job.height, where=f"frame {index}")
        except (binascii.Error, ValueError) as error:
            raise refuse(f"frame {index} is no base64 without prefix or line breaks ({error})") from error
        except ArtifactCorrupt as error:
            raise refuse(error.message) from error
