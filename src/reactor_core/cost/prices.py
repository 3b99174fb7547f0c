"""The price of machine time, with its date and source.

Money is an integer number of nano-dollars (1 USD = 1,000,000,000), so that sums are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

__all__ = ["NANO_USD", "MachinePrice", "machine_price", "stated_price", "to_usd"]

NANO_USD = 1_000_000_000
GIB = 2**30

# Google Compute Engine, E2 predefined machines, on demand, us-central1: USD per vCPU-hour and per GiB-hour.
# Two vCPUs and 8 GiB make 0.0670 USD an hour, the list price of e2-standard-2.
_E2_VCPU_HOUR = 0.02181159
_E2_GIB_HOUR = 0.00292353
_E2_AS_OF = date(2025, 1, 1)
_E2_SOURCE = "Google Compute Engine list price, E2 predefined, on demand, us-central1"


@dataclass(frozen=True, kw_only=True)
class MachinePrice:
    """What a machine costs while it runs."""

    nano_usd_per_hour: int
    """Nano-dollars an hour."""
    as_of: date | None
    """Day on which the price was noted; None for the user's own figure."""
    source: str
    """Where the price comes from."""

    def cost(self, seconds: float) -> int:
        """Nano-dollars for a time of use, rounded half to even."""
        return round(self.nano_usd_per_hour * seconds / 3600)

    def describe(self) -> str:
        """One line for a summary: price, source and date."""
        price = f"${to_usd(self.nano_usd_per_hour):.4f} an hour"
        return f"{price} ({self.source}{f', {self.as_of}' if self.as_of else ''})"

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        as_of = None if self.as_of is None else self.as_of.isoformat()
        return {"nano_usd_per_hour": self.nano_usd_per_hour, "as_of": as_of, "source": self.source}


def to_usd(nano_usd: int) -> float:
    """Nano-dollars as dollars, for display."""
    return nano_usd / NANO_USD


def stated_price(usd_per_hour: float | None) -> MachinePrice | None:
    """The price that the user states for this machine; None for None, as no other machine's price is put in its place.

    Args:
        usd_per_hour: ``Settings.machine_price_usd_per_hour``.
    """
    if usd_per_hour is None:
        return None
    return MachinePrice(
        nano_usd_per_hour=round(usd_per_hour * NANO_USD), as_of=None, source="REACTOR_MACHINE_PRICE_USD_PER_HOUR"
    )


def machine_price(
    *, vcpus: int, memory_bytes: int, cuda_devices: tuple[str, ...] = (), usd_per_hour: float | None = None
) -> MachinePrice:
    """The price of a machine.

    Args:
        vcpus: Processors in use.
        memory_bytes: Memory of the machine.
        cuda_devices: Names of its accelerators. No list price is kept for them; the description says that they are
            not included.
        usd_per_hour: The user's own figure; None takes the list price of a rented machine of the same size.
    """
    if (stated := stated_price(usd_per_hour)) is not None:
        return stated
    hourly = vcpus * _E2_VCPU_HOUR + memory_bytes / GIB * _E2_GIB_HOUR
    source = _E2_SOURCE
    if cuda_devices:
        source += f"; without {', '.join(cuda_devices)}: set REACTOR_MACHINE_PRICE_USD_PER_HOUR"
    return MachinePrice(nano_usd_per_hour=round(hourly * NANO_USD), as_of=_E2_AS_OF, source=source)
