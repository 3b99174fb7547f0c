"""All that has been measured of a clip, in columns.

A regeneration measures what touches its window and takes the rest from its parent, so the cost of a score follows the
window. Columns, because a clip of an hour has 86,400 frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from a1_reactor.eval.pairs import CELLS, Cells, Pair, Proxy, measure, proxy_of
from a1_reactor.media.frames import Frame

__all__ = ["COLUMNS", "Measures", "Meter", "PairTable", "measure_clip", "stored_cells", "table_of"]

COLUMNS = tuple(field.name for field in fields(Pair))
"""Names of a table's columns: the fields of ``Pair``."""

PairTable = NDArray[np.float64]
"""float64 ``[frames - 1, 6]``: row ``i - 1`` compares frame ``i`` with the one before it."""

StoredCells = NDArray[np.uint8]
"""uint8 ``[frames, 12, 12, 3]``: mean colour of each cell, rounded to whole levels."""


def table_of(pairs: Iterable[Pair]) -> PairTable:
    """Pairs in order, as a table."""
    rows = [astuple(pair) for pair in pairs]
    return np.array(rows, np.float64).reshape(len(rows), len(COLUMNS))


def stored_cells(cells: Cells) -> StoredCells:
    """Mean colours as they are kept: rounding moves a mean difference of 432 cells by less than a tenth of a level."""
    return np.rint(cells).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Measures:
    """Measurements of every pair of neighbours, and the low-pass colours of every frame."""

    table: PairTable
    cells: StoredCells

    @property
    def frames(self) -> int:
        """Length of the clip."""
        return len(self.cells)

    def column(self, name: str) -> NDArray[np.float64]:
        """One measurement over the clip; ``column("l1")[i - 1]`` is that of frame ``i``."""
        return self.table[:, COLUMNS.index(name)]

    def changed(self, pairs: Mapping[int, Pair], cells: Mapping[int, StoredCells]) -> Measures:
        """With what was measured anew.

        Args:
            pairs: By number of the later frame.
            cells: By number of the frame.
        """
        table, colours = self.table.copy(), self.cells.copy()
        for index, pair in pairs.items():
            table[index - 1] = astuple(pair)
        for index, values in cells.items():
            colours[index] = values
        return Measures(table, colours)

    def pairs_to_json(self) -> dict[str, list[float]]:
        """The table by column, rounded to six digits."""
        columns: list[list[float]] = np.round(self.table, 6).T.tolist()
        return dict(zip(COLUMNS, columns, strict=True))

    @classmethod
    def parse(cls, columns: Mapping[str, Sequence[float]], cells: NDArray[Any]) -> Measures:
        """Read back what was written.

        Raises:
            ValueError: Columns are missing, or the two do not fit together.
            KeyError: A column is missing.
        """
        table = np.array([columns[name] for name in COLUMNS], np.float64).T
        if cells.dtype != np.uint8 or cells.shape[1:] != (CELLS, CELLS, 3):
            raise ValueError(f"colours are {cells.dtype} {list(cells.shape)}, not uint8 [frames, {CELLS}, {CELLS}, 3]")
        if table.shape != (len(cells) - 1, len(COLUMNS)):
            raise ValueError(f"{len(table)} pairs do not belong to {len(cells)} frames")
        return cls(table, cells)


class Meter:
    """Measures a clip as its frames come by; keeps one frame."""

    def __init__(self) -> None:
        self._pairs: list[Pair] = []
        self._cells: list[StoredCells] = []
        self._previous: Proxy | None = None

    def add(self, frame: Frame) -> None:
        """Measure the next frame."""
        current = proxy_of(frame)
        if self._previous is not None:
            self._pairs.append(measure(self._previous, current))
        self._cells.append(stored_cells(current.cells))
        self._previous = current

    def measures(self) -> Measures:
        """Of the frames so far; at least one."""
        return Measures(table_of(self._pairs), np.stack(self._cells))


def measure_clip(frames: Iterable[Frame]) -> Measures:
    """Measure a whole clip of at least one frame."""
    meter = Meter()
    for frame in frames:
        meter.add(frame)
    return meter.measures()
