"""A second opinion on what the rules allow: it may ask a person, and nothing else.

The opinion comes from a model that is passed in. It is asked only about actions that the rules allow, and all it can do
is raise an allow to confirm. A model that fails, or is slow, changes nothing: the rules alone decide then, as they
would without it. How far it agrees with people is measured on what they answered, and reported.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass
from typing import Any, Protocol

from reactor_core.errors import ConfigError
from reactor_core.safety.engine import Decision
from reactor_core.safety.verdict import Effect, Finding, Verdict

__all__ = ["RULE", "Agreement", "Answered", "AskModel", "Opinion", "SecondOpinion", "agreement"]

_log = logging.getLogger(__name__)

RULE = "second opinion"
"""What a finding of a model names as its rule."""

AskModel = Callable[[str, str], Mapping[str, float]]
"""(action, kind) -> the share of allow, confirm and block, such as the chat of a served adapter gives."""

Opinion = Callable[[Decision], Finding | None]
"""A finding to add to a decision that allows, or None."""


class SecondOpinion:
    """Asks a model about what the rules allow; give it to the gate.

    Args:
        ask: The model.
        threshold: Share of confirm and block together from which a person is asked.
        seconds: How long the model may take; later, the rules' own verdict stands.

    Raises:
        ConfigError: A value cannot be used.
    """

    def __init__(self, ask: AskModel, *, threshold: float = 0.8, seconds: float = 1.0) -> None:
        if not 0 < threshold <= 1 or seconds <= 0:
            raise ConfigError(f"threshold={threshold}, seconds={seconds}", remedy="0 < threshold <= 1, seconds > 0")
        self._ask = ask
        self._threshold = threshold
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="reactor-opinion")
        self._running: Future[Mapping[str, float]] | None = None
        self.counts: Counter[str] = Counter()
        """How often it was asked, raised a verdict, failed, and was too slow."""

    def __call__(self, decision: Decision) -> Finding | None:
        """What the model adds to a decision: nothing, or that a person should be asked."""
        if decision.verdict is not Verdict.ALLOW:
            return None
        self.counts["asked"] += 1
        if self._running is not None and not self._running.done():
            self.counts["slow"] += 1  # it still thinks about an earlier one
            return None
        self._running = self._pool.submit(self._ask, decision.action, decision.kind)
        try:
            shares = self._running.result(self._seconds)
            doubt = float(shares.get("confirm", 0.0)) + float(shares.get("block", 0.0))
        except TooSlow:
            self.counts["slow"] += 1
            return None
        except Exception:  # noqa: BLE001  whatever a model does, the rules' verdict stands
            self.counts["failed"] += 1
            _log.exception("the second opinion failed")
            return None
        if not doubt >= self._threshold:  # also where it is no number
            return None
        self.counts["raised"] += 1
        return Finding(
            Verdict.CONFIRM,
            RULE,
            f"the rules allow it, but a model would ask with a certainty of {doubt:.0%}",
            Effect(),
        )

    def close(self) -> None:
        """End the thread; a call that runs is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Answered(Protocol):
    """What people said about an action."""

    @property
    def action(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def approved(self) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a model agrees with people, on actions that they were asked about.

    Args:
        rows: Number of actions.
        agreed: Where people let run what the model would have let run, or refused what it would not.
        needless: It would have asked, and people agreed to the action.
        missed: It would have let run what people refused.
        kappa: Agreement beyond chance (Cohen); None where one side always says the same.
        per_kind: Kind -> (agreed, rows).
    """

    rows: int
    agreed: int
    needless: int
    missed: int
    kappa: float | None
    per_kind: Mapping[str, tuple[int, int]]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "rows": self.rows,
            "agreed": self.agreed,
            "share": self.agreed / self.rows if self.rows else None,
            "needless": self.needless,
            "missed": self.missed,
            "kappa": self.kappa,
            "per_kind": {kind: list(counts) for kind, counts in self.per_kind.items()},
        }


def agreement(ask: AskModel, rows: Iterable[Answered], *, threshold: float = 0.8) -> Agreement:
    """Ask a model about actions that people were asked about.

    Args:
        ask: The model.
        rows: What people said; rows without an answer are passed over.
        threshold: As for :class:`SecondOpinion`.
    """
    counts: Counter[tuple[bool, bool]] = Counter()
    kinds: dict[str, Counter[bool]] = {}
    for row in rows:
        if row.approved is None:
            continue
        shares = ask(row.action, row.kind)
        lets_run = not shares.get("confirm", 0.0) + shares.get("block", 0.0) >= threshold
        counts[lets_run, row.approved] += 1
        kinds.setdefault(row.kind, Counter())[lets_run == row.approved] += 1
    total = counts.total()
    agreed = counts[True, True] + counts[False, False]
    return Agreement(
        rows=total,
        agreed=agreed,
        needless=counts[False, True],
        missed=counts[True, False],
        kappa=_kappa(counts),
        per_kind={kind: (one[True], one.total()) for kind, one in sorted(kinds.items())},
    )


def _kappa(counts: Counter[tuple[bool, bool]]) -> float | None:
    total = counts.total()
    model = counts[True, True] + counts[True, False]
    people = counts[True, True] + counts[False, True]
    if not total:
        return None
    chance = (model * people + (total - model) * (total - people)) / total**2
    if chance == 1:
        return None
    return ((counts[True, True] + counts[False, False]) / total - chance) / (1 - chance)
