"""How far the reader of an event stream has come, as the text that it sends back in ``Last-Event-ID``.

Urgent lanes overtake, so one number does not say what a reader has: lane 1 can be far ahead of lane 4. Within a lane
the order is the journal's, so four numbers do. They stand behind a mark of the journal, ``<mark>:<1>.<2>.<3>.<4>``, or
``<mark>:<n>`` where all are the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reactor_core.errors import ConfigError

__all__ = ["LANES", "Positions"]

LANES = (1, 2, 3, 4)
_FORM = re.compile(r"(?:([0-9a-z]{8}):)?(\d{1,18})(?:\.(\d{1,18})\.(\d{1,18})\.(\d{1,18}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Positions:
    """Everything up to ``after[lane]`` was read in each lane.

    Args:
        after: Position by lane.
        mark: Of the journal; empty if the reader gave a bare number.
    """

    after: Mapping[int, int]
    mark: str = ""

    @classmethod
    def of(cls, journal_id: str, after: Mapping[int, int] | int) -> Positions:
        """Positions in a journal."""
        each = dict.fromkeys(LANES, after) if isinstance(after, int) else {lane: after[lane] for lane in LANES}
        return cls(each, journal_id[-8:].lower())

    @classmethod
    def read(cls, text: str) -> Positions:
        """Read what :meth:`__str__` wrote, or a bare position.

        Raises:
            ConfigError: It is neither.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise ConfigError(f"{text!r:.80} is no position of an event stream", remedy="send back an id of the stream")
        mark, *numbers = match.groups()
        first = int(numbers[0])
        return cls({lane: first if n is None else int(n) for lane, n in zip(LANES, numbers, strict=True)}, mark or "")

    def __str__(self) -> str:
        numbers = [self.after[lane] for lane in LANES]
        spelled = str(numbers[0]) if len(set(numbers)) == 1 else ".".join(map(str, numbers))
        return f"{self.mark}:{spelled}" if self.mark else spelled

    def is_of(self, journal_id: str) -> bool:
        """Whether these are positions in this journal; a bare number is one in any."""
        return self.mark in ("", journal_id[-8:].lower())
