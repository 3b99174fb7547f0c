"""What a call of a provider costs, where that is known."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

__all__ = ["FREE", "Price"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars; the three parts are added up."""

    per_call: Decimal = Decimal(0)
    """For each call, however much it makes."""
    per_frame: Decimal = Decimal(0)
    """For each frame that is made, context included."""
    per_second: Decimal = Decimal(0)
    """For each second of video that is made, context included."""

    def of(self, *, frames: int, fps: Fraction) -> Decimal:
        """Dollars for one call.

        Args:
            frames: What it makes.
            fps: How many of them are a second.
        """
        seconds = Decimal(frames * fps.denominator) / Decimal(fps.numerator)
        return self.per_call + self.per_frame * frames + self.per_second * seconds

    def to_json(self) -> dict[str, float]:
        """Plain values, by the names that ``providers.toml`` has for them."""
        return {
            "usd_per_call": float(self.per_call),
            "usd_per_frame": float(self.per_frame),
            "usd_per_second": float(self.per_second),
        }


FREE = Price()
"""Of providers on this machine: what they cost is the machine's time."""
