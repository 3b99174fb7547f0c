"""Capabilities as a server or a settings file writes them down."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from a1_reactor.providers.base import Capabilities, Mode
from a1_reactor.providers.price import Price
from a1_reactor.types import FrameQuantum
from reactor_core.errors import ConfigError

__all__ = ["CapabilitiesDocument", "PriceDocument", "first_problem", "read_capabilities"]

_Count = Annotated[int, Field(ge=1, le=100_000)]


class _QuantumDocument(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    step: _Count = 1
    offset: Annotated[int, Field(ge=0)] = 0
    minimum: _Count = 1
    maximum: _Count | None = None

    @model_validator(mode="after")
    def _some_amount(self) -> _QuantumDocument:
        if self.offset >= self.step:
            raise ValueError(f"offset={self.offset} is not below step={self.step}")
        if self.maximum is not None and self.amounts(None).at_least(1) not in range(1, self.maximum + 1):
            raise ValueError(f"no amount of frames lies from {self.minimum} to {self.maximum}")
        return self

    def amounts(self, maximum: int | None) -> FrameQuantum:
        return FrameQuantum(step=self.step, offset=self.offset, minimum=self.minimum, maximum=maximum)


_Dollars = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False, strict=False)]


class PriceDocument(BaseModel):
    """What a call costs, in US dollars; the parts are added up."""

    model_config = ConfigDict(extra="forbid", strict=True)

    usd_per_call: _Dollars = Decimal(0)
    usd_per_frame: _Dollars = Decimal(0)
    usd_per_second: _Dollars = Decimal(0)

    def price(self) -> Price:
        """The same, for the engine."""
        return Price(per_call=self.usd_per_call, per_frame=self.usd_per_frame, per_second=self.usd_per_second)


class CapabilitiesDocument(BaseModel):
    """What may stand there; every field has a default, unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    modes: Annotated[list[Mode], Field(min_length=1)] = ["full"]
    quantum: _QuantumDocument = _QuantumDocument()
    context_frames: Annotated[int, Field(ge=0, le=1000)] = 0
    size_multiple: Annotated[int, Field(ge=1, le=1024)] = 2
    max_frames: _Count | None = None
    seed: bool = True
    spatial_mask: bool = False
    any_frame: bool = False
    price: PriceDocument | None = None

    @model_validator(mode="after")
    def _anchors(self) -> CapabilitiesDocument:
        needing = sorted(set(self.modes) & {"first_last", "interpolate"})
        if needing and not self.context_frames:
            raise ValueError(f"mode {needing[0]} needs context_frames of 1 or more")
        return self

    def capabilities(self) -> Capabilities:
        """The same, for the engine."""
        return Capabilities(
            modes=frozenset(self.modes),
            quantum=self.quantum.amounts(self.quantum.maximum),
            context_frames=self.context_frames,
            size_multiple=self.size_multiple,
            max_frames=self.max_frames if self.max_frames is not None else self.quantum.maximum,
            seed=self.seed,
            windows_apart=True,
            spatial_mask=self.spatial_mask,
            any_frame=self.any_frame,
            price=None if self.price is None else self.price.price(),
        )


def read_capabilities(document: Any, *, where: str) -> Capabilities:
    """Read a description.

    Args:
        document: JSON object or TOML table.
        where: What is being read, for the message.

    Raises:
        ConfigError: A field is unknown, of another type, or contradicts another.
    """
    try:
        return CapabilitiesDocument.model_validate(document).capabilities()
    except ValidationError as error:
        raise ConfigError(
            f"{where}: {first_problem(error)}", remedy="docs/providers/http-v2.md lists the fields"
        ) from error


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong, in one line without the value."""
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place or 'the document'}: {problem['msg']}"
