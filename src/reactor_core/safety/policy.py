"""The organisation's own rules and the project's own places, from ``reactor.toml``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from reactor_core.safety.setting import Setting
    from reactor_core.safety.verdict import Judged

__all__ = ["Policy"]


class Policy(msgspec.Struct, frozen=True):
    """Rules beside the rubric's."""

    def apply(self, kind: str, judged: Judged, setting: Setting) -> Judged:
        """What the rules make of a judgement."""
        return judged
