"""Which part of the picture a window replaces."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from reactor_core.errors import NotFound, SpecError

__all__ = ["Mask"]

_MAX_PNG = 4 * 2**20
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """A rectangle or a picture; everything outside keeps the parent's very samples.

    Raises:
        SpecError: Neither or both are given, or one cannot be used.
    """

    rectangle: tuple[int, int, int, int] | None = None
    """Left, top, width and height in pixels."""
    feather: int = 0
    """Pixels inside the rectangle's edges over which the new picture fades in; 0 is a hard edge."""
    png: str | None = None
    """A PNG of the clip's size in base64: white is replaced, black is kept, greys are mixed. It is part of the spec, so
    that a spec says all there is to say."""

    def __post_init__(self) -> None:
        if (self.rectangle is None) == (self.png is None):
            raise SpecError("a mask is a rectangle or a PNG", remedy='write "mask": {"rectangle": [0, 0, 64, 64]}')
        if self.rectangle is not None:
            object.__setattr__(self, "rectangle", _rectangle(self.rectangle))
        feather: Any = self.feather  # whatever JSON held
        if isinstance(feather, bool) or not isinstance(feather, int) or feather < 0:
            raise SpecError(f"feather={feather!r} of a mask is no whole number", remedy="use pixels from 0")
        if self.png is not None:
            if self.feather:
                raise SpecError("feather is for a rectangle", remedy="draw soft edges into the PNG as greys")
            self.png_bytes()

    def png_bytes(self) -> bytes:
        """The PNG file.

        Raises:
            SpecError: This is no base64, no PNG, or more than 4 MiB.
        """
        assert self.png is not None
        try:
            data = base64.b64decode(self.png, validate=True)
        except (binascii.Error, ValueError, TypeError) as error:
            raise SpecError(f"the PNG of a mask is no base64: {error}") from error
        if not data.startswith(_SIGNATURE):
            raise SpecError("the picture of a mask is no PNG", remedy="save it as PNG")
        if len(data) > _MAX_PNG:
            raise SpecError(f"the PNG of a mask has {len(data)} bytes", remedy=f"at most {_MAX_PNG} are read")
        return data

    def check_fits(self, width: int, height: int) -> None:
        """Raise SpecError if a rectangle reaches out of a picture of this size."""
        if self.rectangle is None:
            return
        left, top, across, down = self.rectangle
        if left + across > width or top + down > height:
            raise SpecError(
                f"the mask's rectangle {list(self.rectangle)} reaches out of the picture of {width}x{height}",
                remedy="give left, top, width and height in pixels of the clip",
            )

    def to_json(self) -> dict[str, Any]:
        """JSON that :meth:`parse` reads back as an equal mask."""
        if self.rectangle is not None:
            return {"rectangle": list(self.rectangle), "feather": self.feather}
        return {"png": self.png}

    @classmethod
    def parse(cls, document: Any) -> Mask:
        """Read a mask from JSON.

        Raises:
            SpecError: It cannot be used.
        """
        if isinstance(document, Mask):
            return document
        if not isinstance(document, Mapping):
            raise SpecError(f"a mask is a JSON object, this is {type(document).__name__}")
        unknown = sorted(set(document) - {item.name for item in fields(cls)})
        if unknown:
            raise SpecError(f"field {unknown[0]!r} of a mask is unknown", remedy="fields: feather, png, rectangle")
        return cls(**document)

    @classmethod
    def from_text(cls, text: str) -> Mask:
        """From a command line: ``LEFT,TOP,WIDTH,HEIGHT``, with ``,FEATHER`` if wanted, or the name of a PNG file.

        Raises:
            SpecError: It cannot be used.
            NotFound: The file cannot be read.
        """
        parts = text.split(",")
        if len(parts) in {4, 5} and all(part.strip().isdecimal() for part in parts):
            numbers = [int(part) for part in parts]
            return cls(rectangle=(numbers[0], numbers[1], numbers[2], numbers[3]), feather=(*numbers, 0)[4])
        try:
            data = Path(text).read_bytes()
        except OSError as error:
            raise NotFound(
                f"cannot read the mask {text}: {error.strerror}",
                remedy="give LEFT,TOP,WIDTH,HEIGHT in pixels or a PNG file",
            ) from error
        return cls(png=base64.b64encode(data).decode())


def _rectangle(value: Any) -> tuple[int, int, int, int]:
    numbers = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()
    if len(numbers) != 4 or any(isinstance(number, bool) or not isinstance(number, int) for number in numbers):
        raise SpecError(
            f"rectangle={value!r} of a mask is not four whole numbers", remedy="write [left, top, width, height]"
        )
    left, top, width, height = numbers
    if left < 0 or top < 0 or width < 1 or height < 1:
        raise SpecError(
            f"rectangle={list(numbers)} of a mask holds no pixel", remedy="write [left, top, width, height]"
        )
    return left, top, width, height
