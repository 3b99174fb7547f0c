"""What a clip is asked to be: a frozen value without files or pixels."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from a1_reactor.types.mask import Mask
from a1_reactor.types.moment import window_between
from a1_reactor.types.rational import Rational, parse_rational, spell_rational
from a1_reactor.types.window import Window, merge_windows
from reactor_core.errors import SpecError
from reactor_core.utils.canonical import canonical_json, content_hash

__all__ = ["JobSpec"]

MAX_PROMPT_CHARS = 4000
MIN_SIDE, MAX_SIDE = 16, 4096
MAX_FPS = 240
MAX_SECONDS = 3600
MAX_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """One clip, or one regeneration of windows of a clip.

    Numbers may be given as int, float or text and are stored exactly. Equal specs have equal hashes; nothing ever
    changes a spec, a changed one is made by :func:`dataclasses.replace`.

    Raises:
        SpecError: A field cannot be used; the message names the field, the value and the remedy.
    """

    prompt: str
    """What to show. White space and control characters are normalised by ``prompts.resolve``."""
    negative_prompt: str | None = None
    """What to avoid; None asks for the default list, an empty text for none at all."""
    seed: int = 0
    """Any whole number from 0 to 2^63 - 1; 0 is a seed like any other."""
    fps: Fraction = Fraction(24)
    """Frames per second, exact, up to 240."""
    seconds: Fraction = Fraction(2)
    """Length that was asked for; the clip has ``ceil(seconds * fps)`` frames."""
    width: int = 768
    """Pixels, even (4:2:0 video has one colour sample per two columns), 16 to 4096."""
    height: int = 768
    """Pixels, even, 16 to 4096."""
    style_preset: str | None = None
    """A name from ``prompts.presets``, or None."""
    windows: tuple[Window, ...] = ()
    """What to regenerate; empty for a whole clip. Stored sorted, with overlaps joined."""
    mask: Mask | None = None
    """Part of the picture that the windows replace, or None for all of it."""
    provider: str = "mock"
    """Name of the provider that makes the frames."""
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """JSON for the provider alone, such as steps, guidance or strength; each provider names what it takes."""
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """JSON that travels with the job and never changes its frames; no part of the cache key."""

    if TYPE_CHECKING:
        # What may be passed is wider than what is stored; type checkers read this, dataclass makes the real one.
        def __init__(
            self,
            *,
            prompt: str,
            negative_prompt: str | None = ...,
            seed: int = ...,
            fps: Rational = ...,
            seconds: Rational = ...,
            width: int = ...,
            height: int = ...,
            style_preset: str | None = ...,
            windows: Iterable[Window] = ...,
            mask: Mask | None = ...,
            provider: str = ...,
            options: Mapping[str, Any] = ...,
            metadata: Mapping[str, Any] = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        _check_text("prompt", self.prompt, allow_empty=False)
        if self.negative_prompt is not None:
            _check_text("negative_prompt", self.negative_prompt, allow_empty=True)
        _check_int("seed", self.seed, 0, MAX_SEED)
        # Exact forms replace what was passed in; object.__setattr__ is how a frozen dataclass fills itself.
        fps = parse_rational(self.fps, name="fps")
        seconds = parse_rational(self.seconds, name="seconds")
        object.__setattr__(self, "fps", fps)
        object.__setattr__(self, "seconds", seconds)
        if not 0 < fps <= MAX_FPS:
            raise SpecError(f"fps={float(fps):g} is outside 0..{MAX_FPS}", remedy="24, 25 and 30 are usual")
        if not 0 < seconds <= MAX_SECONDS:
            raise SpecError(
                f"seconds={float(seconds):g} is outside 0..{MAX_SECONDS}",
                remedy=f"ask for more than 0 seconds and at most {MAX_SECONDS}; frames=1 makes an image",
            )
        for name, value in (("width", self.width), ("height", self.height)):
            _check_int(name, value, MIN_SIDE, MAX_SIDE)
            if value % 2:
                raise SpecError(
                    f"{name}={value} is odd, and 4:2:0 video needs even sides", remedy=f"use {value + 1} or {value - 1}"
                )
        for name in ("provider", *(() if self.style_preset is None else ("style_preset",))):
            _check_text(name, getattr(self, name), allow_empty=False)
        object.__setattr__(self, "windows", merge_windows(self.windows, frames=self.frames))
        if self.mask is not None:
            self.mask.check_fits(self.width, self.height)
        for name in ("options", "metadata"):
            object.__setattr__(self, name, MappingProxyType(_json_copy(name, getattr(self, name))))

    @property
    def frames(self) -> int:
        """Number of frames of the whole clip, at least 1."""
        return math.ceil(self.seconds * self.fps)

    @property
    def pixel_size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height

    def without_windows(self) -> JobSpec:
        """The whole clip that this spec is about."""
        return replace(self, windows=(), mask=None)

    def to_json(self) -> dict[str, Any]:
        """JSON that :meth:`parse` reads back as an equal spec."""
        return {
            "version": 1,
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt,
            "seed": self.seed,
            "fps": spell_rational(self.fps),
            "seconds": spell_rational(self.seconds),
            "frames": self.frames,
            "width": self.width,
            "height": self.height,
            "style_preset": self.style_preset,
            "windows": [window.to_json() for window in self.windows],
            "mask": None if self.mask is None else self.mask.to_json(),
            "provider": self.provider,
            "options": dict(self.options),
            "metadata": dict(self.metadata),
        }

    def content_hash(self) -> str:
        """SHA-256 over all that can change a frame: not ``metadata``, nor the seconds that windows were asked in."""
        document = self.to_json()
        del document["metadata"], document["seconds"]
        for name in ("options", "mask"):
            if not document[name]:
                del document[name]  # what was stored before specs had this field keeps its key
        document["windows"] = [[window.start, window.stop] for window in self.windows]
        return content_hash(document)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> JobSpec:
        """Read a spec from JSON.

        ``frames`` may stand in for ``seconds``. ``windows`` takes ``[start, end]`` pairs of moments (see
        :func:`parse_moment`; plain numbers are seconds) or objects with ``start_frame`` and ``stop_frame``;
        ``regen_windows`` is another name for it.

        Raises:
            SpecError: A field is unknown, missing, contradictory or cannot be used.
        """
        if not isinstance(document, Mapping):
            raise SpecError(f"a spec is a JSON object, this is {type(document).__name__}")
        values = dict(document)
        version = values.pop("version", 1)
        if version != 1:
            raise SpecError(f"version={version!r} of a spec is not known", remedy="this release reads version 1")
        frames = values.pop("frames", None)
        windows = values.pop("windows", None) or values.pop("regen_windows", None) or ()
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            takes = sorted(known | {"frames"})
            close = difflib.get_close_matches(unknown[0], takes, n=1)
            meant = f"did you mean {close[0]!r}? " if close else ""
            raise SpecError(f"field {unknown[0]!r} is unknown", remedy=f"{meant}fields: {', '.join(takes)}")
        if "prompt" not in values:
            raise SpecError("field 'prompt' is missing", remedy="say what the clip shows")
        fps = parse_rational(values.get("fps", 24), name="fps")
        if frames is not None:
            _check_int("frames", frames, 1, MAX_SECONDS * MAX_FPS)
            if fps <= 0:
                raise SpecError(f"fps={float(fps):g} is outside 0..{MAX_FPS}")
            exact = Fraction(frames) / fps
            given = parse_rational(values.get("seconds", exact), name="seconds")
            if math.ceil(given * fps) != frames:
                raise SpecError(
                    f"frames={frames} contradicts seconds={float(given):g} at {float(fps):g} fps",
                    remedy="give one of the two",
                )
            values["seconds"] = given
        if values.get("mask") is not None:
            values["mask"] = Mask.parse(values["mask"])
        values["windows"] = tuple(_parse_window(window, fps) for window in _sequence("windows", windows))
        return cls(**values)


def _parse_window(value: Any, fps: Fraction) -> Window:
    if isinstance(value, Mapping):
        asked = value.get("asked_seconds")
        start = _check_int("start_frame", value.get("start_frame"), 0, MAX_SECONDS * MAX_FPS)
        stop = _check_int("stop_frame", value.get("stop_frame"), 0, MAX_SECONDS * MAX_FPS)
        if asked is None:
            return Window(start, stop)
        begin, end = (parse_rational(part, name="asked_seconds") for part in _pair("asked_seconds", asked))
        return Window(start, stop, asked_s=(begin, end))
    begin, end = _pair("windows", value)
    return window_between(begin, end, fps)


def _sequence(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise SpecError(f"{name}={value!r} is no list", remedy=f'write "{name}": [[0.8, 1.6]]')
    return list(value)


def _pair(name: str, value: Any) -> tuple[Any, Any]:
    parts = _sequence(name, value)
    if len(parts) != 2:
        raise SpecError(f"{name} entry {value!r} has {len(parts)} parts", remedy="write [start, end]")
    return parts[0], parts[1]


def _check_text(name: str, value: Any, *, allow_empty: bool) -> None:
    if not isinstance(value, str):
        raise SpecError(f"{name}={value!r} is no text")
    if not allow_empty and not value.strip():
        raise SpecError(f"{name}={value!r} is empty", remedy="say what it should be")
    if len(value) > MAX_PROMPT_CHARS:
        raise SpecError(f"{name} has {len(value)} characters", remedy=f"use at most {MAX_PROMPT_CHARS}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise SpecError(
            f"{name} holds half of a surrogate pair at character {error.start}", remedy="pass UTF-8"
        ) from error


def _check_int(name: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise SpecError(f"{name}={value!r} is no whole number", remedy=f"use one from {low} to {high}")
    if not low <= value <= high:
        raise SpecError(f"{name}={value} is outside {low}..{high}", remedy=f"use a number from {low} to {high}")
    return value


def _json_copy(name: str, value: Any) -> dict[str, Any]:
    """A deep copy, so that a caller who goes on changing the mapping changes no spec."""
    if not isinstance(value, Mapping):
        raise SpecError(f"{name}={value!r} is no JSON object")
    try:
        copy: dict[str, Any] = json.loads(canonical_json(dict(value)))
    except (TypeError, ValueError) as error:
        raise SpecError(
            f"{name} cannot be written as JSON: {error}", remedy="use text, numbers, lists and objects"
        ) from error
    return copy
