"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from collections.abc import Iterator

__all__ = ["full_jitter"]


def full_jitter(first: float = 0.5, longest: float = 30.0, *, draw: random.Random | None = None) -> Iterator[float]:
    """Seconds to wait, without end: uniform between 0 and a bound that doubles up to ``longest``.

    Full jitter spreads the clients of a restarted server best:
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    source = draw or random.Random()  # noqa: S311  spreading load needs no secrecy
    bound = first
    while True:
        yield source.uniform(0, bound)
        bound = min(bound * 2, longest)
