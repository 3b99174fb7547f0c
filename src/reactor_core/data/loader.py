"""Which rows belong to which optimizer step: a pure function of (seed, epoch, index)."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache

__all__ = ["num_steps", "row_order", "rows_of_step"]


@lru_cache(maxsize=4)
def row_order(
    num_rows: int, *, seed: int, epoch: int, shuffle: bool, groups: tuple[int, ...] | None = None
) -> tuple[int, ...]:
    """The order of the rows in an epoch.

    Rows are sorted by a hash of (seed, epoch, row), which no library version can change. Those of a group are sorted
    by its number instead of theirs, and among themselves as in the file: they come one after another.

    Args:
        num_rows: Rows in the dataset.
        seed: Of the run.
        epoch: 0-based.
        shuffle: False keeps the order of the file.
        groups: For each row the number of its group, such as the first row that belongs to it; None for no groups.
    """
    if not shuffle:
        return tuple(range(num_rows))

    def key(number: int) -> bytes:
        return hashlib.blake2b(b"%d:%d:%d" % (seed, epoch, number), digest_size=8).digest()

    numbers = groups or range(num_rows)
    return tuple(sorted(range(num_rows), key=lambda row: (key(numbers[row]), numbers[row], row)))


def num_steps(num_rows: int, batch_size: int) -> int:
    """Optimizer steps in an epoch; the last one may hold fewer rows."""
    return math.ceil(num_rows / batch_size)


def rows_of_step(
    step: int, num_rows: int, *, batch_size: int, seed: int, shuffle: bool, groups: tuple[int, ...] | None = None
) -> tuple[int, ...]:
    """Rows of a 0-based optimizer step, counted over all epochs; the other arguments as for :func:`row_order`."""
    epoch, index = divmod(step, num_steps(num_rows, batch_size))
    order = row_order(num_rows, seed=seed, epoch=epoch, shuffle=shuffle, groups=groups)
    return order[index * batch_size : (index + 1) * batch_size]
