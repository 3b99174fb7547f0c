"""From the body of a request to what a job is to make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from a1_reactor.engine.importing import IMPORT
from a1_reactor.prompts import load_book, spec_of
from a1_reactor.server.clip_job import ClipRequest
from a1_reactor.server.clips import ClipShelf
from a1_reactor.server.schemas import JobIn, WindowIn
from a1_reactor.storage.clip import Clip
from reactor_core.errors import SpecError

__all__ = ["CALLING", "MAX_PIXELS", "NO_PRESET", "clip_request"]

MAX_PIXELS = 4_000_000_000
"""Most pixels of all frames of a clip that a request may ask for: 3 minutes of 1280x720 at 24 frames a second."""
CALLING = ("http", "http2")
"""Providers that call the endpoint of a request."""
NO_PRESET = "none"
"""In place of a preset's name: no look is added, whatever that of the parent is."""
_WORDS = ("prompt", "prompt_dsl", "template")
"""Ways to say what the clip shows."""
_PORTS = {"http": 80, "https": 443}


def clip_request(body: JobIn, shelf: ClipShelf, *, names: Sequence[str], allow: Sequence[str]) -> ClipRequest:
    """What a body asks for, with what it leaves open taken from the parent.

    Args:
        names: Providers that a job may name.
        allow: ``host:port`` pairs that the operator lets jobs call.

    Raises:
        SpecError: A value cannot be used, or the endpoint is not on the operator's list.
        NotFound: There is no such parent.
    """
    parent = None if body.parent is None else shelf.open(body.parent)
    if body.windows and body.regen_windows:
        raise SpecError("windows and regen_windows are two names of one field", remedy="give one of them")
    spec = spec_of(_document(body, parent), load_book(shelf.store.workspace))
    if spec.frames * spec.width * spec.height > MAX_PIXELS:
        raise SpecError(
            f"{spec.frames} frames of {spec.width}x{spec.height} are more than one request may ask for",
            remedy="ask for a shorter or smaller clip, or use the command line",
        )
    endpoint = body.http_endpoint
    if spec.provider not in names:
        raise SpecError(f"provider {spec.provider!r} is unknown", remedy=f"one of: {', '.join(names)}")
    if spec.provider in CALLING:
        _check_endpoint(endpoint, allow)
    elif endpoint is not None:
        raise SpecError(f"provider {spec.provider!r} takes no http_endpoint", remedy='set "provider": "http"')
    return ClipRequest(spec=spec, parent=body.parent, takes=body.takes, endpoint=endpoint, force=body.force)


def _document(body: JobIn, parent: Clip | None) -> dict[str, Any]:
    windows = [_window(window) for window in body.windows] or [list(pair) for pair in body.regen_windows or ()]
    given = {
        **{name: getattr(body, name) for name in _WORDS},
        "negative_prompt": body.negative_prompt,
        "fps": body.fps,
        "seconds": body.seconds,
        "frames": body.frames,
        "width": body.width,
        "height": body.height,
        "style_preset": body.style_preset,
        "provider": body.provider,
        "metadata": body.metadata,
        "mask": None if body.mask is None else body.mask.model_dump(exclude_defaults=True),
    }
    document: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if parent is not None:
        old, asked = parent.job.resolved, parent.job.asked.to_json()
        length = {} if "seconds" in document or "frames" in document else {"frames": old.frames}
        # Other words are shown in the same look, as by the command line.
        kept = ("style_preset",) if _says_what(document) else ("prompt", "negative_prompt", "style_preset")
        document = {**{name: asked[name] for name in kept if asked[name] is not None}, **document}
        size = {"fps": asked["fps"], "width": old.width, "height": old.height}
        maker = {} if old.provider == IMPORT else {"provider": old.provider}  # a file makes no new frames
        document = {**size, **length, **maker, **document}
    if document.get("style_preset") == NO_PRESET:
        del document["style_preset"]
    if not _says_what(document):
        raise SpecError("prompt is missing", remedy="say what the clip shows, or name a parent")
    return {**document, "seed": body.seed, "windows": windows, "options": body.options}


def _says_what(document: dict[str, Any]) -> bool:
    return any(name in document for name in _WORDS)


def _window(window: WindowIn | list[Any]) -> Any:
    return window.model_dump() if isinstance(window, WindowIn) else window


def _check_endpoint(endpoint: str | None, allow: Sequence[str]) -> None:
    """Jobs call only what the operator has listed: an address from a request is somebody else's choice."""
    if endpoint is None:
        raise SpecError("this provider needs http_endpoint", remedy="GET /v1/providers lists what may be called")
    try:
        url = httpx.URL(endpoint)
    except httpx.InvalidURL as error:
        raise SpecError(f"http_endpoint {endpoint!r:.100}: {error}") from error
    if url.scheme not in _PORTS or not url.host or url.userinfo:
        raise SpecError(f"http_endpoint {endpoint!r:.100} is no http(s) URL without credentials")
    pair = f"{url.host}:{url.port or _PORTS[url.scheme]}".lower()
    if pair not in {entry.lower() for entry in allow}:
        raise SpecError(
            f"http_endpoint: {pair} is not on the operator's list",
            remedy=f"start the server with A1_REACTOR_PROVIDER_ALLOW={pair}",
        )
