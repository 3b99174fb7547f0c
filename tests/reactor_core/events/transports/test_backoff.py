from __future__ import annotations

import random
from itertools import islice

from reactor_core.events.transports.backoff import full_jitter


def test_each_delay_is_below_a_bound_that_doubles_to_the_longest():
    delays = list(islice(full_jitter(1.0, 8.0, draw=random.Random(1)), 50))
    bounds = [1, 2, 4] + [8] * 47
    assert all(0 <= delay <= bound for delay, bound in zip(delays, bounds, strict=True))


def test_delays_differ_between_clients():
    one, other = (list(islice(full_jitter(), 5)) for _ in range(2))
    assert one != other
